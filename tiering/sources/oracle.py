"""oracle: a source that knows all touch rates (docs/model.md#oracle-as-a-source).

It takes no CPU time, looks at no bit and disturbs nobody: with it, what is lost on the way to the
top tier is lost by hotness, promotion, migration and demotion. Not a mechanism of any kernel.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiering.engine.flow import Pace
from tiering.engine.folios import CLASS_MASK, GRANULE, SLOW, Memory
from tiering.engine.jit import Direct, loop
from tiering.engine.oracle import quota
from tiering.engine.reports import Reports, end_run, reports
from tiering.engine.touch import Rates, row_rates
from tiering.sources.oracle_knobs import Oracle
from tiering.sources.source import Step

NS_PER_MS = 1_000_000
LEAST_RATE = 1e-15  # touches per ns; the time between two still fits the latency of a report

_row_rates = Direct(row_rates)


@loop
def list_missing(memory, left, latency_ms, out, clock):  # type: ignore[no-untyped-def]
    """Report folios of lower tiers, left (i64[R]) of each row; returns (folios, runs).

    latency_ms: i32[R] mean time between the touches of a folio.
    """
    n, nr_runs = np.int64(0), np.int64(0)
    for granule in range(memory.nr.size):
        row0, before = memory.row0[granule], n
        wanted = np.int64(0)
        for r in range(row0, row0 + memory.rows[granule]):
            wanted += left[r]
        if wanted == 0:
            continue
        start = granule * GRANULE
        for index in range(start, start + memory.nr[granule]):
            value = memory.folio[index]
            row = row0 + np.int64(value & np.uint32(CLASS_MASK))
            if left[row] > 0 and value & np.uint32(SLOW) != 0:
                left[row] -= 1
                out.folios[n] = index
                out.latency_ms[n] = latency_ms[row]
                n += 1
        nr_runs = end_run(out, n, nr_runs, before, clock)
    return n, nr_runs


_list_missing = Direct(list_missing)


class AllKnowing:
    """Reports what belongs on the top tier and is not there; a Source."""

    counters: ClassVar[dict[str, int]] = {}
    stalls: ClassVar[bool] = False

    def __init__(
        self,
        knobs: Oracle,
        memory: Memory,
        rates: Rates,
        room: int,
        top_tier: NDArray[np.bool_],
    ) -> None:
        """room: pages that the top tier holds while reclaim leaves it alone. top_tier: bool[N]."""
        self.knobs = knobs
        self._memory, self._rates = memory, rates
        self._room, self._top_tier = room, top_tier
        self._due = knobs.interval_ms * NS_PER_MS
        self._of_row = np.zeros(memory.pages.size)
        most = min(knobs.batch_nr, memory.folio.size)
        self._found = reports(most, min(most, memory.nr.size) + 1, latencies=True)
        self.reports: Reports = self._found.first(0, 0)
        self.passes: NDArray[np.int64] = np.zeros((0, 3), np.int64)
        self.events: list[dict[str, Any]] = []

    def columns(self) -> dict[str, NDArray[Any]]:
        """See Source: it knows no mms."""
        return {}

    def run(self, thread: int, clock: int, until: int, pace: Pace, stops: bool) -> Step:  # noqa: ARG002 - one thread, one report a step
        """See Source; a step ends with a report that names a folio."""
        self.reports = self._found.first(0, 0)
        while clock < until:
            clock = max(min(self._due, until), clock)
            if clock < self._due:
                break
            self._due = clock + self.knobs.interval_ms * NS_PER_MS
            nr, runs = self._tell(clock, pace)
            if nr:
                self.reports = self._found.first(nr, runs)
                return Step(clock, 0, nr, True)
        return Step(clock, 0, 0, False)

    def rest(self, thread: int, clock: int, until: int) -> tuple[int, int]:  # noqa: ARG002 - one
        """See Source."""
        return max(min(self._due, until), clock), 0

    def dilate(self, slow: float) -> None:
        """See Source: it takes no CPU time."""

    def enter(self, mm: int, now: int) -> None:
        """Its touches are known from the first one."""

    def leave(self, mm: int) -> None:
        """What nobody touches is not wanted."""

    def retune(self, name: str, value: Any, now: int) -> None:
        """See Source."""
        self.knobs = self.knobs._replace(**{name: value})
        if name == "interval_ms":
            self._due = min(self._due, now + value * NS_PER_MS)

    def missing(self, clock: int, pace: Pace) -> NDArray[np.int64]:
        """i64[R] folios of each row that belong on the top tier at `clock` and are not there."""
        memory, of_row = self._memory, self._of_row
        tau = np.minimum(pace.tau + max(clock - int(pace.at[0]), 0) * pace.speed, pace.work)
        _row_rates(self._rates, tau, pace.speed, of_row)
        there = memory.resident.sum(axis=1)
        wanted = quota(there, of_row, memory.pages, self._room)
        wanted[of_row < LEAST_RATE] = 0
        left: NDArray[np.int64] = wanted - memory.resident[:, self._top_tier].sum(axis=1)
        return np.maximum(left, 0)

    def _tell(self, clock: int, pace: Pace) -> tuple[int, int]:
        left = self.missing(clock, pace)
        nr, room = int(left.sum()), self._found.folios.size
        if nr == 0:
            return 0, 0
        if nr > room:
            hottest = np.argsort(-(self._of_row / self._memory.pages), kind="stable")
            before = np.cumsum(left[hottest]) - left[hottest]
            left[hottest] = np.clip(room - before, 0, left[hottest])
        between_ms = 1 / (np.maximum(self._of_row, LEAST_RATE) * NS_PER_MS)
        latency_ms = np.minimum(between_ms, np.iinfo(np.int32).max).astype(np.int32)
        nr, runs = _list_missing(self._memory, left, latency_ms, self._found, clock)
        return int(nr), int(runs)
