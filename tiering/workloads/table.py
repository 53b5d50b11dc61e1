"""The room's one table: name -> knobs, builder and meaning."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tiering.workloads import (
    damon_recording,
    gaussian,
    growing,
    hot_set,
    moving_hot_set,
    phases,
    sequential,
    uniform,
    zipf,
)
from tiering.workloads.pattern import Region


class Pattern(NamedTuple):
    """knobs: NamedTuple class; build(knobs, nr_folios, seed) -> Region, None if from_recording.

    build raises PatternError for knobs that do not go together or a VMA that is too small.
    """

    knobs: Any
    build: Callable[[Any, int, int], Region] | None
    meaning: str
    from_recording: bool = False


PATTERNS: dict[str, Pattern] = {
    "uniform": Pattern(uniform.Uniform, uniform.build, "every folio alike"),
    "hot_set": Pattern(hot_set.HotSet, hot_set.build, "few folios take most accesses"),
    "zipf": Pattern(zipf.Zipf, zipf.build, "the folio of rank r gets an r**-s part"),
    "sequential": Pattern(
        sequential.Sequential, sequential.build, "pass after pass, or by a stride"
    ),
    "growing": Pattern(growing.Growing, growing.build, "pages come one after another"),
    "gaussian": Pattern(gaussian.Gaussian, gaussian.build, "heat falls off from a middle address"),
    "moving_hot_set": Pattern(
        moving_hot_set.MovingHotSet, moving_hot_set.build, "a hot window that moves on"
    ),
    "phases": Pattern(phases.Phases, phases.build, "hot sets that take turns"),
    "damon_recording": Pattern(
        damon_recording.DamonRecording, None, "heat recorded on a real machine", True
    ),
}
