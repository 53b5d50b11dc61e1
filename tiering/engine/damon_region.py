"""DAMON's regions, and the frames that they cover (docs/model.md#damon).

An address is a page of the folio array: granule * GRANULE + page of the granule. What a region
covers are *frames*: the pages of one side of the machine (top tier, or the nodes below it), taken
to lie in the order of the array; a virtual address space has all its addresses for frames.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import GRANULE
from tiering.engine.jit import loop

NR_COLUMNS = 8
START, END, NR_ACCESSES, ACCESSES_BP, LAST_ACCESSES, AGE, PICKED, TARGET = range(NR_COLUMNS)
"""Addresses of a region; accesses in this aggregation, pseudo moving sum of them in bp, and in the
last one; age in aggregations; folio that is sampled, -1 if none; mm of a virtual one, else 0."""
BP = 10_000
TOP, SLOW_SIDE, VIRTUAL = range(3)
"""Whose frames: those of top-tier nodes, of the nodes below, or all addresses."""


class Regions(NamedTuple):
    """row: i64[C, NR_COLUMNS], in the order of their addresses, and of as many again in `spare`, to
    work in. nr: i64[1] regions. frames: i64[G + 1] frames before each granule. side: see above."""

    row: NDArray[np.int64]
    spare: NDArray[np.int64]
    nr: NDArray[np.int64]
    frames: NDArray[np.int64]
    side: int


def regions(most: int, nr_granules: int, side: int) -> Regions:
    """Room for `most` regions; none is there yet."""
    return Regions(
        np.zeros((most, NR_COLUMNS), np.int64), np.zeros((most, NR_COLUMNS), np.int64),
        np.zeros(1, np.int64), np.arange(nr_granules + 1, dtype=np.int64) * GRANULE, side,
    )  # fmt: skip


@loop
def count_frames(memory, regions):  # type: ignore[no-untyped-def]
    """Bring `frames` up to date after folios moved; of granules, not of folios."""
    if regions.side == VIRTUAL:
        return
    total = np.int64(0)
    for granule in range(memory.nr.size):
        regions.frames[granule] = total
        nr = np.int64(memory.nr_slow[granule])
        if regions.side == TOP:
            nr = memory.nr[granule] - nr
        total += nr * memory.pages[memory.row0[granule]]
    regions.frames[memory.nr.size] = total


@loop
def frame_of(regions, address):  # type: ignore[no-untyped-def]
    """Frames before an address; those of a granule are spread evenly over it."""
    granule = address // GRANULE
    before = regions.frames[granule]
    rest = address % GRANULE
    if rest == 0:
        return before
    return before + (regions.frames[granule + 1] - before) * rest // GRANULE


@loop
def granule_of(regions, frame):  # type: ignore[no-untyped-def]
    """The granule in which a frame lies."""
    lo, hi = 0, regions.frames.size - 2
    while lo < hi:
        mid = (lo + hi) // 2
        if regions.frames[mid + 1] > frame:
            hi = mid
        else:
            lo = mid + 1
    return lo


@loop
def address_of(regions, frame):  # type: ignore[no-untyped-def]
    """The first address with that many frames before it."""
    granule = granule_of(regions, frame)
    before = regions.frames[granule]
    here = regions.frames[granule + 1] - before
    if here <= 0:
        return np.int64(granule * GRANULE)
    return granule * GRANULE + -(-(frame - before) * GRANULE // here)


@loop(inline=True)
def size_of(regions, at):  # type: ignore[no-untyped-def]
    """Pages of a region."""
    return frame_of(regions, regions.row[at, END]) - frame_of(regions, regions.row[at, START])


@loop
def total_size(regions):  # type: ignore[no-untyped-def]
    """Pages of all regions."""
    total = np.int64(0)
    for at in range(regions.nr[0]):
        total += size_of(regions, at)
    return total


@loop
def split_at(regions, at, address):  # type: ignore[no-untyped-def]
    """Cut a region in two at an address inside it, both as it was; False if there is no room."""
    nr = regions.nr[0]
    if nr == regions.row.shape[0]:
        return False
    for i in range(nr, at + 1, -1):
        for column in range(NR_COLUMNS):
            regions.row[i, column] = regions.row[i - 1, column]
    for column in range(NR_COLUMNS):
        regions.row[at + 1, column] = regions.row[at, column]
    regions.row[at, END] = regions.row[at + 1, START] = address
    regions.row[at + 1, PICKED] = -1
    regions.nr[0] = nr + 1
    return True
