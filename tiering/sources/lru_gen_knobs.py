"""Knobs of the MGLRU page-table walk as a source (docs/model.md#lru-gen-walk)."""

from typing import Annotated, NamedTuple

from tiering.model.knobs import Knob

_KLRUSCAND = "mm/klruscand.c, pghot v1 .. v5"


class LruGenWalk(NamedTuple):
    """Knobs of klruscand, the thread that walks page tables for the lruvecs of lower tiers."""

    interval_ms: Annotated[
        int,
        Knob("ms", 10, 60_000, "From the begin of a walk to that of the next one; one that takes "
             "longer is followed at once.", _KLRUSCAND + ": KLRUSCAND_INTERVAL", live=True),
    ] = 500  # fmt: skip
    batch_nr: Annotated[
        int,
        Knob("folios", 1, 16_777_216, "Accessed folios that are reported together; what an mm "
             "leaves over is reported when its walk ends.", _KLRUSCAND + ": BATCH_SIZE"),
    ] = 131_072  # fmt: skip
    pte_ns: Annotated[
        float,
        Knob("ns", 0, 1000, "Cost of a PTE that maps a folio of the node.",
             "assumption: as a scan of kmmscand"),
    ] = 15.0  # fmt: skip
    pte_skip_ns: Annotated[
        float,
        Knob("ns", 0, 1000, "Cost of a PTE that maps a folio of another node.",
             "assumption: as a scan of kmmscand"),
    ] = 4.0  # fmt: skip
    pte_none_ns: Annotated[
        float,
        Knob("ns", 0, 1000, "Cost of an empty PTE of a page table that exists.",
             "assumption: an eighth of a cache line, read in order"),
    ] = 1.0  # fmt: skip
