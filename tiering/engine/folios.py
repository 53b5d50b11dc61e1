"""The folio array: one u32 per folio, and granules that share one time of last look.

Layout of the u32 (a constant below each): class | nid | flags. Folios of one VMA start at a granule
border, so folio index = granule * GRANULE + offset, and the last granule of a VMA may be short.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.jit import loop

GRANULE = 8192
"""Folios a granule: 32 MiB of 4 KiB folios."""
FOLIO_BYTES = 4096

CLASS_MASK = 0xFF  # rate class inside the granule
NID_SHIFT = 8
NID_MASK = 0xF00  # node, up to 16
SLOW = 0x1000  # the node is not top tier (kept beside nid so that a pass needs no table)
ACCESSED = 0x2000  # PTE accessed bit, latched: drawn, not yet cleared by an observer
IDLE = 0x4000  # idle flag of page idle tracking
YOUNG = 0x8000  # young flag; sticky until reclaim clears it


class Memory(NamedTuple):
    """All folios of a machine. Shapes: F folios (padded), G granules, R rows, N nodes.

    folio: u32[F]. nr: i32[G] folios in the granule. mm: i32[G] owner. row0: i32[G] first row of the
    granule. rows: i32[G] rows it uses. nr_slow: i32[G] folios not on the top tier. last: f64[G] the
    owner's work time (accesses) at the last look. looks: i64[G] looks so far and key: u64[G], which
    make the random key of a look. resident: i64[R, N] folios of a row on a node. free: i64[N]
    folios that still fit.
    """

    folio: NDArray[np.uint32]
    nr: NDArray[np.int32]
    mm: NDArray[np.int32]
    row0: NDArray[np.int32]
    rows: NDArray[np.int32]
    nr_slow: NDArray[np.int32]
    last: NDArray[np.float64]
    looks: NDArray[np.int64]
    key: NDArray[np.uint64]
    resident: NDArray[np.int64]
    free: NDArray[np.int64]


def nr_granules(nr_folios: int) -> int:
    """Granules that a VMA of that many folios takes."""
    return -(-nr_folios // GRANULE)


def empty_memory(nr_granule: int, nr_row: int, free: NDArray[np.int64]) -> Memory:
    """A machine without folios; `free` (i64[N], folios) is copied."""
    return Memory(
        folio=np.zeros(nr_granule * GRANULE, np.uint32),
        nr=np.zeros(nr_granule, np.int32),
        mm=np.zeros(nr_granule, np.int32),
        row0=np.zeros(nr_granule, np.int32),
        rows=np.zeros(nr_granule, np.int32),
        nr_slow=np.zeros(nr_granule, np.int32),
        last=np.zeros(nr_granule),
        looks=np.zeros(nr_granule, np.int64),
        key=np.zeros(nr_granule, np.uint64),
        resident=np.zeros((nr_row, free.size), np.int64),
        free=free.copy(),
    )


@loop
def place(memory, first, end, nid, slow):  # type: ignore[no-untyped-def]
    """Put folios [first, end) of the array, not yet placed, on node `nid`; books are kept."""
    tag = np.uint32(nid << NID_SHIFT) | (np.uint32(SLOW) if slow else np.uint32(0))
    for index in range(first, end):
        memory.folio[index] |= tag
        granule = index // GRANULE
        row = memory.row0[granule] + np.int64(memory.folio[index] & np.uint32(CLASS_MASK))
        memory.resident[row, nid] += 1
        memory.nr_slow[granule] += slow
    memory.free[nid] -= end - first


@loop
def move(memory, index, dst, slow):  # type: ignore[no-untyped-def]
    """Move one folio to node `dst` and keep the books; room must be there."""
    value = memory.folio[index]
    granule = index // GRANULE
    src = np.int64((value & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT))
    was_slow = np.int64((value & np.uint32(SLOW)) != 0)
    tag = np.uint32(dst << NID_SHIFT) | (np.uint32(SLOW) if slow else np.uint32(0))
    memory.folio[index] = (value & ~np.uint32(NID_MASK | SLOW)) | tag
    row = memory.row0[granule] + np.int64(value & np.uint32(CLASS_MASK))
    memory.resident[row, src] -= 1
    memory.resident[row, dst] += 1
    memory.nr_slow[granule] += slow - was_slow
    memory.free[src] += 1
    memory.free[dst] -= 1
