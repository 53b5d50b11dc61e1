"""Classes of processes: what a user asks of the kernel for some of them (docs/model.md#classes)."""

from typing import Annotated, NamedTuple

from tiering.model.knobs import Knob

DEFAULT = "default"
PAGES_PER_MIB = 256


class PolicyClass(NamedTuple):
    """Knobs of a class; the declared defaults ask for nothing. Figures in MiB are of all its
    processes together, as those of a cgroup are."""

    promote: Annotated[
        bool,
        Knob("", None, None, "Whether its memory may be promoted at all."),
    ] = True
    promotion_share_pct: Annotated[
        float,
        Knob("%", 0, 100, "Most of migration.rate_limit_mib_s that it may use in a second; has no "
             "effect without that limit."),
    ] = 100.0  # fmt: skip
    top_tier_max_mib: Annotated[
        int,
        Knob("MiB", 0, 2**26, "Top-tier memory beyond which promotion refuses it; 0 = no bound. "
             "What it allocates itself is not refused."),
    ] = 0  # fmt: skip
    protect_mib: Annotated[
        int,
        Knob("MiB", 0, 2**26, "Top-tier memory that reclaim leaves to it while others have "
             "anything to demote.", "as memory.low of a cgroup"),
    ] = 0  # fmt: skip
    demotion_priority: Annotated[
        int,
        Knob("", 0, 9, "Reclaim takes from classes of a higher number first, from others when "
             "nothing of those is left to demote."),
    ] = 0  # fmt: skip
    scan_scale: Annotated[
        int,
        Knob("", -1, 10, "What its processes set by prctl unless they say it themselves; -1 = that "
             "of pte_scan.", "RFC V1, V3: PR_SET_PTE_A_SCAN_SCALE"),
    ] = -1  # fmt: skip
    hot_threshold_ms: Annotated[
        int,
        Knob("ms", 0, 60_000, "Threshold of its folios where promotion asks for one, which does "
             "not adapt; 0 = that of the machine."),
    ] = 0  # fmt: skip
    numa_balancing: Annotated[
        bool,
        Knob("", None, None, "Whether it takes part: if not, its mms are neither scanned nor "
             "marked, and what devices and samples report of it is not promoted."),
    ] = True  # fmt: skip


STANDARD: dict[str, str] = {
    "latency_critical": "what is slow here is noticed at once",
    DEFAULT: "what says nothing of itself",
    "latency_tolerant": "gives way to others",
}
"""Classes there are without a table of their own; until a scenario says what they ask for, they ask
for nothing."""
