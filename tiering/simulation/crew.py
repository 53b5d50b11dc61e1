"""The kernel threads of a run that find what is promoted."""

from tiering.engine.movers import Movers
from tiering.migration.queue import MigrationQueue
from tiering.simulation.filters import Filters
from tiering.simulation.kmigrated import KmigratedThread
from tiering.simulation.scenario import Scenario
from tiering.simulation.threads import SourceThread, kmigrated_nids, nr_threads
from tiering.sources.source import Source

Thread = SourceThread | KmigratedThread


def crew(
    scenario: Scenario,
    sources: dict[str, Source],
    filters: Filters,
    queue: MigrationQueue,
    movers: Movers,
) -> list[Thread]:
    """Threads of the sources, then the kmigrated of each lower-tier node; in the order of their
    names."""
    threads: list[Thread] = []
    for name, source in sources.items():
        for mm in range(scenario.nr_processes):
            source.leave(mm)  # nobody is there yet
        for thread in range(nr_threads(scenario)[name]):
            threads.append(
                SourceThread(len(threads), scenario, name, thread, source, filters, queue, movers)
            )
    if filters.records is not None:
        threads += [
            KmigratedThread(
                nr, nid, scenario.kmigrated, filters.records, filters.promotion, queue, movers
            )
            for nr, nid in enumerate(kmigrated_nids(scenario))
        ]
    return threads
