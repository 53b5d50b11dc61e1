"""Knobs of kmmscand and the rule by which it adapts period and size (docs/model.md#pte-scan)."""

from typing import Annotated, NamedTuple

from tiering.model.knobs import Knob

_V0 = "mm/kmmscand.c, RFC V0"
_GUESS = "inside the 5-50 ns bracket that follows from the V0 overhead table; not calibrated"


class PteScan(NamedTuple):
    """Knobs of the scanner; what is a compile-time constant in the kernel is start-only."""

    scan_enabled: Annotated[
        bool,
        Knob("", None, None, "Whether the thread scans at all.", _V0 + ": scan_enabled", live=True),
    ] = True
    scan_period_ms: Annotated[
        int,
        Knob(
            "ms",
            10,
            60_000,
            "Scan period of every mm; a live change is written to all mms at once "
            "(as posted, only mms registered later see it).",
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
    pte_slow_ns: Annotated[
        float, Knob("ns", 0, 1000, "Cost of a PTE that maps a slow-tier folio.", _GUESS)
    ] = 15.0
    pte_top_ns: Annotated[
        float, Knob("ns", 0, 1000, "Cost of a PTE that maps a top-tier folio.", _GUESS)
    ] = 4.0
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


def adapt(knobs: PteScan, period_ms: int, size_mib: int, x: int, y: int) -> tuple[int, int]:
    """(period, size) after a visit; x and y as in the table above, y already cut off."""
    if y == 0 and x == 0:
        period_ms = period_ms * (100 + knobs.period_fine_pct) // 100
        size_mib >>= knobs.size_shift
    elif x == 0:
        period_ms >>= knobs.period_coarse_shift
        size_mib = knobs.scan_size_max_mib
    elif y == 0:
        period_ms <<= knobs.period_coarse_shift
    else:
        period_ms = period_ms * (100 - knobs.period_fine_pct) // 100
        size_mib <<= knobs.size_shift
    return clamp_period(knobs, period_ms), clamp_size(knobs, size_mib)


def clamp_period(knobs: PteScan, value: int) -> int:
    return max(knobs.scan_period_min_ms, min(value, knobs.scan_period_max_ms))


def clamp_size(knobs: PteScan, value: int) -> int:
    return max(knobs.scan_size_min_mib, min(value, knobs.scan_size_max_mib))
