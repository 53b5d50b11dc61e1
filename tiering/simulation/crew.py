"""The kernel threads of a run that find what is promoted, or demote what is cold."""

from tiering.demotion.coldest import Coldest
from tiering.engine.movers import Movers
from tiering.migration.queue import MigrationQueue
from tiering.simulation.build import World
from tiering.simulation.coldest import ColdestThread
from tiering.simulation.filters import Filters
from tiering.simulation.kdamond import KdamondThread
from tiering.simulation.kmigrated import KmigratedThread
from tiering.simulation.reclaimers import Reclaimers
from tiering.simulation.scenario import Scenario
from tiering.simulation.threads import SourceThread, coldest_nids, kmigrated_nids, nr_threads
from tiering.sources.damon import Kdamonds
from tiering.sources.source import Source

Thread = SourceThread | KmigratedThread | ColdestThread


def crew(
    scenario: Scenario,
    sources: dict[str, Source],
    filters: Filters,
    queue: MigrationQueue,
    movers: Movers,
    world: World,
    reclaimers: Reclaimers,
    cold: Coldest | None,
) -> list[Thread]:
    """Threads of the sources, the kmigrated of each lower-tier node, and those that demote the
    coldest; in the order of their names."""
    threads: list[Thread] = []
    for name, source in sources.items():
        for mm in range(scenario.nr_processes):
            source.leave(mm)  # nobody is there yet
        for thread in range(nr_threads(scenario)[name]):
            nr = len(threads)
            if isinstance(source, Kdamonds):
                one: Thread = KdamondThread(
                    nr, scenario, name, thread, source, filters, queue, movers, world, reclaimers
                )
            else:
                one = SourceThread(nr, scenario, name, thread, source, filters, queue, movers)
            threads.append(one)
    if filters.records is not None:
        threads += [
            KmigratedThread(
                nr, nid, scenario.kmigrated, filters.records, filters.promotion, queue, movers
            )
            for nr, nid in enumerate(kmigrated_nids(scenario))
        ]
    if cold is not None:
        threads += [
            ColdestThread(nr, nid, cold, world, reclaimers, movers)
            for nr, nid in enumerate(coldest_nids(scenario))
        ]
    return threads


def coldest(scenario: Scenario, world: World) -> Coldest | None:
    """Ages of the folios that pro-active demotion looks at; None where there is none."""
    return Coldest(scenario.coldest_first, world.memory) if coldest_nids(scenario) else None
