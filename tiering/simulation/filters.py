"""What lies between reports and candidates in a run: who remembers and who may rise."""

from typing import Any

from tiering.hotness.hotness import Hotness
from tiering.hotness.last_report import LastReport
from tiering.hotness.pghot import PghotRecords
from tiering.hotness.table import HOTNESS
from tiering.promotion.every_report import EveryReport
from tiering.promotion.hot_threshold import AT_ONCE, LIMITED, TOO_OLD, ThresholdGate
from tiering.promotion.table import PROMOTION, Promotion
from tiering.simulation.build import World
from tiering.simulation.presets import PRESETS
from tiering.simulation.scenario import Scenario


class Filters:
    """Hotness and promotion of a run; all its threads share them.

    records, gate: the same where they are those of pghot and of the threshold, else None.
    """

    def __init__(self, hotness: Hotness, promotion: Promotion) -> None:
        self.hotness, self.promotion = hotness, promotion
        self.records = hotness if isinstance(hotness, PghotRecords) else None
        self.gate = promotion if isinstance(promotion, ThresholdGate) else None

    @property
    def counters(self) -> dict[str, int]:
        """Counters by metric name."""
        state = self.gate.state if self.gate else None
        return {
            "pghot_recorded_accesses": sum(self.records.recorded.values()) if self.records else 0,
            "pgpromote_candidate_nrl": 0 if state is None else int(state[AT_ONCE]),
            "promote_too_old": 0 if state is None else int(state[TOO_OLD]),
            "promote_limited": 0 if state is None else int(state[LIMITED]),
        }

    @property
    def threshold_ms(self) -> int:
        """Threshold in force, 0 where there is none."""
        return self.gate.threshold_ms if self.gate else 0

    def retune(self, section: str, name: str, value: Any) -> None:
        """Apply a live knob of either."""
        if section in PROMOTION and self.gate:
            self.gate.retune(name, value)
        elif section in HOTNESS and self.records:
            self.records.retune(name, value)
            if self.gate:
                self.gate.refer(self.records.window_ms)


def filters(scenario: Scenario, world: World) -> Filters:
    """Those of the preset, made for its world."""
    preset, target = PRESETS[scenario.preset], scenario.migration.target_node
    hotness: Hotness = LastReport()
    window = 0
    if preset.hotness in ("pghot", "pghot_precise"):
        knobs = getattr(scenario, preset.hotness)
        hotness = PghotRecords(knobs, world.memory, world.capacity.size, target)
        window = knobs.promote_freq_window_ms
    promotion: Promotion = EveryReport()
    if preset.promotion == "hot_threshold":
        size, promo = int(world.capacity[target]), int(world.marks.promo[target])
        promotion = ThresholdGate(
            scenario.hot_threshold, world.memory, target, size, promo, window,
            at_once=not HOTNESS[preset.hotness].waits,
        )  # fmt: skip
    return Filters(hotness, promotion)
