"""What lies between reports and candidates in a run: who remembers and who may rise."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tiering.engine.shares import THRESHOLD
from tiering.hotness.counts import CoolingCounts
from tiering.hotness.damon_regions import DamonRegions
from tiering.hotness.exact import ExactTimes
from tiering.hotness.heat import Heats
from tiering.hotness.hotness import Hotness
from tiering.hotness.last_report import LastReport
from tiering.hotness.pghot import PghotRecords
from tiering.hotness.table import HOTNESS
from tiering.hotness.two_faults import TwoFaults
from tiering.hotness.two_windows import Windows
from tiering.promotion.active_list import ActiveList
from tiering.promotion.damos_hot import MigrateHot
from tiering.promotion.every_report import EveryReport
from tiering.promotion.freq_threshold import FrequencyGate
from tiering.promotion.hot_threshold import ThresholdGate
from tiering.promotion.never import Never
from tiering.promotion.policy_text import PolicyError, read_policy
from tiering.promotion.table import Promotion
from tiering.promotion.user_policy import Target, UserPolicy
from tiering.simulation.build import World
from tiering.simulation.load import ScenarioError
from tiering.simulation.rooms import ORACLE
from tiering.simulation.scenario import Scenario
from tiering.simulation.targets import promotion_targets


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
        return {**self.hotness.counters, **self.promotion.counters}

    @property
    def threshold_ms(self) -> int:
        """Threshold in force, 0 where there is none."""
        return self.gate.threshold_ms if self.gate else 0

    def retune(self, section: str, name: str, value: Any) -> None:
        """Apply a live knob of either."""
        if section in HOTNESS:
            self.hotness.retune(name, value)
            if self.gate and self.records:
                self.gate.refer(self.records.window_ms)
        else:
            self.promotion.retune(name, value)


def _last_report(*_: object) -> Hotness:
    return LastReport()


def _two_faults(_: Scenario, world: World) -> Hotness:
    return TwoFaults(world.memory)


def _every_report(*_: object) -> Promotion:
    return EveryReport()


def _never(*_: object) -> Promotion:
    return Never()


def _two_windows(scenario: Scenario, world: World) -> Hotness:
    return Windows(scenario.two_windows, world.memory)


def _exact(_scenario: Scenario, world: World) -> Hotness:
    return ExactTimes(world.memory)


def _heat(scenario: Scenario, world: World) -> Hotness:
    return Heats(scenario.heat, world.memory)


def _counts(scenario: Scenario, world: World) -> Hotness:
    return CoolingCounts(scenario.counts, world.memory)


def _often(scenario: Scenario, _world: World, _hotness: Hotness) -> Promotion:
    return FrequencyGate(scenario.freq_threshold)


def _policy(scenario: Scenario, world: World, _hotness: Hotness) -> Promotion:
    nid, marks = scenario.migration.target_node, world.marks
    target = Target(nid, int(marks.high[nid]), int(marks.promo[nid]), int(world.capacity[nid]))
    slow = (~world.top_tier).astype(np.uint8)
    rates = world.rates
    try:
        policy = read_policy(scenario.policy_file, scenario.policy_text)
        return UserPolicy(policy, world.memory, target, slow, rates.row_at, rates.nr_rows)
    except PolicyError as error:
        raise ScenarioError(f"{scenario.origin}: {error}") from error


def _active_list(_: Scenario, world: World, *__: object) -> Promotion:
    return ActiveList(world.memory)


def _damon_regions(*_: object) -> Hotness:
    return DamonRegions()


def _records(scenario: Scenario, world: World) -> Hotness:
    knobs = getattr(scenario, scenario.joined.hotness)
    targets = promotion_targets(scenario)
    return PghotRecords(knobs, world.memory, world.capacity.size, targets)


def _gate(scenario: Scenario, world: World, hotness: Hotness) -> Promotion:
    return ThresholdGate(
        scenario.hot_threshold, world.memory, promotion_targets(scenario), world.capacity,
        world.marks.promo,
        hotness.window_ms if isinstance(hotness, PghotRecords) else 0,
        at_once=not scenario.joined.waits, own=world.shares.of[:, THRESHOLD].copy(),
    )  # fmt: skip


def _migrate_hot(scenario: Scenario, world: World, _: Hotness) -> Promotion:
    target = scenario.migration.target_node
    return MigrateHot(scenario.damos_migrate_hot, world.memory, target, int(world.capacity[target]))


MEMORIES: dict[str, Callable[[Scenario, World], Hotness]] = {
    "": _last_report,
    "last_report": _last_report,
    "two_windows": _two_windows,
    "exact": _exact,
    "heat": _heat,
    "counts": _counts,
    "two_faults": _two_faults,
    "damon_regions": _damon_regions,
    "pghot": _records,
    "pghot_precise": _records,
}
RULES: dict[str, Callable[[Scenario, World, Hotness], Promotion]] = {
    "": _every_report,
    "never": _never,
    "every_report": _every_report,
    "hot_threshold": _gate,
    "freq_threshold": _often,
    "user_policy": _policy,
    "active_list": _active_list,
    "damos_migrate_hot": _migrate_hot,
    ORACLE: _every_report,
}


def filters(scenario: Scenario, world: World) -> Filters:
    """Those that the scenario joins, made for its world; raises ScenarioError where a policy
    does not compile."""
    hotness = MEMORIES[scenario.joined.hotness](scenario, world)
    return Filters(hotness, RULES[scenario.joined.promotion](scenario, world, hotness))
