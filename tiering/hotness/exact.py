"""The exact time of the report before (docs/model.md#hotness).

Every report is hot, and its latency is the time since the last one of the folio; hint faults bring
theirs, from mark to touch, and that is taken. What the kernel keeps in a few bits (access time of
NUMA balancing, pghot's records) without their wrap-around: the reference for them. A report that is
the first of its folio has a latency longer than any threshold.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import SLOW, Memory
from tiering.engine.jit import Direct, loop
from tiering.engine.reports import Reports, end_run
from tiering.hotness.at_once import NS_PER_MS, Room, clear, state_of
from tiering.hotness.hotness import Hot

NEVER_MS = 1 << 40
"""Latency of a folio that was not reported before."""


@loop
def note_times(memory, times, reports, out, latency):  # type: ignore[no-untyped-def]
    """Note the times of reported folios; returns (hot folios, runs of them).

    times: u32[F] ms of the last report plus 1, 0 if there was none.
    """
    n, nr_runs, first = np.int64(0), np.int64(0), np.int64(0)
    for run in range(reports.ends.size):
        before = n
        now_ms = reports.stamps[run] // NS_PER_MS
        for i in range(first, reports.ends[run]):
            index = np.int64(reports.folios[i])
            if memory.folio[index] & np.uint32(SLOW) == 0:
                continue
            last = np.int64(times[index])
            times[index] = np.uint32(now_ms + 1)
            out.folios[n] = index
            if reports.latency_ms.size > 0:
                latency[n] = reports.latency_ms[i]
            else:
                latency[n] = max(now_ms + 1 - last, 0) if last > 0 else np.int64(NEVER_MS)
            n += 1
        first = reports.ends[run]
        nr_runs = end_run(out, n, nr_runs, before, reports.stamps[run])
    return n, nr_runs


_note = Direct(note_times)


class ExactTimes:
    """The time of the last report of every folio, to the ms; a Hotness."""

    counters: ClassVar[dict[str, int]] = {}

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.times: NDArray[np.uint32] = state_of(memory, np.uint32)

    def record(self, reports: Reports, now: int, source: str) -> Hot:  # noqa: ARG002 - by stamps
        """See Hotness."""
        room = Room(reports)
        n, runs = _note(self._memory, self.times, reports, room.folios, room.latency_ms)
        return room.first(int(n), int(runs), True, False)

    def forget(self, mm: int) -> None:
        """See Hotness."""
        clear(self._memory, mm, self.times)

    def retune(self, name: str, value: Any) -> None:
        """There are no knobs."""
