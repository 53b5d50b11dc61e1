"""Knobs of kmmscand and kscand (docs/model.md#pte-scan). The defaults are those of V0."""

from typing import Annotated, Literal, NamedTuple

from tiering.model.knobs import Knob

_V0 = "mm/kmmscand.c, RFC V0"
_V1 = "mm/kmmscand.c, RFC V1"
_GUESS = "inside the 5-50 ns bracket that follows from the V0 overhead table; not calibrated"


class PteScan(NamedTuple):
    """Knobs of the scanner; what is a compile-time constant in the kernel is start-only."""

    scan_enabled: Annotated[
        bool,
        Knob("", None, None, "Whether the thread scans at all.", _V0 + ": scan_enabled", live=True),
    ] = True
    walk: Annotated[
        Literal["virtual", "physical"],
        Knob(
            "",
            None,
            None,
            "What is gone through: the page tables of mms, as posted, or the page frames of slow "
            "nodes, each of which then has a period as an mm has.",
            "asked on the list",
        ),
    ] = "virtual"
    scan_period_ms: Annotated[
        int,
        Knob(
            "ms",
            10,
            60_000,
            "Scan period of every mm; whom a live change concerns is for period_write to say.",
            _V0 + ": mm_scan_period_ms",
            live=True,
            within=("scan_period_min_ms", "scan_period_max_ms"),
        ),
    ] = 2000
    scan_size_mib: Annotated[
        int,
        Knob(
            "MiB",
            1,
            1_048_576,
            "Address span a visit may walk, tested between VMAs only; a live change is written "
            "to all mms at once.",
            _V0 + ": initial scan size",
            live=True,
            within=("scan_size_min_mib", "scan_size_max_mib"),
        ),
    ] = 4096
    scan_sleep_ms: Annotated[
        int, Knob("ms", 0, 10_000, "Sleep between scan cycles; 0 = never sleeps.", _V0, live=True)
    ] = 16
    period_write: Annotated[
        Literal["every_mm", "later_mms"],
        Knob(
            "",
            None,
            None,
            "Whether a live change of the period is written to all mms at once, or seen only by "
            "those registered later, as posted.",
            _V0 + ": mm_scan_period_ms",
        ),
    ] = "every_mm"
    scan_period_min_ms: Annotated[int, Knob("ms", 1, 60_000, "Shortest period.", _V0)] = 400
    scan_period_max_ms: Annotated[int, Knob("ms", 1, 600_000, "Longest period.", _V0)] = 5000
    scan_size_min_mib: Annotated[int, Knob("MiB", 1, 1_048_576, "Smallest scan size.", _V0)] = 512
    scan_size_max_mib: Annotated[int, Knob("MiB", 1, 1_048_576, "Largest scan size.", _V0)] = 16384
    ignore_threshold: Annotated[
        int, Knob("folios", 0, 1_000_000, "Fewer useful folios in a visit count as none.", _V0)
    ] = 100
    period_fine_pct: Annotated[int, Knob("%", 0, 90, "Fine step of the period.", _V0)] = 15
    period_coarse_shift: Annotated[int, Knob("bits", 0, 8, "Coarse step: x8 or /8 is 3.", _V0)] = 3
    size_shift: Annotated[int, Knob("bits", 0, 8, "Step of the scan size: x2 or /2 is 1.", _V0)] = 1
    mms_to_scan: Annotated[
        int,
        Knob("visits", 1, 1_000_000, "Visits a cycle; an mm that is not due costs one too.", _V0),
    ] = 4096
    scan_delay_ms: Annotated[
        int,
        Knob("ms", 0, 60_000, "From the begin of an mm to its first scan.",
             _V1 + ": scan_delay of NUMA balancing"),
    ] = 0  # fmt: skip
    decay_shift: Annotated[
        int,
        Knob(
            "bits",
            0,
            62,
            "The last visit's useful folios, shifted right by this, count as found in this one; "
            "0 = none.",
            _V1 + ": 4",
        ),
    ] = 0
    budget: Annotated[
        Literal["raised", "strict", "until_useful"],
        Knob(
            "",
            None,
            None,
            "When the scan size is used up it is raised to the maximum if more folios than the "
            "threshold were useful (V0), or the visit ends (V1), or it ends if the VMA just walked "
            "gave candidates (V2, V3).",
            "RFC V0 .. V3: the scan loop",
        ),
    ] = "raised"
    page_budget_pct: Annotated[
        int,
        Knob(
            "%",
            0,
            100,
            "Part of the scan size, in pages, with which a visit ends even inside a VMA; 0 = "
            "never, as posted (bytes taken for pages). The text intends 25.",
            _V1 + ": nr_to_scan",
        ),
    ] = 0
    holes: Annotated[
        Literal["stop", "pass"],
        Knob(
            "",
            None,
            None,
            "What an empty PTE does: it ends the walk of its VMA (V0), or is passed over (V1). "
            "Matters only where populated_pct of a VMA is below 100.",
            _V0 + ", V1: the PTE callback",
        ),
    ] = "stop"
    skip_shared: Annotated[
        bool,
        Knob("", None, None, "Whether folios that several mms map are never useful.", _V1),
    ] = False
    useful: Annotated[
        Literal["as_posted", "as_intended", "two_windows"],
        Knob(
            "",
            None,
            None,
            "Which slow-tier folios are reported: as posted those not idle or young, so a folio "
            "touched once stays reported; as the text intends those found accessed in this visit; "
            "in V3 those found accessed in this visit and the one before.",
            _V0 + ", V3",
        ),
    ] = "as_posted"
    prctl: Annotated[
        Literal["none", "switch", "period"],
        Knob(
            "",
            None,
            None,
            "What a process's scan scale does: nothing (V0), 0 turns scanning off (V1, V2), or a "
            "larger one also stretches the period by (scale - 1) / 9 (V3).",
            _V1 + ", V3: PR_SET_PTE_A_SCAN_SCALE",
        ),
    ] = "none"
    scan_scale: Annotated[
        int,
        Knob("", 0, 10, "Scan scale of processes that do not set one.", _V1 + ": 1, V3: 8"),
    ] = 1  # fmt: skip
    stretch: Annotated[
        Literal["as_posted", "as_intended"],
        Knob(
            "",
            None,
            None,
            "Whether the period that scale and failures have stretched is what the next visit "
            "adapts, so that it grows on (as posted), or only how long this one waits.",
            "mm/kscand.c, RFC V3",
        ),
    ] = "as_posted"
    failure_feedback: Annotated[
        bool,
        Knob(
            "",
            None,
            None,
            "Whether the period is multiplied by 1 + a tenth of the percentage of the mm's "
            "migrations that fail.",
            "mm/kscand.c, RFC V3",
        ),
    ] = False
    failure_stretch: Annotated[
        Literal["as_posted", "as_intended"],
        Knob(
            "",
            None,
            None,
            "Whether a tenth of the percentage multiplies the period, so that it is 11 times as "
            "long where all fail (as posted), or is percent that it grows by, 10 where all fail.",
            "mm/kscand.c, RFC V3, and the text of its patch",
        ),
    ] = "as_posted"
    target: Annotated[
        Literal["default", "most_scanned", "most_accessed"],
        Knob(
            "",
            None,
            None,
            "Top-tier node to which an mm's candidates go: migration.target_node, or that of which "
            "its last visit saw most pages (V1, V2) or found most accessed in two windows (V3).",
            _V1 + ", V3: get_target_node",
        ),
    ] = "default"
    nr_threads: Annotated[
        int,
        Knob(
            "",
            0,
            1024,
            "Scanning threads that share the list of mms; 0 = one for each node with CPUs or at "
            "which somebody is at home, for the mms at home there. As posted there is one.",
            "asked on the list",
        ),
    ] = 1
    nice: Annotated[
        int,
        Knob("", -20, 19, "Nice level of the scanning threads; counts where no CPU is idle.",
             "assumption: kthread default"),
    ] = 0  # fmt: skip
    pte_slow_ns: Annotated[
        float, Knob("ns", 0, 1000, "Cost of a PTE that maps a slow-tier folio.", _GUESS)
    ] = 15.0
    pte_top_ns: Annotated[
        float, Knob("ns", 0, 1000, "Cost of a PTE that maps a top-tier folio.", _GUESS)
    ] = 4.0
    pte_none_ns: Annotated[
        float,
        Knob("ns", 0, 1000, "Cost of an empty PTE of a page table that exists.",
             "assumption: an eighth of a cache line, read in order"),
    ] = 1.0  # fmt: skip
    rmap_factor: Annotated[
        float,
        Knob("PTEs", 1, 1000, "Cost of a mapping that is looked at by its folio's reverse map, in "
             "PTEs of the slow tier; counts where the walk is physical.",
             "10 to 50 in order of magnitude; not calibrated"),
    ] = 20.0  # fmt: skip
    nr_sharers: Annotated[
        int,
        Knob("mms", 2, 1000, "Mappings of a folio that several mms map (shared_pct), each of which "
             "costs as much; counts where the walk is physical.", "assumption: two"),
    ] = 2  # fmt: skip
    visit_ns: Annotated[
        int, Knob("ns", 0, 1_000_000, "Fixed cost of a visit.", "assumption: a few cache misses")
    ] = 1000
    skip_ns: Annotated[
        int,
        Knob(
            "ns",
            1,
            100_000,
            "Cost of passing over an mm that is not due.",
            "assumption: one atomic",
        ),
    ] = 20
