"""The room's one table of sources."""

from typing import NamedTuple

from tiering.sources.chmu_knobs import Chmu
from tiering.sources.hw_knobs import HwSample
from tiering.sources.pte_knobs import PteScan


class Kind(NamedTuple):
    """Its knobs, the name of its threads, and what it notices."""

    knobs: type
    thread: str
    meaning: str


SOURCES: dict[str, Kind] = {
    "pte_scan": Kind(PteScan, "kmmscand", "kernel threads read and clear PTE accessed bits"),
    "hw_sample": Kind(HwSample, "hw_sample", "the CPU samples accesses with their addresses"),
    "chmu": Kind(Chmu, "chmu", "the CXL device counts accesses and lists its hot units"),
}
