"""The kernel threads of a run that find what is promoted."""

from tiering.engine.movers import Movers
from tiering.migration.queue import MigrationQueue
from tiering.simulation.filters import Filters
from tiering.simulation.kmigrated import KmigratedThread
from tiering.simulation.scenario import Scenario
from tiering.simulation.threads import SourceThread, kmigrated_nids, thread_lists
from tiering.sources.source import Source

Thread = SourceThread | KmigratedThread


def crew(
    scenario: Scenario,
    source: Source | None,
    filters: Filters,
    queue: MigrationQueue,
    movers: Movers,
) -> list[Thread]:
    """Threads of the source, then the kmigrated of each lower-tier node; in the order of their
    names."""
    if source is None:
        return []
    for mm in range(scenario.nr_processes):
        source.leave(mm)  # nobody is there yet
    threads: list[Thread] = [
        SourceThread(nr, scenario, source, filters, queue, movers)
        for nr in range(len(thread_lists(scenario)))
    ]
    if filters.records is not None:
        threads += [
            KmigratedThread(
                nr, nid, scenario.kmigrated, filters.records, filters.promotion, queue, movers
            )
            for nr, nid in enumerate(kmigrated_nids(scenario))
        ]
    return threads
