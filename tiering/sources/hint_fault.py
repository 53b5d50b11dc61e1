"""NUMA balancing, memory tiering: PTEs are marked, and the next touch is a fault
(docs/model.md#hint-faults).

No thread does this: tasks mark in their own time and pay for their own faults. All modes of the
sysctl. Loops are in hint_mark.py (visits) and hint_touch.py (faults); here is the order of the two.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiering.engine.flow import TICK_NS, TIME, Pace
from tiering.engine.folios import GRANULE, Memory
from tiering.engine.jit import Direct, loop
from tiering.engine.reports import Reports, reports
from tiering.engine.touch import Rates, Scratch
from tiering.sources.hint_knobs import HintFault
from tiering.sources.hint_mark import begin_visit, has_room, next_due, visit
from tiering.sources.hint_state import (
    CURSOR,
    FAULTS,
    FAULTS_LOCAL,
    FOUND,
    MM,
    NEVER,
    NEXT,
    NS_PER_MS,
    UPDATES,
    Marks,
    Rules,
    marks,
)
from tiering.sources.hint_touch import fault_granule
from tiering.sources.pte_state import ScannedMm
from tiering.sources.source import Step

BUFFER_GRANULES = 32
PAGES_PER_MIB = 256


@loop
def balance(memory, rates, scratch, one, rules, clock, until, pace, found, passes, stops):  # type: ignore[no-untyped-def]
    """Visits that are due and faults of marked granules, until the clock passes `until`.

    Stops where buffers are full and, after something was found or paid for, at once or at the end
    of the tick. Returns (clock, ns of tasks, reports, runs, passes, whether it stopped with finds).
    """
    at = one.at
    n, nr_runs, nr_passes = np.int64(0), np.int64(0), np.int64(0)
    spent, ended = 0.0, False
    while clock < until:
        if at[MM] < 0 and at[CURSOR] < 0:
            due, mm = next_due(one)
            if not rules.enabled:
                due = np.int64(NEVER)
            event = min(due, at[NEXT])
            if clock < event:
                clock = min(event, until)
                continue
            if due <= clock:
                begin_visit(one, rules, mm, clock)
            else:
                at[CURSOR] = 0
        if at[MM] >= 0:
            mm = at[MM]
            row = passes[nr_passes]
            n, nr_runs, over, cost = visit(
                memory, rates, scratch, one, rules, pace, found, n, nr_runs, row
            )
            nr_passes += over
            spent += cost + (one.spent[mm] if at[MM] < 0 else 0.0)
            at[NEXT] = min(at[NEXT], (clock // TICK_NS + 1) * TICK_NS)
        else:
            n, nr_runs, cost = _look_around(
                memory, rates, scratch, one, rules, clock, pace, found, n, nr_runs
            )
            spent += cost
        if at[MM] >= 0 or at[CURSOR] >= 0 or nr_passes == passes.shape[0]:
            break  # no room
        if at[FOUND] + n > 0 and stops:
            ended = True
            break
        if n > 0 or spent > 0.0:
            until = min(until, (max(clock, pace.at[TIME]) // TICK_NS + 1) * TICK_NS)
    at[FOUND] = 0 if ended else at[FOUND] + n
    return clock, np.int64(spent + 0.5), n, nr_runs, nr_passes, ended


@loop
def _look_around(memory, rates, scratch, one, rules, clock, pace, found, n, nr_runs):  # type: ignore[no-untyped-def]
    """Faults of all granules whose look is due; (n, runs, ns). Sets the time of the next look."""
    at, spent = one.at, 0.0
    if at[CURSOR] == 0:
        at[NEXT] = NEVER
    while at[CURSOR] < memory.nr.size and has_room(found, n, nr_runs):
        granule = at[CURSOR]
        if memory.hinted[granule] > 0:
            if one.look_ns[granule] <= clock:
                n, nr_runs, cost = fault_granule(
                    memory, rates, scratch, one, rules, granule, clock, pace, found, n, nr_runs
                )
                spent += cost
            if memory.hinted[granule] > 0:
                at[NEXT] = min(at[NEXT], one.look_ns[granule])
        at[CURSOR] += 1
    if at[CURSOR] == memory.nr.size:
        at[CURSOR] = -1
    return n, nr_runs, spent


@loop
def sleep_until(one, enabled):  # type: ignore[no-untyped-def]
    """When there is something to do next."""
    due, _ = next_due(one)
    return min(due if enabled else np.int64(NEVER), one.at[NEXT])


_balance = Direct(balance)
_sleep_until = Direct(sleep_until)


class HintFaults:
    """All tasks' marking and faults; a Source. Its clock is nobody's: tasks pay (`charge`)."""

    stalls: ClassVar[bool] = False  # what tasks spend is settled behind the step (engine/carry.py)

    def __init__(
        self, knobs: HintFault, memory: Memory, rates: Rates, scratch: Scratch,
        mms: list[ScannedMm], threads: list[int], charge: NDArray[np.float64],
        moved: NDArray[np.int64], home: NDArray[np.int64],
    ) -> None:  # fmt: skip
        """threads: of each mm. charge: f64[M] ns that tasks have to lose, of the run. moved: i64[M]
        pages promoted so far, of the run. home: i64[M] node on which its tasks run."""
        self.knobs = knobs
        self.memory, self._rates, self._scratch = memory, rates, scratch
        self.marks: Marks = marks(memory, mms, threads, home, charge, moved)
        self._rules = _rules(knobs)
        self._found = reports(BUFFER_GRANULES * GRANULE, 4096, latencies=True)
        self._passes = np.zeros((256, 3), np.int64)
        self.nr_passes: NDArray[np.int64] = np.zeros(len(mms), np.int64)
        self.reports: Reports = self._found.first(0, 0)
        self.passes: NDArray[np.int64] = self._passes[:0]
        self.events: list[dict[str, Any]] = []

    @property
    def counters(self) -> dict[str, int]:
        """Counters by metric name."""
        at = self.marks.at
        return {
            "numa_pte_updates": int(at[UPDATES]),
            "numa_hint_faults": int(at[FAULTS]),
            "numa_hint_faults_local": int(at[FAULTS_LOCAL]),
            "numa_pages_migrated": int(self.marks.moved.sum()),
        }

    @property
    def tiering(self) -> bool:
        """Whether the sysctl says memory tiering (bit 1)."""
        return self.knobs.numa_balancing in ("memory_tiering", "both")

    def columns(self) -> dict[str, NDArray[Any]]:
        """See Source."""
        marks = self.marks
        return {
            "scan_period_ms": marks.period_ms,
            "full_scan_ms": marks.full_scan_ns / NS_PER_MS,
            "nr_visits": marks.nr_visits,
            "nr_full_scans": self.nr_passes,
            "nr_scanned": marks.nr_scanned,
        }

    def run(
        self,
        thread: int,  # noqa: ARG002 - there is none
        clock: int,
        until: int,
        pace: Pace,
        stops: bool,
    ) -> Step:
        """See Source; busy_ns is time of tasks."""
        clock, busy, nr, nr_runs, nr_passes, ended = _balance(
            self.memory, self._rates, self._scratch, self.marks, self._rules, clock, until, pace,
            self._found, self._passes, stops,
        )  # fmt: skip
        self.reports = self._found.first(nr, nr_runs)
        self.passes = self._passes[:nr_passes]
        if nr_passes:
            np.add.at(self.nr_passes, self.passes[:, 0], 1)
        return Step(int(clock), int(busy), int(nr), bool(ended))

    def rest(self, thread: int, clock: int, until: int) -> tuple[int, int]:  # noqa: ARG002 - none
        """See Source."""
        at = self.marks.at
        if at[MM] >= 0 or at[CURSOR] >= 0:
            return clock, 0
        event = int(_sleep_until(self.marks, self._rules.enabled))
        return max(clock, min(event, until)), 0

    def dilate(self, slow: float) -> None:
        """Tasks pay with time of their own: there is nothing to do."""

    def enter(self, mm: int, now: int) -> None:
        """A new mm is first marked scan_delay_ms after its begin."""
        one, delay_ms = self.marks, self.knobs.scan_delay_ms
        vmas = one.vma_at[mm + 1] - one.vma_at[mm]
        one.next_scan[mm] = now + delay_ms * NS_PER_MS if vmas else NEVER
        one.period_ms[mm] = max(delay_ms, 1)
        one.vma[mm] = one.page[mm] = 0
        one.rose[mm] = one.moved[mm]
        one.counted[mm] = 0
        one.stamp[one.task_at[mm] : one.task_at[mm + 1]] = now

    def leave(self, mm: int) -> None:
        """Its marks go with its folios."""
        self.marks.next_scan[mm] = NEVER
        if self.marks.at[MM] == mm:
            self.marks.at[MM] = -1

    def retune(self, name: str, value: Any, now: int) -> None:  # noqa: ARG002 - from now on
        """See Source; periods are clamped when the next pass ends."""
        self.knobs = self.knobs._replace(**{name: value})
        self._rules = _rules(self.knobs)


def _rules(knobs: HintFault) -> Rules:
    return Rules(
        knobs.numa_balancing != "off", knobs.numa_balancing in ("normal", "both"),
        knobs.numa_balancing != "normal", knobs.scan_delay_ms, knobs.scan_period_min_ms,
        knobs.scan_period_max_ms, knobs.scan_size_mb, knobs.scan_size_mb * PAGES_PER_MIB,
        (1 << knobs.access_time_bits) - 1, knobs.pte_update_ns, knobs.pte_skip_ns, knobs.fault_ns,
    )  # fmt: skip
