"""Who notices touches in a run: the sources that it joins, made for its world."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tiering.engine.touch import Scratch
from tiering.migration.queue import MigrationQueue
from tiering.simulation.build import World
from tiering.simulation.damon_join import kdamond_sides
from tiering.simulation.presets import PRESETS
from tiering.simulation.progress import Progress
from tiering.simulation.scenario import Scenario
from tiering.simulation.targets import promotion_targets
from tiering.simulation.threads import slow_nodes, thread_lists
from tiering.sources.chmu import ChmuReader
from tiering.sources.damon import Kdamonds
from tiering.sources.hint_fault import HintFaults
from tiering.sources.hw_sample import HwSampler
from tiering.sources.lru_gen_walk import LruGenWalker
from tiering.sources.oracle import AllKnowing
from tiering.sources.page_cache_access import PageCacheReads
from tiering.sources.pfn_scan import PfnScanner
from tiering.sources.pte_scan import PteScanner
from tiering.sources.source import Source


class Parts(NamedTuple):
    """What a source may be made of."""

    scenario: Scenario
    seed: int
    world: World
    scratch: Scratch
    progress: Progress
    queue: MigrationQueue


def watchers(parts: Parts) -> dict[str, Source]:
    """The sources of a run by name; none where nobody notices anything."""
    parts.queue.books.target[:] = promotion_targets(parts.scenario)
    made = {name: MAKERS[name](parts) for name in parts.scenario.joined.sources}
    faults, reads = made.get("hint_fault"), made.get("page_cache_access")
    if isinstance(faults, HintFaults) and isinstance(reads, PageCacheReads):
        reads.beside = faults  # one sysctl for both
    return made


def _pte_scan(parts: Parts) -> Source:
    scenario, world = parts.scenario, parts.world
    lists = thread_lists(scenario, "pte_scan")
    thread = PRESETS[scenario.preset].thread or "kmmscand"
    if scenario.pte_scan.walk == "physical":
        return PfnScanner(
            scenario.pte_scan, world.memory, world.rates, parts.scratch, slow_nodes(scenario),
            len(world.mms), lists, thread,
        )  # fmt: skip
    return PteScanner(
        scenario.pte_scan, world.memory, world.rates, parts.scratch, world.mms, lists, thread,
        parts.queue.books, int(world.top_tier.sum()),
    )  # fmt: skip


def _chmu(parts: Parts) -> Source:
    world = parts.world
    slow = (~world.top_tier).astype(np.uint8)
    return ChmuReader(
        parts.scenario.chmu, world.memory, world.rates, parts.scratch, slow,
        parts.progress.flow.tau, world.write_share,
    )  # fmt: skip


def _hw_sample(parts: Parts) -> Source:
    world = parts.world
    return HwSampler(
        parts.scenario.hw_sample, world.memory, world.rates, parts.progress.flow, parts.seed
    )


def _lru_gen_walk(parts: Parts) -> Source:
    world = parts.world
    return LruGenWalker(
        parts.scenario.lru_gen_walk, world.memory, world.rates, parts.scratch, world.mms,
        ~world.top_tier,
    )  # fmt: skip


def _hint_fault(parts: Parts) -> Source:
    scenario, world, books = parts.scenario, parts.world, parts.queue.books
    threads = [process.threads for process, _ in scenario.all_processes()]
    homes = [scenario.home_nid(process) for process, _ in scenario.all_processes()]
    return HintFaults(
        scenario.hint_fault, world.memory, world.rates, parts.scratch, world.mms, threads,
        books.spent, books.moved, np.array(homes, np.int64),
    )  # fmt: skip


def _page_cache_access(parts: Parts) -> Source:
    world, spent = parts.world, parts.queue.books.spent
    return PageCacheReads(
        parts.scenario.page_cache_access, world.memory, world.rates, parts.scratch, spent
    )


def _damon(parts: Parts) -> Source:
    world = parts.world
    return Kdamonds(
        parts.scenario.damon, world.memory, world.rates, parts.scratch, world.mms,
        kdamond_sides(parts.scenario), world.capacity, parts.seed,
    )  # fmt: skip


def _oracle(parts: Parts) -> Source:
    world = parts.world
    room = int((world.capacity - world.marks.promo)[world.top_tier].sum())
    return AllKnowing(parts.scenario.oracle, world.memory, world.rates, room, world.top_tier)


MAKERS: dict[str, Callable[[Parts], Source]] = {
    "pte_scan": _pte_scan,
    "hw_sample": _hw_sample,
    "chmu": _chmu,
    "lru_gen_walk": _lru_gen_walk,
    "damon": _damon,
    "hint_fault": _hint_fault,
    "oracle": _oracle,
    "page_cache_access": _page_cache_access,
}
