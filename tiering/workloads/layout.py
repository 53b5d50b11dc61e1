"""Where the folios of each class lie: in the order of their ranks, or scattered over the VMA."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tiering.engine.jit import loop
from tiering.workloads.scatter import CHUNK, scatter, scatter_keys

Layout = Literal["scattered", "contiguous"]
STRETCH_BITS = 12
"""2**12 stretches of ranks: all but a few lie within one class, and the first class of each stays
in the L1 cache."""


def lay_out(ends: NDArray[np.int64], seed: int, layout: Layout) -> NDArray[np.uint8]:
    """u8[ends[-1]], the class of each folio; class c holds the ranks ends[c - 1] .. ends[c] - 1.

    ends: i64[C], rising, C <= 256. Contiguous: folio i has rank i. Scattered: by a keyed bijection.
    """
    if layout == "contiguous":
        return np.repeat(np.arange(ends.size, dtype=np.uint8), np.diff(ends, prepend=0))
    classes = np.empty(int(ends[-1]), np.uint8)
    shift = max((classes.size - 1).bit_length() - STRETCH_BITS, 0)
    begins = np.arange(((classes.size - 1) >> shift) + 1) << shift
    lowest = np.searchsorted(ends[:-1], begins, side="right").astype(np.uint8)
    rank = np.empty(CHUNK, np.uint64)
    keys = scatter_keys(classes.size, seed)
    scatter_classes(classes, ends.astype(np.uint64), keys, lowest, shift, rank)
    return classes


@loop
def scatter_classes(classes, ends, keys, lowest, shift, rank):  # type: ignore[no-untyped-def]
    """classes: u8[F], of the folios of a region. lowest: u8[stretches], class of the first rank of
    each stretch of 2**shift ranks. rank: u64[CHUNK], working array."""
    for first in range(0, classes.size, rank.size):
        nr = min(rank.size, classes.size - first)
        scatter(first, classes.size, keys, rank, nr)
        for i in range(nr):
            c = np.int64(lowest[rank[i] >> np.uint64(shift)])
            while rank[i] >= ends[c]:  # never past the last class, which ends behind all ranks
                c += 1
            classes[first + i] = c
