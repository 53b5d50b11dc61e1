"""What a workload gives to the simulation: regions of folios and how often each is touched.

A folio belongs to a *row*: all folios of a row have the same expected touches per access of the
process. row = granule_row0 + class, where granule_row0 = (granule's index in the region) *
row_stride. Static patterns share their rows among all granules (row_stride 0); a recording has
rows of its own in every granule.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


class PatternError(ValueError):
    """What a pattern cannot do with its knobs or its size: one sentence."""


def _none() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


@dataclass(frozen=True)
class Region:
    """One VMA's worth of folios.

    classes: uint8[nr_folios], the class of each folio inside its granule.
    share: float64[nr_phases, nr_rows], expected touches of one folio of the row per access of the
    process. In every phase of a synthetic pattern they sum to the region's part of 1.
    phase_accesses: float64[nr_phases], accesses of the whole process in each phase of the pattern,
    after the last of which the first begins again unless the last is infinite; empty for a static
    pattern, which has one phase.
    populated: int64[nr_phases], folios that are there from each phase on; empty: all, always.
    sweep: (stride in pages, accesses a page) of a region that is swept, whose share is the mean.
    """

    name: str
    nr_folios: int
    classes: NDArray[np.uint8]
    share: NDArray[np.float64]
    row_stride: int = 0
    phase_accesses: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    populated: NDArray[np.int64] = field(default_factory=_none)
    sweep: tuple[int, int] | None = None


@dataclass(frozen=True)
class Workload:
    """All regions of one process and the phases of its work time.

    phase_accesses: float64[nr_phases], accesses of the process in each phase; empty for a static
    pattern. After the last phase the first one begins again, unless it is infinite. All regions
    have these phases: a process has one phase table (tiering/workloads/merge.py makes it).
    assumptions: sentences that the page and the run show, e.g. what a recording does not know.
    """

    regions: tuple[Region, ...]
    phase_accesses: NDArray[np.float64]
    assumptions: tuple[str, ...] = ()
