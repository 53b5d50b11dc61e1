"""Who notices touches in a run: the source of its preset, made for its world."""

from tiering.engine.touch import Scratch
from tiering.simulation.build import World
from tiering.simulation.presets import PRESETS
from tiering.simulation.scenario import Scenario
from tiering.simulation.threads import thread_lists
from tiering.sources.pte_scan import PteScanner
from tiering.sources.source import Source


def watcher(scenario: Scenario, world: World, scratch: Scratch) -> Source | None:
    """The source; None where nobody notices anything."""
    source = PRESETS[scenario.preset].source
    if source == "pte_scan":
        return PteScanner(
            scenario.pte_scan, world.memory, world.rates, scratch, world.mms,
            thread_lists(scenario),
        )  # fmt: skip
    return None
