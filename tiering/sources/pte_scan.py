"""kmmscand, kscand: kernel threads read accessed bits of all mms (docs/model.md#pte-scan).

One thread serves every mm as posted, or several share the list. The loops are in pte_visit.py (the
thread) and pte_walk.py (the PTE callback); this is what holds their state. Not modelled: contention
on mmap_lock.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiering.engine.books import Books, books
from tiering.engine.flow import Pace
from tiering.engine.folios import GRANULE, Memory
from tiering.engine.jit import Direct
from tiering.engine.reports import Reports
from tiering.engine.touch import Rates, Scratch
from tiering.sources.pte_adapt import clamp
from tiering.sources.pte_knobs import PteScan
from tiering.sources.pte_state import MM, MmTable, ScannedMm, buffers, mm_table, post, rules
from tiering.sources.pte_visit import NEVER, NS_PER_MS, rest, scan
from tiering.sources.pte_walk import (
    COLDPAGE,
    IDLEPAGE,
    SLOWTIER,
    SPLITS,
    TOPTIER,
    UNMAPPED,
    VMA_SCANS,
)
from tiering.sources.source import Step

BUFFER_GRANULES = 32


COUNTERS = {
    "nr_kmmscand_vma_scans": VMA_SCANS,
    "nr_kmmscand_slowtier": SLOWTIER,
    "nr_kmmscand_toptier": TOPTIER,
    "nr_kmmscand_idlepage": IDLEPAGE,
    "nr_kscand_coldpage": COLDPAGE,
    "thp_split_pmd": SPLITS,
    "scan_unmapped": UNMAPPED,
}
"""Metric names of what the loops count."""

_scan = Direct(scan)
_rest = Direct(rest)


class PteScanner:
    """All scanning threads' work. `run` takes and returns the clock of the thread that pays."""

    stalls: ClassVar[bool] = False
    KIND: ClassVar[str] = "mm"

    def __init__(
        self,
        knobs: PteScan,
        memory: Memory,
        rates: Rates,
        scratch: Scratch,
        mms: list[ScannedMm],
        lists: Sequence[Sequence[int]] | None = None,
        thread: str = "kmmscand",
        migrated: Books | None = None,
        nr_top: int = 1,
    ) -> None:
        """lists: the mms of each thread in order; None: one thread for all. thread: its name.
        migrated: books of who migrates; None: nobody does. nr_top: nodes of the top tier."""
        self.knobs = knobs
        self._rules = rules(knobs)
        self._slow, self._thread = 1.0, thread
        self.names = [mm.name for mm in mms]
        self.memory, self._rates, self._scratch = memory, rates, scratch
        shared = migrated or books(memory.free.size, len(mms))
        self.mms: MmTable = mm_table(mms, knobs, shared, memory.nr.size)
        nr_seen = memory.free.size if knobs.target != "default" and nr_top > 1 else 0
        for mm in range(len(mms)):
            self._register(mm, 0)
        everyone = [range(len(mms))]
        self.posts = [
            post([mm for mm in one if mms[mm].vmas], knobs.mms_to_scan, nr_seen)
            for one in lists or everyone
        ]
        self._buffers = buffers(BUFFER_GRANULES * GRANULE)
        self.reports: Reports = self._buffers.reports.first(0, 0)
        self.passes: NDArray[np.int64] = self._buffers.passes[:0]
        self.pass_ns: list[NDArray[np.int64]] = []
        self.nr_passes: NDArray[np.int64] = np.zeros(len(mms), np.int64)
        self.events: list[dict[str, Any]] = []

    def columns(self) -> dict[str, NDArray[Any]]:
        """See Source."""
        mms = self.mms
        return {
            "scan_period_ms": mms.period_ms,
            "scan_interval_ms": mms.interval_ns / NS_PER_MS,
            "full_scan_ms": mms.full_scan_ns / NS_PER_MS,
            "scan_size_mib": mms.size_mib,
            "scan_useful": mms.found,
            "longest_visit_ms": mms.longest_ns / NS_PER_MS,
            "missed_deadlines": mms.missed,
            "nr_visits": mms.nr_visits,
            "nr_full_scans": self.nr_passes,
            "nr_scanned": mms.nr_scanned,
        }

    @property
    def counters(self) -> dict[str, int]:
        """Counters by metric name."""
        counts = self._buffers.counts
        return {name: int(counts[at]) for name, at in COUNTERS.items()}

    def run(self, thread: int, clock: int, until: int, pace: Pace, stops: bool) -> Step:
        """Work until the clock passes `until`, the report buffer is full, or a visit ended that
        found something; if it is not to stop there, until the end of that tick.

        Reports are in self.reports, full scans that ended in self.passes (rows of
        PASS_WIDTH; all of them, mm and ns, are kept in self.pass_ns). A sleeping thread's clock is
        where it sleeps to.
        """
        clock, busy, nr, nr_runs, nr_log, nr_pass, ended = _scan(
            self.memory, self._rates, self._scratch, self.mms, self.posts[thread], self._buffers,
            self._rules, clock, until, pace, stops,
        )  # fmt: skip
        self.reports = self._buffers.reports.first(nr, nr_runs)
        if nr_log:
            self.events += map(self._event, self._buffers.log[:nr_log].tolist())
        self.passes = self._buffers.passes[:nr_pass]
        if nr_pass:
            self.pass_ns.append(self.passes[:, :2].copy())
            np.add.at(self.nr_passes, self.passes[:, 0], 1)
        return Step(clock, busy, nr, ended)

    def rest(self, thread: int, clock: int, until: int) -> tuple[int, int]:
        """Let a thread sleep on until `until` or the next visit: (clock, CPU time used, ns)."""
        clock, busy = _rest(self.mms, self.posts[thread], self._rules, clock, until)
        return int(clock), int(busy)

    def retune(self, name: str, value: Any, now: int) -> None:
        """Apply a live knob at `now` ns; period and size are written to every mm."""
        self.knobs = knobs = self.knobs._replace(**{name: value})
        self.dilate(self._slow)
        mms = self.mms
        if name == "scan_period_ms" and knobs.period_write == "every_mm":
            mms.period_ms[:] = clamp(value, knobs.scan_period_min_ms, knobs.scan_period_max_ms)
            mms.base_ms[:] = mms.period_ms
            seen = (mms.next_scan < NEVER) & (mms.last_start >= 0)  # the others stay due
            due = np.maximum(mms.last_end + mms.period_ms * NS_PER_MS, now)
            mms.next_scan[seen] = due[seen]
        elif name == "scan_size_mib":
            mms.size_mib[:] = clamp(value, knobs.scan_size_min_mib, knobs.scan_size_max_mib)

    def dilate(self, slow: float) -> None:
        """A ns of CPU takes `slow` ns of the clock."""
        self._slow, knobs = slow, self.knobs
        self._rules = rules(knobs, slow)

    def enter(self, mm: int, now: int) -> None:
        """An mm that has just begun."""
        self._register(mm, now)

    def _register(self, mm: int, now: int) -> None:
        """Due after the delay, with the period and size of new mms."""
        knobs, mms = self.knobs, self.mms
        mms.period_ms[mm] = clamp(
            knobs.scan_period_ms, knobs.scan_period_min_ms, knobs.scan_period_max_ms
        )
        mms.size_mib[mm] = clamp(
            knobs.scan_size_mib, knobs.scan_size_min_mib, knobs.scan_size_max_mib
        )
        mms.base_ms[mm] = mms.period_ms[mm]
        mms.target[mm] = mms.fallback[mm]
        off = knobs.prctl != "none" and mms.scale[mm] == 0
        mms.next_scan[mm] = NEVER if off else now + knobs.scan_delay_ms * NS_PER_MS
        mms.last_start[mm] = mms.pass_start[mm] = -1
        mms.last_end[mm] = now
        mms.useful[mm] = mms.cursor[mm] = mms.inside[mm] = 0

    def leave(self, mm: int) -> None:
        """An mm that has exited, or has not begun: it is never due, a visit to it is over."""
        mms = self.mms
        mms.next_scan[mm] = NEVER
        first, end = mms.vma_at[mm], mms.vma_at[mm + 1]
        for vma in range(first, end):  # a new mapping of its folios is whole
            mms.split[mms.vma_first[vma] : mms.vma_end[vma]] = 0
        for one in self.posts:
            if one.at[MM] == mm:
                one.at[MM] = -1
                one.seen[:] = 0

    def _event(self, row: list[int]) -> dict[str, Any]:
        clock, mm, useful, old_period, period, old_size, size = row
        text = (
            f"{self._thread}: {self.KIND} {self.names[mm]} useful {useful} "
            f"period {old_period} -> {period} ms size {old_size} -> {size} MiB"
        )
        return {"t_ns": clock, "kind": "log", "text": text}
