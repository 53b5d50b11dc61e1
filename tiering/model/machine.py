"""Machine-wide constants that are not a node's: page walk and the shape of the latency curve."""

from typing import Annotated, NamedTuple

from tiering.model.knobs import Knob

_CURVE = "proposal in docs/model.md#throughput; not calibrated"


class Machine(NamedTuple):
    """Knobs of the machine; all start-only."""

    tlb_entries: Annotated[
        int, Knob("", 0, 1_000_000, "4 KiB translations the TLB holds.", "Zen 4 L2 data TLB")
    ] = 3072
    pt_cache_mib: Annotated[
        float,
        Knob(
            "MiB", 0, 4096, "Cache that holds page-table entries.", "assumption: a share of the L3"
        ),
    ] = 8.0
    walk_cached_ns: Annotated[
        float, Knob("ns", 0, 1000, "Page walk whose PTE is cached.", "assumption: an L3 hit")
    ] = 8.0
    walk_memory_ns: Annotated[
        float, Knob("ns", 0, 2000, "More for a PTE in memory.", "assumption: DRAM, overlapped")
    ] = 20.0
    tlb_coalesce_order: Annotated[
        int,
        Knob("", 0, 4, "Largest order of a folio below 2 MiB that takes one TLB entry.",
             "assumption: Zen joins four PTEs"),
    ] = 2  # fmt: skip
    fault_us: Annotated[
        float,
        Knob("us", 0, 1000, "First touch of a folio while the run lasts, paid by the task.",
             "median of a weak measurement, docs/model.md#allocation"),
    ] = 1.0  # fmt: skip
    curve_a: Annotated[
        float, Knob("", 0.000001, 100, "Loaded latency L0 (1 + a u^b / (1 - u)): a.", _CURVE)
    ] = 0.1
    curve_b: Annotated[
        int, Knob("", 1, 8, "Loaded latency L0 (1 + a u^b / (1 - u)): b.", _CURVE)
    ] = 2
