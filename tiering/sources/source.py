"""What every source is to the run: threads that notice touches and report folios.

A source reports and never judges: thresholds on heat belong to hotness and promotion, unless they
are part of the hardware that the source is. It pays for its work on its thread's own clock.
"""

from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tiering.engine.flow import Pace
from tiering.engine.reports import Reports


class Step(NamedTuple):
    """One step of a thread: its clock, CPU time used, reports made, and whether it stopped because
    it had something to hand on."""

    clock: int
    busy_ns: int
    nr_reports: int
    ended: bool


class Source(Protocol):
    """reports: of the last step, passes: full looks that ended in it (rows mm, ns, reports before).
    events: log lines that nobody has taken yet. stalls: whether its work takes time of tasks, which
    it adds to their stalls."""

    stalls: ClassVar[bool]
    reports: Reports
    passes: NDArray[np.int64]
    events: list[dict[str, Any]]

    @property
    def counters(self) -> dict[str, int]:
        """What it counted, by metric name."""

    def columns(self) -> dict[str, NDArray[Any]]:
        """Its figures of every mm now, by the name of the metric."""

    def run(self, thread: int, clock: int, until: int, pace: Pace, stops: bool) -> Step:
        """Work until the clock passes `until` or the buffers are full; if it stops, at the end of
        what found something, otherwise at the end of that tick."""

    def rest(self, thread: int, clock: int, until: int) -> tuple[int, int]:
        """Sleep on until `until` or the next work: (clock, CPU time used, ns)."""

    def dilate(self, slow: float) -> None:
        """A ns of CPU takes `slow` ns of the clock."""

    def enter(self, mm: int, now: int) -> None:
        """An mm has just begun."""

    def leave(self, mm: int) -> None:
        """An mm has exited, or has not begun."""

    def retune(self, name: str, value: Any, now: int) -> None:
        """Apply a live knob at `now` ns."""
