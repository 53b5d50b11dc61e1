"""Knobs of the scheme that promotes (docs/model.md#damos)."""

from typing import NamedTuple

from tiering.model.damos_knobs import (
    MOST,
    ApplyIntervalMs,
    FilterNs,
    Goal,
    GoalBp,
    GoalReached,
    GoalTuner,
    MaxAge,
    MaxNrAccesses,
    MaxSizeMib,
    MinAge,
    MinNrAccesses,
    MinSizeKib,
    QuotaMib,
    QuotaMs,
    ResetIntervalMs,
    Watermarks,
    WeightAge,
    WeightNrAccesses,
    WmarkHigh,
    WmarkIntervalMs,
    WmarkLow,
    WmarkMid,
    Young,
)


class DamosHot(NamedTuple):
    """Knobs of DAMOS migrate_hot."""

    apply_interval_ms: ApplyIntervalMs = 0
    min_nr_accesses: MinNrAccesses = 1
    max_nr_accesses: MaxNrAccesses = MOST
    min_age: MinAge = 0
    max_age: MaxAge = MOST
    min_size_kib: MinSizeKib = 4
    max_size_mib: MaxSizeMib = 0
    quota_ms: QuotaMs = 0
    quota_mib: QuotaMib = 0
    reset_interval_ms: ResetIntervalMs = 1000
    weight_nr_accesses: WeightNrAccesses = 100
    weight_age: WeightAge = 100
    goal: Goal = "none"
    goal_bp: GoalBp = 9970
    goal_tuner: GoalTuner = "consist"
    goal_reached: GoalReached = "as_posted"
    young: Young = "none"
    filter_ns: FilterNs = 250.0
    watermarks: Watermarks = "none"
    wmark_interval_ms: WmarkIntervalMs = 5000
    wmark_high: WmarkHigh = 1000
    wmark_mid: WmarkMid = 1000
    wmark_low: WmarkLow = 0
