"""Who notices touches in a run: the source of its preset, made for its world."""

import numpy as np

from tiering.engine.touch import Scratch
from tiering.migration.queue import MigrationQueue
from tiering.simulation.build import World
from tiering.simulation.presets import PRESETS
from tiering.simulation.progress import Progress
from tiering.simulation.scenario import Scenario
from tiering.simulation.threads import thread_lists
from tiering.sources.chmu import ChmuReader
from tiering.sources.hint_fault import HintFaults
from tiering.sources.hw_sample import HwSampler
from tiering.sources.pte_scan import PteScanner
from tiering.sources.source import Source


def watcher(
    scenario: Scenario,
    seed: int,
    world: World,
    scratch: Scratch,
    progress: Progress,
    queue: MigrationQueue,
) -> Source | None:
    """The source; None where nobody notices anything."""
    source = PRESETS[scenario.preset].source
    if source == "pte_scan":
        return PteScanner(
            scenario.pte_scan, world.memory, world.rates, scratch, world.mms,
            thread_lists(scenario), PRESETS[scenario.preset].thread, queue.books,
            int(world.top_tier.sum()),
        )  # fmt: skip
    if source == "chmu":
        slow = (~world.top_tier).astype(np.uint8)
        return ChmuReader(
            scenario.chmu, world.memory, world.rates, scratch, slow, progress.flow.tau
        )
    if source == "hw_sample":
        return HwSampler(scenario.hw_sample, world.memory, world.rates, progress.flow, seed)
    if source == "hint_fault":
        threads = [process.threads for process, _ in scenario.all_processes()]
        return HintFaults(
            scenario.hint_fault, world.memory, world.rates, scratch, world.mms, threads,
            queue.books.spent, queue.books.moved,
        )  # fmt: skip
    return None
