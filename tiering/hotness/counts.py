"""Counts that are halved where one grows too large (docs/model.md#hotness).

    count = floor((count + 1) / 2^(coolings since its last report)),   hot if count >= hot_reads
    a count above cooling_threshold: one more cooling for all

Nothing is swept at a cooling: a clock counts them, and a folio is cooled when it is reported next.
Mirrors HeMem (SOSP 2021), whose counts are of PEBS samples. Not modelled: writes, which are hot at
four there (a report does not say what it was), and its lists of hot and cold pages.
"""

from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import SLOW, Memory
from tiering.engine.jit import Direct, loop
from tiering.engine.reports import Reports, end_run
from tiering.hotness.at_once import Room, clear, state_of
from tiering.hotness.hotness import Hot
from tiering.model.knobs import Knob

_COUNT_BITS = 8
_MOST = (1 << _COUNT_BITS) - 1
_CLOCK_MASK = (1 << (32 - _COUNT_BITS)) - 1


class Counts(NamedTuple):
    """Knobs of counts that are halved."""

    hot_reads: Annotated[
        int,
        Knob("reports", 1, 255, "Count at which a folio is hot.", "HeMem: 8 reads", live=True),
    ] = 8
    cooling_threshold: Annotated[
        int,
        Knob("reports", 1, 254, "A count above it halves all counts.", "HeMem: 18", live=True),
    ] = 18


@loop
def note_counts(memory, counts, clock, knobs, reports, out, latency, heat):  # type: ignore[no-untyped-def]
    """Count the reported folios; returns (hot folios, runs of them).

    counts: u32[F] count at the last report in the lowest byte, and the coolings until then.
    clock: i64[1] coolings.
    """
    n, nr_runs, first = np.int64(0), np.int64(0), np.int64(0)
    for run in range(reports.ends.size):
        before = n
        for i in range(first, reports.ends[run]):
            index = np.int64(reports.folios[i])
            if memory.folio[index] & np.uint32(SLOW) == 0:
                continue
            count = np.int64(counts[index] & _MOST)
            coolings = (clock[0] - np.int64(counts[index] >> _COUNT_BITS)) & _CLOCK_MASK
            count = min(count + 1, _MOST) >> min(coolings, _COUNT_BITS)
            counts[index] = np.uint32(((clock[0] & _CLOCK_MASK) << _COUNT_BITS) | count)
            if count > knobs.cooling_threshold:
                clock[0] += 1
            if count >= knobs.hot_reads:
                out.folios[n] = index
                heat[n] = count
                if reports.latency_ms.size > 0:
                    latency[n] = reports.latency_ms[i]
                n += 1
        first = reports.ends[run]
        nr_runs = end_run(out, n, nr_runs, before, reports.stamps[run])
    return n, nr_runs


_note = Direct(note_counts)


class CoolingCounts:
    """The count of every folio and the clock of coolings; a Hotness."""

    counters: ClassVar[dict[str, int]] = {}

    def __init__(self, knobs: Counts, memory: Memory) -> None:
        self.knobs, self._memory = knobs, memory
        self.counts: NDArray[np.uint32] = state_of(memory, np.uint32)
        self.clock = np.zeros(1, np.int64)

    def record(self, reports: Reports, now: int, source: str) -> Hot:  # noqa: ARG002 - no time
        """See Hotness."""
        room = Room(reports)
        n, runs = _note(
            self._memory, self.counts, self.clock, self.knobs, reports, room.folios,
            room.latency_ms, room.heat,
        )  # fmt: skip
        return room.first(int(n), int(runs), reports.latency_ms.size > 0, True)

    def heat_of(self, folios: NDArray[np.int64], now_ms: int) -> NDArray[np.float64]:  # noqa: ARG002 - no time
        """See Counting; halved as often as it would be at a report now."""
        kept = self.counts[folios]
        coolings = (np.uint32(self.clock[0] & _CLOCK_MASK) - (kept >> _COUNT_BITS)) & _CLOCK_MASK
        halved: NDArray[np.uint32] = (kept & _MOST) >> np.minimum(coolings, _COUNT_BITS)
        return halved.astype(np.float64)

    def forget(self, mm: int) -> None:
        """See Hotness."""
        clear(self._memory, mm, self.counts)

    def retune(self, name: str, value: Any) -> None:
        """Apply a live knob."""
        self.knobs = self.knobs._replace(**{name: value})
