"""kmmscand: one kernel thread reads the accessed bits of all processes (docs/model.md#pte-scan).

The thread walks a list of mms in cycles. A visit to a due mm walks whole VMAs until a budget of
address span is used, then adapts period and size to X and Y, the useful folios of the last visit
and of this one (counts under the ignore threshold read as 0):

    X = 0, Y = 0   period x 1.15   size / 2          X > 0, Y = 0   period x 8
    X = 0, Y > 0   period / 8      size = max        X > 0, Y > 0   period x 0.85   size x 2

Mirrors the scan loop of kmmscand (RFC V0, December 2024) as posted: the budget is tested only
between VMAs, so one large VMA is always walked to its end. Not modelled: holes in a VMA (every PTE
is populated), contention on mmap_lock, fork and exit.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import GRANULE, Memory
from tiering.engine.touch import Rates, Scratch
from tiering.sources.pte_knobs import PteScan, adapt, clamp_period, clamp_size
from tiering.sources.pte_list import next_due
from tiering.sources.pte_walk import walk

NS_PER_MS = 1_000_000


class ScannedMm(NamedTuple):
    """What the scanner knows of an mm: vmas holds (first granule, end granule, size in MiB)."""

    name: str
    vmas: tuple[tuple[int, int, float], ...]


class Walked(NamedTuple):
    """One step of the source: the thread's clock, CPU time used, reports made, visit ended."""

    clock: int
    busy_ns: int
    nr_reports: int
    mm: int
    visit_ended: bool


class PteScanner:
    """The scanning thread's work. `run` takes and returns the clock of the thread that pays."""

    def __init__(
        self, knobs: PteScan, memory: Memory, rates: Rates, scratch: Scratch, mms: list[ScannedMm]
    ) -> None:
        self.knobs, self.mms = knobs, mms
        self.memory, self.rates, self.scratch = memory, rates, scratch
        nr = len(mms)
        self.reports: NDArray[np.uint32] = np.zeros(32 * GRANULE, np.uint32)
        self.period_ms = np.full(nr, clamp_period(knobs, knobs.scan_period_ms), np.int64)
        self.size_mib = np.full(nr, clamp_size(knobs, knobs.scan_size_mib), np.int64)
        self.next_scan = np.zeros(nr, np.int64)  # ns
        self.last_start = np.full(nr, -1, np.int64)  # ns
        self.last_end = np.zeros(nr, np.int64)  # ns
        self.interval_ns = np.zeros(nr, np.int64)
        self.useful = np.zeros(nr, np.int64)  # X: as stored, after the threshold
        self.found = np.zeros(nr, np.int64)  # useful folios of the last visit, uncut
        self.nr_visits = np.zeros(nr, np.int64)
        self.nr_scanned = np.zeros(nr, np.int64)
        self.events: list[dict[str, Any]] = []
        self._cursor = [0] * nr  # VMA where the next visit begins
        self._slot = 0
        self._cycle_left = knobs.mms_to_scan
        self._visit: _Visit | None = None

    def retune(self, name: str, value: Any, now: int) -> None:
        """Apply a live knob at `now` ns; period and size are written to every mm."""
        self.knobs = self.knobs._replace(**{name: value})
        if name == "scan_period_ms":
            self.period_ms[:] = clamp_period(self.knobs, value)
            self.next_scan[:] = np.maximum(self.last_end + self.period_ms * NS_PER_MS, now)
        elif name == "scan_size_mib":
            self.size_mib[:] = clamp_size(self.knobs, value)

    def run(
        self, clock: int, until: int, pace_of: Callable[[int], tuple[int, float, float, float]]
    ) -> Walked:
        """Work until the clock passes `until`, a visit ends or the report buffer is full.

        pace_of(mm): (t0 ns, work time at t0, accesses per ns, last work time). Reports are in
        self.reports[:nr_reports]. A sleeping thread's clock is where it sleeps to.
        """
        begin = busy = 0
        while clock < until:
            visit = self._visit
            if visit is None:
                clock, used = self._next_visit(clock, until)
                busy += used
                continue
            begin = clock
            knobs = self.knobs
            first, end, size_mib = self.mms[visit.mm].vmas[visit.vma]
            granule, clock, found, scanned = walk(
                self.memory, self.rates, self.scratch, first + visit.granule, end, clock, until,
                pace_of(visit.mm), (knobs.pte_slow_ns, knobs.pte_top_ns), self.reports,
            )  # fmt: skip
            busy += clock - begin
            visit.granule = granule - first
            visit.useful += found
            visit.scanned += scanned
            ended = granule == end and self._vma_done(visit, size_mib)
            if ended:
                self._end_visit(visit, clock)
            if ended or found:
                return Walked(clock, busy, found, visit.mm, ended)
        return Walked(clock, busy, 0, -1, False)

    def _vma_done(self, visit: "_Visit", size_mib: float) -> bool:
        """Account a walked VMA; True if the visit stops here."""
        visit.span_mib += size_mib
        visit.vma += 1
        visit.granule = 0
        if visit.vma == len(self.mms[visit.mm].vmas):
            self._cursor[visit.mm] = 0
            return True
        if visit.span_mib < visit.budget_mib:
            return False
        largest = self.knobs.scan_size_max_mib
        if visit.useful > self.knobs.ignore_threshold and visit.budget_mib < largest:
            visit.budget_mib = largest
            if visit.span_mib < largest:
                return False
        self._cursor[visit.mm] = visit.vma
        return True

    def _end_visit(self, visit: "_Visit", clock: int) -> None:
        mm, knobs = visit.mm, self.knobs
        useful = visit.useful if visit.useful >= knobs.ignore_threshold else 0
        old = int(self.period_ms[mm]), int(self.size_mib[mm])
        new = adapt(knobs, *old, int(self.useful[mm]), useful)
        self.period_ms[mm], self.size_mib[mm] = new
        self.useful[mm] = useful
        self.found[mm] = visit.useful
        self.nr_visits[mm] += 1
        self.nr_scanned[mm] += visit.scanned
        self.last_end[mm] = clock
        self.next_scan[mm] = clock + new[0] * NS_PER_MS
        self._visit = None
        if new != old:
            text = (
                f"kmmscand: mm {self.mms[mm].name} useful {visit.useful} "
                f"period {old[0]} -> {new[0]} ms size {old[1]} -> {new[1]} MiB"
            )
            self.events.append({"t_ns": clock, "kind": "log", "text": text})

    def _next_visit(self, clock: int, until: int) -> tuple[int, int]:
        """Go on along the list; returns (clock, CPU ns used). Begins a visit if one is due."""
        knobs, nr = self.knobs, len(self.mms)
        if not knobs.scan_enabled or nr == 0:
            return until, 0
        if self._cycle_left == 0:
            self._cycle_left = knobs.mms_to_scan
            return self._sleep(clock, until)
        earliest = int(self.next_scan.min())
        if earliest > clock + self._cycle_left * knobs.skip_ns:
            used = self._cycle_left
            self._slot = (self._slot + used) % nr
            self._cycle_left = 0
            return clock + used * knobs.skip_ns, used * knobs.skip_ns
        used, found = next_due(self.next_scan, self._slot, self._cycle_left, clock, knobs.skip_ns)
        self._slot = (self._slot + used) % nr
        self._cycle_left -= used
        spent = used * knobs.skip_ns
        if found:
            self._begin_visit(self._slot, clock + spent)
            self._slot = (self._slot + 1) % nr
            self._cycle_left -= 1
            spent += knobs.visit_ns
        return clock + spent, spent

    def _sleep(self, clock: int, until: int) -> tuple[int, int]:
        """Sleep, then pass over whole cycles in which no mm comes due, but not beyond `until`."""
        knobs, nr = self.knobs, len(self.mms)
        clock += knobs.scan_sleep_ms * NS_PER_MS
        walk_ns = knobs.mms_to_scan * knobs.skip_ns
        cycle_ns = walk_ns + knobs.scan_sleep_ms * NS_PER_MS
        quiet_until = min(int(self.next_scan.min()) - walk_ns, until)
        cycles = max(0, -(-(quiet_until - clock) // cycle_ns))
        self._slot = (self._slot + cycles * knobs.mms_to_scan) % nr
        return clock + cycles * cycle_ns, cycles * walk_ns

    def _begin_visit(self, mm: int, clock: int) -> None:
        if self.last_start[mm] >= 0:
            self.interval_ns[mm] = clock - self.last_start[mm]
        self.last_start[mm] = clock
        self._visit = _Visit(mm, self._cursor[mm], int(self.size_mib[mm]))


class _Visit:
    """A visit in progress; it may span many ticks."""

    def __init__(self, mm: int, vma: int, budget_mib: int) -> None:
        self.mm, self.vma, self.budget_mib = mm, vma, budget_mib
        self.granule = 0  # inside the VMA
        self.span_mib = 0.0
        self.useful = 0
        self.scanned = 0
