"""Heat that builds up with reports and fades with time (docs/model.md#hotness).

    heat = min(heat retention^(seconds since the last report) + 1, heat_max)
    class = min(floor(heat / heat_max x heat_classes), heat_classes - 1)
    hot if class >= hot_class

Mirrors counters_heatmap.go and policy_heat.go of memtierd (HeatMax, HeatRetention, HeatClasses,
HeatNumas). Not modelled: its regions of many pages, over whose number it divides; its interval,
since a folio is asked for its class when it is reported; nodes for more classes than one border.
"""

from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import SLOW, Memory
from tiering.engine.jit import Direct, loop
from tiering.engine.log_exp import exp_minus, log_of
from tiering.engine.reports import Reports, end_run
from tiering.hotness.at_once import NS_PER_MS, Room, clear, state_of
from tiering.hotness.exact import NEVER_MS
from tiering.hotness.hotness import Hot
from tiering.model.knobs import Knob

_MS_PER_S = 1000.0


class Heat(NamedTuple):
    """Knobs of heat with decay."""

    heat_max: Annotated[
        float,
        Knob("reports", 1, 1_000_000, "Most heat of a folio; a report adds 1.",
             "memtierd: HeatMax, of a page of a region", live=True),
    ] = 4.0  # fmt: skip
    heat_retention: Annotated[
        float,
        Knob("", 0.01, 1, "Part of its heat that a folio keeps over a second without a report.",
             "memtierd: HeatRetention", live=True),
    ] = 0.8  # fmt: skip
    heat_classes: Annotated[
        int,
        Knob("classes", 1, 64, "Classes of equal width between no heat and the most.",
             "memtierd: HeatClasses", live=True),
    ] = 4  # fmt: skip
    hot_class: Annotated[
        int,
        Knob("", 0, 63, "Lowest class that is hot; 0 = every report is.",
             "memtierd: HeatNumas, which names a node for each class", live=True),
    ] = 2  # fmt: skip


class Rules(NamedTuple):
    """The knobs as the loop takes them; fading: ln of what is kept, by ms, without its sign."""

    most: float
    fading: float
    classes: int
    hot_class: int


@loop
def heat_class(heat, rules):  # type: ignore[no-untyped-def]
    """Class of a heat."""
    return min(np.int64(heat / rules.most * rules.classes), rules.classes - 1)


@loop
def note_heat(memory, heats, times, rules, reports, out, latency, heat):  # type: ignore[no-untyped-def]
    """Warm the reported folios; returns (hot folios, runs of them).

    heats: f32[F] at the last report. times: u32[F] ms of it plus 1, 0 if there was none.
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
            since = max(now_ms + 1 - last, 0) if last > 0 else np.int64(NEVER_MS)
            kept = np.float64(heats[index]) * exp_minus(since * rules.fading) if last > 0 else 0.0
            warm = min(kept + 1.0, rules.most)
            heats[index] = np.float32(warm)
            times[index] = np.uint32(now_ms + 1)
            if heat_class(warm, rules) >= rules.hot_class:
                out.folios[n] = index
                heat[n] = np.int64(warm)
                latency[n] = reports.latency_ms[i] if reports.latency_ms.size > 0 else since
                n += 1
        first = reports.ends[run]
        nr_runs = end_run(out, n, nr_runs, before, reports.stamps[run])
    return n, nr_runs


@loop
def fade(heats, times, rules, folios, now_ms, out):  # type: ignore[no-untyped-def]
    """out: f64[n] heat of folios (i64[n]) at `now_ms`."""
    for i in range(folios.size):
        last = np.int64(times[folios[i]])
        since = max(now_ms + 1 - last, 0)
        out[i] = heats[folios[i]] * exp_minus(since * rules.fading) if last > 0 else 0.0


_note = Direct(note_heat)
_fade = Direct(fade)


class Heats:
    """Heat of every folio at its last report, and when that was; a Hotness."""

    counters: ClassVar[dict[str, int]] = {}

    def __init__(self, knobs: Heat, memory: Memory) -> None:
        self.knobs, self._memory = knobs, memory
        self.heats: NDArray[np.float32] = state_of(memory, np.float32)
        self.times: NDArray[np.uint32] = state_of(memory, np.uint32)
        self._rules = self._as_rules()

    def record(self, reports: Reports, now: int, source: str) -> Hot:  # noqa: ARG002 - by stamps
        """See Hotness; heat is given in whole reports."""
        room = Room(reports)
        n, runs = _note(
            self._memory, self.heats, self.times, self._rules, reports, room.folios,
            room.latency_ms, room.heat,
        )  # fmt: skip
        return room.first(int(n), int(runs), True, True)

    def heat_of(self, folios: NDArray[np.int64], now_ms: int) -> NDArray[np.float64]:
        """See Counting."""
        out = np.zeros(folios.size)
        _fade(self.heats, self.times, self._rules, folios, now_ms, out)
        return out

    def forget(self, mm: int) -> None:
        """See Hotness."""
        clear(self._memory, mm, self.heats)
        clear(self._memory, mm, self.times)

    def retune(self, name: str, value: Any) -> None:
        """Apply a live knob."""
        self.knobs = self.knobs._replace(**{name: value})
        self._rules = self._as_rules()

    def _as_rules(self) -> Rules:
        knobs = self.knobs
        fading = abs(float(log_of(knobs.heat_retention))) / _MS_PER_S
        return Rules(float(knobs.heat_max), fading, knobs.heat_classes, knobs.hot_class)
