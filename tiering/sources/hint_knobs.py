"""Knobs of NUMA balancing in its memory-tiering mode (docs/model.md#hint-faults)."""

from typing import Annotated, Literal, NamedTuple

from tiering.model.knobs import Knob

_FAIR = "kernel/sched/fair.c: "
_GUESS = "not calibrated: of the order of micro-measurements of minor faults"


class HintFault(NamedTuple):
    """Knobs of the marking of PTEs and of the faults that follow."""

    numa_balancing: Annotated[
        Literal["off", "normal", "memory_tiering", "both"],
        Knob("", None, None, "Which PTEs are marked: none; all (normal: mode 1, both: 3); those "
             "below the top tier (2).",
             "sysctl kernel.numa_balancing", live=True),
    ] = "memory_tiering"  # fmt: skip
    scan_delay_ms: Annotated[
        int,
        Knob("ms", 0, 60_000, "Age of an mm at which it is first marked, and its period until its "
             "first full pass ends.", _FAIR + "sysctl_numa_balancing_scan_delay"),
    ] = 1000  # fmt: skip
    scan_period_min_ms: Annotated[
        int,
        Knob("ms", 1, 600_000, "Least time of a full pass, as far as 2,560 MiB/s allow it.",
             _FAIR + "sysctl_numa_balancing_scan_period_min", live=True),
    ] = 1000  # fmt: skip
    scan_period_max_ms: Annotated[
        int,
        Knob("ms", 1, 3_600_000, "Most time of a full pass.",
             _FAIR + "sysctl_numa_balancing_scan_period_max", live=True),
    ] = 60_000  # fmt: skip
    scan_size_mb: Annotated[
        int,
        Knob("MiB", 2, 65_536, "Address span of a visit in which something was marked; eight times "
             "as much may be passed over.", _FAIR + "sysctl_numa_balancing_scan_size", live=True),
    ] = 256  # fmt: skip
    access_time_bits: Annotated[
        int,
        Knob("log2 ms", 12, 30, "Width of the scan time that a folio remembers; longer latencies "
             "begin anew at 0.", "PAGE_ACCESS_TIME_MASK; 21 with 8,192 CPUs, never below 12"),
    ] = 21  # fmt: skip
    pte_update_ns: Annotated[
        float,
        Knob("ns", 0, 100_000, "Time of a task for marking a PTE, its part of the TLB flush "
             "included.", "change_protection; a guess"),
    ] = 50.0  # fmt: skip
    pte_skip_ns: Annotated[
        float,
        Knob("ns", 0, 100_000, "Time of a task for a PTE that is passed over.", "a guess"),
    ] = 8.0  # fmt: skip
    fault_ns: Annotated[
        float,
        Knob("ns", 0, 1_000_000, "Time of a task for a hint fault, migration not included.",
             _GUESS, live=True),
    ] = 1500.0  # fmt: skip
