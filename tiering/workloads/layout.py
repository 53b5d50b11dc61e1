"""Where the folios of each class lie: in the order of their ranks, or scattered over the VMA."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tiering.workloads.scatter import scattered_ranks

Layout = Literal["scattered", "contiguous"]


def lay_out(ends: NDArray[np.int64], seed: int, layout: Layout) -> NDArray[np.uint8]:
    """u8[ends[-1]], the class of each folio; class c holds the ranks ends[c - 1] .. ends[c] - 1.

    ends: i64[C], rising, C <= 256. Contiguous: folio i has rank i. Scattered: by a keyed bijection.
    """
    if layout == "contiguous":
        return np.repeat(np.arange(ends.size, dtype=np.uint8), np.diff(ends, prepend=0))
    classes = np.empty(int(ends[-1]), np.uint8)
    inner = ends[:-1].astype(np.uint64)
    for first, rank in scattered_ranks(classes.size, seed):
        classes[first : first + rank.size] = np.searchsorted(inner, rank, side="right")
    return classes
