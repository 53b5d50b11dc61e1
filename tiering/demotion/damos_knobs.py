"""Knobs of the scheme that demotes (docs/model.md#damos)."""

from typing import Annotated, NamedTuple

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
from tiering.model.knobs import Knob


class DamosCold(NamedTuple):
    """Knobs of DAMOS migrate_cold."""

    target_nid: Annotated[
        int,
        Knob("", -1, 15, "Node that folios sink to; -1 = the nearest of the next lower tier.",
             "schemes/N/target_nid"),
    ] = -1  # fmt: skip
    apply_interval_ms: ApplyIntervalMs = 0
    min_nr_accesses: MinNrAccesses = 0
    max_nr_accesses: MaxNrAccesses = 0
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
    goal_bp: GoalBp = 50
    goal_tuner: GoalTuner = "consist"
    goal_reached: GoalReached = "as_posted"
    young: Young = "none"
    filter_ns: FilterNs = 250.0
    watermarks: Watermarks = "none"
    wmark_interval_ms: WmarkIntervalMs = 5000
    wmark_high: WmarkHigh = 1000
    wmark_mid: WmarkMid = 1000
    wmark_low: WmarkLow = 0
