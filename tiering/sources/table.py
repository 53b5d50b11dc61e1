"""The room's one table: name -> (knobs, what it notices)."""

from tiering.sources.pte_knobs import PteScan

SOURCES: dict[str, tuple[type[PteScan], str]] = {
    "pte_scan": (PteScan, "one kernel thread clears PTE accessed bits, as kmmscand V0 does"),
}
