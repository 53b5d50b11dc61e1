"""Knobs that both schemes of DAMOS have; each says its own defaults (docs/model.md#damos)."""

from typing import Annotated, Literal

from tiering.model.knobs import Knob

_SYSFS = "schemes/N/"
_QUOTA = _SYSFS + "quotas/"
MOST = 2**31

ApplyIntervalMs = Annotated[
    int,
    Knob("ms", 0, 3_600_000, "Time between two applications; 0 = the aggregation interval.",
         _SYSFS + "apply_interval_us", live=True),
]  # fmt: skip
MinNrAccesses = Annotated[
    int,
    Knob("", 0, MOST, "Least accesses of a region in an aggregation.",
         _SYSFS + "access_pattern/nr_accesses/min", live=True),
]  # fmt: skip
MaxNrAccesses = Annotated[
    int,
    Knob("", 0, MOST, "Most accesses of a region in an aggregation.",
         _SYSFS + "access_pattern/nr_accesses/max", live=True),
]  # fmt: skip
MinAge = Annotated[
    int,
    Knob("aggregations", 0, MOST, "Least age of a region.", _SYSFS + "access_pattern/age/min",
         live=True),
]  # fmt: skip
MaxAge = Annotated[
    int,
    Knob("aggregations", 0, MOST, "Most age of a region.", _SYSFS + "access_pattern/age/max",
         live=True),
]  # fmt: skip
MinSizeKib = Annotated[
    int,
    Knob("KiB", 0, MOST, "Least size of a region.", _SYSFS + "access_pattern/sz/min", live=True),
]  # fmt: skip
MaxSizeMib = Annotated[
    int,
    Knob("MiB", 0, MOST, "Most size of a region; 0 = any.", _SYSFS + "access_pattern/sz/max",
         live=True),
]  # fmt: skip
QuotaMs = Annotated[
    int,
    Knob("ms", 0, 3_600_000, "Time that may be spent in a charge window, turned into bytes by the "
         "throughput so far; 0 = any.", _QUOTA + "ms", live=True),
]  # fmt: skip
QuotaMib = Annotated[
    int,
    Knob("MiB", 0, 2**26, "Size that may be tried in a charge window; 0 = any.", _QUOTA + "bytes",
         live=True),
]  # fmt: skip
ResetIntervalMs = Annotated[
    int,
    Knob("ms", 0, 3_600_000, "Length of a charge window.", _QUOTA + "reset_interval_ms", live=True),
]  # fmt: skip
WeightNrAccesses = Annotated[
    int,
    Knob("", 0, 1_000_000, "Weight of accesses in the score.",
         _QUOTA + "weights/nr_accesses_permil", live=True),
]  # fmt: skip
WeightAge = Annotated[
    int,
    Knob("", 0, 1_000_000, "Weight of age in the score.", _QUOTA + "weights/age_permil", live=True),
]  # fmt: skip
Goal = Annotated[
    Literal["none", "node_mem_used_bp", "node_mem_free_bp"],
    Knob("", None, None, "What tunes the quota: memory of migration.target_node that is used, or "
         "free.", _QUOTA + "goals/N/target_metric"),
]  # fmt: skip
GoalBp = Annotated[
    int, Knob("/10000", 1, 10_000, "Value of that metric that is aimed at.",
              _QUOTA + "goals/N/target_value", live=True),
]  # fmt: skip
GoalTuner = Annotated[
    Literal["consist", "temporal"],
    Knob("", None, None, "consist: in proportion to what is missing; temporal: all until the goal "
         "is reached, then nothing.", _QUOTA + "goal_tuner"),
]  # fmt: skip
GoalReached = Annotated[
    Literal["as_posted", "as_intended"],
    Knob("", None, None, "temporal when the goal is reached: a quota of 0, which counts as no "
         "quota, as posted; or nothing is moved.", "damos_goal_tune_esz_bp_temporal"),
]  # fmt: skip
Young = Annotated[
    Literal["none", "allow", "reject"],
    Knob("", None, None, "Whether a folio must be young, or must not, when its turn comes.",
         _SYSFS + "filters/N: young"),
]  # fmt: skip
FilterNs = Annotated[
    float,
    Knob("ns", 0, 1_000_000, "CPU time of looking at a folio before it is moved.",
         "assumption: an rmap walk, as reclaim's rmap_ns", live=True),
]  # fmt: skip
Watermarks = Annotated[
    Literal["none", "free_mem_rate"],
    Knob("", None, None, "Whether free memory of the machine switches the scheme on and off.",
         _SYSFS + "watermarks/metric"),
]  # fmt: skip
WmarkIntervalMs = Annotated[
    int,
    Knob("ms", 1, 3_600_000, "Time between two looks at free memory while all schemes are off.",
         _SYSFS + "watermarks/interval_us"),
]  # fmt: skip
WmarkHigh = Annotated[
    int, Knob("/1000", 0, 1000, "Off above this part.", _SYSFS + "watermarks/high")
]
WmarkMid = Annotated[
    int, Knob("/1000", 0, 1000, "On again below this part.", _SYSFS + "watermarks/mid")
]
WmarkLow = Annotated[int, Knob("/1000", 0, 1000, "Off below this part.", _SYSFS + "watermarks/low")]
