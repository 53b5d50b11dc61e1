"""DAMON: kdamonds sample one page of each region and adapt the regions (docs/model.md#damon).

One kdamond for each context. Of the samples found accessed, those of slow-tier folios are reported
when an aggregation ends; the regions themselves are state, and DAMOS acts on them. The loops are in
damon_loop.py, damon_check.py and damon_regions.py.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiering.engine.damon_region import VIRTUAL, count_frames
from tiering.engine.flow import Pace
from tiering.engine.folios import GRANULE, SLOW, Memory
from tiering.engine.jit import Direct
from tiering.engine.random import stream_key
from tiering.engine.reports import Reports, in_runs
from tiering.engine.scheme_table import apply_later
from tiering.engine.touch import Rates, Scratch
from tiering.sources.damon_knobs import Damon
from tiering.sources.damon_loop import monitor
from tiering.sources.damon_state import (
    AGGR_US,
    APPLY,
    CHECKS,
    FINISH,
    PREPARE,
    SAMPLE_US,
    SEEN,
    SLEEP,
    STAGE,
    UPDATE,
    WAIT,
    WAKE,
    Context,
    context,
    rules_of,
)
from tiering.sources.damon_targets import cut_evenly, drop_target, set_target, three_ranges
from tiering.sources.pte_state import ScannedMm
from tiering.sources.source import Step

SALT = 0xDA304

_monitor = Direct(monitor)


class Kdamonds:
    """All kdamonds of a run; a Source. contexts: what each of them knows."""

    stalls: ClassVar[bool] = False

    def __init__(
        self,
        knobs: Damon,
        memory: Memory,
        rates: Rates,
        scratch: Scratch,
        mms: list[ScannedMm],
        sides: list[int],
        capacity: NDArray[np.int64],
        seed: int,
    ) -> None:
        """sides: whose frames each kdamond monitors, see engine/damon_region.py. capacity: i64[N]
        pages of each node."""
        self.knobs = knobs
        self._memory, self._rates, self._scratch = memory, rates, scratch
        self._capacity, self._sides, self._slow = capacity, sides, 1.0
        self._ranges = [three_ranges(mm) for mm in mms]
        self._alive = np.zeros(len(mms), np.bool_)
        self._known = np.zeros(len(mms), np.bool_)
        nr = memory.nr.size
        self.contexts: list[Context] = [
            context(knobs, side, nr, len(mms) if side == VIRTUAL else 1, stream_key(seed, SALT, at))
            for at, side in enumerate(sides)
        ]
        self._rules = self._as_rules()
        self.reports: Reports = in_runs(np.zeros(0, np.uint32))
        self.passes: NDArray[np.int64] = np.zeros((0, 3), np.int64)
        self.events: list[dict[str, Any]] = []

    @property
    def counters(self) -> dict[str, int]:
        """See Source."""
        return {"damon_nr_checks": sum(int(one.at[CHECKS]) for one in self.contexts)}

    def columns(self) -> dict[str, NDArray[Any]]:
        """See Source; regions know no mm."""
        return {}

    def attend(self, thread: int, schemes: NDArray[np.int64]) -> None:
        """Schemes that are applied to the regions of a kdamond (engine/scheme_table.py)."""
        one = self.contexts[thread] = self.contexts[thread]._replace(schemes=schemes)
        for i in range(len(schemes)):
            apply_later(schemes, i, 0, one.at[AGGR_US], one.at[SAMPLE_US])

    def run(self, thread: int, clock: int, until: int, pace: Pace, stops: bool) -> Step:
        """See Source; stops where an aggregation ends or schemes may be applied, and goes on from
        there when it is called again."""
        one, busy, found = self.contexts[thread], 0, np.zeros(0, np.uint32)
        while clock < until and not found.size:
            if one.at[STAGE] == APPLY:
                one.at[STAGE] = FINISH
            if one.at[STAGE] == UPDATE:
                self._update(one)
            clock, spent = _monitor(
                self._memory, self._rates, self._scratch, one, self._rules[thread], self._capacity,
                clock, until, pace,
            )  # fmt: skip
            busy += int(spent)
            if one.at[STAGE] == APPLY:
                found = self._take(one)
                if stops:
                    break
        self.reports = in_runs(found, int(clock))
        return Step(int(clock), busy, found.size, bool(one.at[STAGE] == APPLY))

    def rest(self, thread: int, clock: int, until: int) -> tuple[int, int]:
        """See Source."""
        at = self.contexts[thread].at
        if at[STAGE] in (SLEEP, WAIT):
            return int(max(clock, min(at[WAKE], until))), 0
        return clock, 0

    def dilate(self, slow: float) -> None:
        """See Source."""
        self._slow = slow
        self._rules = self._as_rules()

    def enter(self, mm: int, now: int) -> None:  # noqa: ARG002 - seen at the next update
        """vaddr notices a new mm when it next looks."""
        self._alive[mm] = True

    def leave(self, mm: int) -> None:
        """vaddr notices when it next looks; until then nothing there is accessed."""
        self._alive[mm] = False

    def retune(self, name: str, value: Any, now: int) -> None:  # noqa: ARG002 - from now on
        """See Source."""
        self.knobs = self.knobs._replace(**{name: value})
        self._rules = self._as_rules()

    def _as_rules(self) -> list[Any]:
        return [rules_of(self.knobs, side, self._slow) for side in self._sides]

    def _update(self, one: Context) -> None:
        """Bring the targets up to date; one of frames has all of them from its begin."""
        one.at[STAGE] = PREPARE
        if one.regions.side != VIRTUAL:
            if one.regions.nr[0] == 0:
                count_frames(self._memory, one.regions)
                set_target(one.regions, 0, [(0, self._memory.nr.size * GRANULE)])
            return
        for mm in np.flatnonzero(self._alive != self._known).tolist():
            if self._alive[mm]:
                set_target(one.regions, mm, cut_evenly(self._ranges[mm], self.knobs.min_nr_regions))
            else:
                drop_target(one.regions, mm)
            self._known[mm] = self._alive[mm]

    def _take(self, one: Context) -> NDArray[np.uint32]:
        """Slow-tier folios that samples found accessed, each once and in order."""
        if one.at[SEEN] == 0:
            return one.seen[:0]
        seen: NDArray[np.uint32] = np.unique(one.seen[: one.at[SEEN]])
        one.at[SEEN] = 0
        slow: NDArray[np.bool_] = self._memory.folio[seen] & np.uint32(SLOW) != 0
        return seen[slow]
