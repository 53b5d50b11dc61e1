"""The room's one table of sources."""

from typing import NamedTuple

from tiering.sources.chmu_knobs import Chmu
from tiering.sources.damon_knobs import Damon
from tiering.sources.hint_knobs import HintFault
from tiering.sources.hw_knobs import HwSample
from tiering.sources.lru_gen_knobs import LruGenWalk
from tiering.sources.oracle_knobs import Oracle
from tiering.sources.page_cache_knobs import PageCacheAccess
from tiering.sources.pte_knobs import PteScan


class Kind(NamedTuple):
    """Its knobs, the name of its threads, what it notices, whether no thread but the tasks
    themselves do it, whether it knows how long a folio took to be touched, whether it goes by mm,
    so that a process can be left out, and whether it knows the CPU that accessed."""

    knobs: type
    thread: str
    meaning: str
    in_task: bool = False
    times: bool = False
    by_mm: bool = False
    cpu: bool = False


SOURCES: dict[str, Kind] = {
    "pte_scan": Kind(
        PteScan, "kmmscand", "kernel threads read and clear PTE accessed bits", by_mm=True
    ),
    "hw_sample": Kind(
        HwSample, "hw_sample", "the CPU samples accesses with their addresses", cpu=True
    ),
    "chmu": Kind(Chmu, "chmu", "the CXL device counts accesses and lists its hot units"),
    "lru_gen_walk": Kind(
        LruGenWalk, "klruscand", "MGLRU's page-table walk reports what it finds accessed"
    ),
    "damon": Kind(Damon, "kdamond", "kernel threads sample a page of each region they adapt"),
    "hint_fault": Kind(
        HintFault,
        "numa_work",
        "tasks mark PTEs, and the next touch of a page is a fault",
        in_task=True,
        times=True,
        by_mm=True,
        cpu=True,
    ),
    "oracle": Kind(
        Oracle, "oracle", "knows all touch rates: perfect detection, for free", times=True
    ),
    "page_cache_access": Kind(
        PageCacheAccess,
        "numa_promo_work",
        "reads of hot page cache that nobody maps ask for promotion",
        in_task=True,
        times=True,
    ),
}
