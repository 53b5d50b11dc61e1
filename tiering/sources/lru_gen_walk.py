"""lru_gen_walk: MGLRU's aging walk finds what is accessed (docs/model.md#lru-gen-walk).

klruscand, a thread of the pghot series, calls it for the lruvecs of lower tiers every half second.
The loops are in lru_gen_age.py. Not modelled: the Bloom filter of page tables, which is there only
on a node that ages by itself; that mms which did not run are skipped; memory cgroups, of which each
has an lruvec of its own; contention on mmap_lock and on page tables.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiering.engine.flow import Pace
from tiering.engine.folios import GRANULE, Memory
from tiering.engine.jit import Direct
from tiering.engine.reports import Reports, reports
from tiering.engine.touch import Rates, Scratch
from tiering.sources.lru_gen_age import (
    BEGUN,
    CURSOR,
    DUE,
    NR_AT,
    TABLE,
    WALKS,
    Rules,
    Walk,
    scan_lruvecs,
)
from tiering.sources.lru_gen_knobs import LruGenWalk
from tiering.sources.pte_state import ScannedMm
from tiering.sources.source import Step

NS_PER_MS = 1_000_000
LEAST_GRANULES = 4

_scan_lruvecs = Direct(scan_lruvecs)


class LruGenWalker:
    """klruscand; a Source."""

    stalls: ClassVar[bool] = False
    counters: ClassVar[dict[str, int]] = {}

    def __init__(
        self,
        knobs: LruGenWalk,
        memory: Memory,
        rates: Rates,
        scratch: Scratch,
        mms: list[ScannedMm],
        slow: NDArray[np.bool_],
    ) -> None:
        """slow: bool[N], nodes of lower tiers."""
        self.knobs = knobs
        self._memory, self._rates, self._scratch = memory, rates, scratch
        self._dilation = 1.0
        self._rules = self._as_rules()
        at = np.zeros(NR_AT, np.int64)
        at[CURSOR] = -1
        self.walk = Walk(at, np.flatnonzero(slow).astype(np.int64), _present(mms, memory.nr.size))
        room = knobs.batch_nr // GRANULE + LEAST_GRANULES
        self._found = reports(min(room, memory.nr.size + 1) * GRANULE, 4096)
        self._passes = np.zeros((len(mms), 3), np.int64)
        self._passes[:, 0] = np.arange(len(mms))
        self._walk_ns = 0  # of the last walk
        self.reports: Reports = self._found.first(0, 0)
        self.passes: NDArray[np.int64] = self._passes[:0]
        self.events: list[dict[str, Any]] = []

    def columns(self) -> dict[str, NDArray[Any]]:
        """See Source."""
        ones = np.ones(self._passes.shape[0])
        return {
            "full_scan_ms": self._walk_ns / NS_PER_MS * ones,
            "nr_visits": self.walk.at[WALKS] * ones,
            "nr_full_scans": self.walk.at[WALKS] * ones,
        }

    def run(
        self,
        thread: int,  # noqa: ARG002 - there is one
        clock: int,
        until: int,
        pace: Pace,
        stops: bool,
    ) -> Step:
        """See Source; a walk for all lruvecs is a full look at every mm."""
        if not self.walk.nodes.size:
            return Step(until, 0, 0, False)
        clock, busy, nr, nr_runs, nr_ended, stopped = _scan_lruvecs(
            self._memory, self._rates, self._scratch, self.walk, self._rules, clock, until, pace,
            self._found, stops,
        )  # fmt: skip
        self.reports = self._found.first(nr, nr_runs)
        self.passes = self._passes if nr_ended else self._passes[:0]
        if nr_ended:
            self._walk_ns = int(clock - self.walk.at[BEGUN])
            self.passes[:, 1], self.passes[:, 2] = self._walk_ns, nr
        return Step(int(clock), int(busy), int(nr), bool(stopped))

    def rest(self, thread: int, clock: int, until: int) -> tuple[int, int]:  # noqa: ARG002 - one
        """See Source."""
        at = self.walk.at
        if not self.walk.nodes.size:
            return max(until, clock), 0
        if at[CURSOR] < 0 and clock < at[DUE]:
            return int(min(at[DUE], max(until, clock))), 0
        return clock, 0

    def dilate(self, slow: float) -> None:
        """See Source."""
        self._dilation = slow
        self._rules = self._as_rules()

    def enter(self, mm: int, now: int) -> None:
        """Its page tables are walked like all others."""

    def leave(self, mm: int) -> None:
        """Its page tables are gone: what is not populated is not walked."""

    def retune(self, name: str, value: Any, now: int) -> None:
        """See Source; a sleep that is on ends a new interval after its walk began."""
        self.knobs = self.knobs._replace(**{name: value})
        self._rules = self._as_rules()
        at = self.walk.at
        if name == "interval_ms" and at[CURSOR] < 0:
            at[DUE] = max(at[BEGUN] + value * NS_PER_MS, now)

    def _as_rules(self) -> Rules:
        knobs, slow = self.knobs, self._dilation
        return Rules(
            knobs.interval_ms * NS_PER_MS, knobs.batch_nr, knobs.pte_ns * slow,
            knobs.pte_skip_ns * slow, knobs.pte_none_ns * slow,
        )  # fmt: skip


def _present(mms: list[ScannedMm], nr_granules: int) -> NDArray[np.uint16]:
    """u16[G] PTEs populated of each page table of a granule."""
    present = np.full(nr_granules, TABLE, np.uint16)
    for mm in mms:
        for (first, end, _), (ptes, _) in zip(mm.vmas, mm.grounds, strict=False):
            present[first:end] = ptes
    return present
