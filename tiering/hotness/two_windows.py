"""Reported in windows one after another (docs/model.md#hotness).

    hot if reported in each of `nr_windows` windows in a row, this one included

kscand V3 asks that of a folio in its scan, where a window is the time between two walks; here a
window is a stretch of the clock, [k w, (k + 1) w), whoever reports. memtierd's age policy asks it
of three (ActiveDurationMs / IntervalMs + 1). Not modelled: windows that begin anew for every folio.
"""

from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import SLOW, Memory
from tiering.engine.jit import Direct, loop
from tiering.engine.reports import Reports, end_run
from tiering.hotness.at_once import NS_PER_MS, Room, clear, state_of
from tiering.hotness.hotness import Hot
from tiering.model.knobs import Knob

_STREAK_BITS = 8
_MOST = (1 << _STREAK_BITS) - 1


class TwoWindows(NamedTuple):
    """Knobs of reports in windows one after another."""

    window_ms: Annotated[
        int,
        Knob("ms", 100, 600_000, "Length of a window; a source has to come round once in each.",
             "kscand V3: a scan period, at most 5000 and the scan; memtierd: IntervalMs",
             live=True),
    ] = 6000  # fmt: skip
    nr_windows: Annotated[
        int,
        Knob("windows", 2, 64, "Windows in a row in which a hot folio was reported.",
             "kscand V3: 2; memtierd: ActiveDurationMs / IntervalMs + 1", live=True),
    ] = 2  # fmt: skip


@loop
def note_windows(memory, streaks, window_ns, wanted, reports, out, latency, heat):  # type: ignore[no-untyped-def]
    """Update the records of reported folios; returns (hot folios, runs of them).

    streaks: u32[F] number of the last window with a report, plus 1, and in the lowest byte how many
    in a row had one up to it.
    """
    n, nr_runs, first = np.int64(0), np.int64(0), np.int64(0)
    for run in range(reports.ends.size):
        before = n
        window = reports.stamps[run] // window_ns + 1
        for i in range(first, reports.ends[run]):
            index = np.int64(reports.folios[i])
            if memory.folio[index] & np.uint32(SLOW) == 0:
                continue
            last, streak = np.int64(streaks[index] >> _STREAK_BITS), streaks[index] & _MOST
            if window == last + 1:
                streak = min(streak + 1, _MOST)
            elif window != last:
                streak = 1
            streaks[index] = np.uint32((window << _STREAK_BITS) | streak)
            if streak >= wanted:
                out.folios[n] = index
                heat[n] = streak
                if reports.latency_ms.size > 0:
                    latency[n] = reports.latency_ms[i]
                n += 1
        first = reports.ends[run]
        nr_runs = end_run(out, n, nr_runs, before, reports.stamps[run])
    return n, nr_runs


_note = Direct(note_windows)


class Windows:
    """Last window and number of windows in a row of every folio; a Hotness."""

    counters: ClassVar[dict[str, int]] = {}

    def __init__(self, knobs: TwoWindows, memory: Memory) -> None:
        self.knobs, self._memory = knobs, memory
        self.streaks: NDArray[np.uint32] = state_of(memory, np.uint32)

    def record(self, reports: Reports, now: int, source: str) -> Hot:  # noqa: ARG002 - by stamps
        """See Hotness."""
        room = Room(reports)
        n, runs = _note(
            self._memory, self.streaks, self.knobs.window_ms * NS_PER_MS, self.knobs.nr_windows,
            reports, room.folios, room.latency_ms, room.heat,
        )  # fmt: skip
        return room.first(int(n), int(runs), reports.latency_ms.size > 0, True)

    def forget(self, mm: int) -> None:
        """See Hotness."""
        clear(self._memory, mm, self.streaks)

    def retune(self, name: str, value: Any) -> None:
        """Apply a live knob; a window of another length begins every streak anew."""
        self.knobs = self.knobs._replace(**{name: value})
        if name == "window_ms":
            self.streaks[:] = 0
