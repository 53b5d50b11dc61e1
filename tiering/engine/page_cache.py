"""A read() of page cache that nobody maps is a mark_accessed (docs/model.md#page-cache)."""

import numpy as np

from tiering.engine.folios import (
    ACTIVE,
    AS_IT_IS,
    GRANULE,
    IDLE,
    INACTIVE,
    LIST_MASK,
    LIST_SHIFT,
    NID_MASK,
    NID_SHIFT,
    READ_AGAIN,
    READ_HOT,
    REFERENCED,
    REFS_MASK,
    REFS_SHIFT,
    SLOW,
    UNTOUCHED,
)
from tiering.engine.jit import loop

MOST_READS = 3  # the third read makes it active and referenced, where further ones leave it
WATCHED = 5
"""Reads that matter where somebody watches: from rest the fourth is hot, and the fifth again."""
WATCHED_BY_GENERATIONS = 7  # the sixth is, and the seventh
MOST_REFS = 4  # three of the counter in the folio's flags, and workingset


@loop
def reads_that_matter(memory, granule):  # type: ignore[no-untyped-def]
    """How many reads of one window change something, of folios that nobody maps."""
    return max(np.int64(memory.unmapped[granule]), MOST_READS)


@loop
def mark_accessed(memory, index):  # type: ignore[no-untyped-def]
    """One read of a folio that nobody maps: referenced at the first, active at the second.

    Mirrors folio_mark_accessed. On a node kept by generations nothing but REFERENCED is remembered,
    unless somebody watches: then reads are counted as well.
    """
    value = memory.folio[index]
    nid = np.int64((value & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT))
    here = np.int64((value & np.uint32(LIST_MASK)) >> np.uint32(LIST_SHIFT))
    granule = index // GRANULE
    by_lists = memory.entry[nid] == AS_IT_IS
    referenced = (value & np.uint32(REFERENCED)) != 0
    value &= ~np.uint32(UNTOUCHED | IDLE)
    if by_lists and referenced and here == INACTIVE:
        value = (value & ~np.uint32(REFERENCED | LIST_MASK)) | np.uint32(ACTIVE << LIST_SHIFT)
        memory.folio[index] = value
        pages = memory.pages[memory.row0[granule]]  # folios of a granule are of one order
        memory.on_list[nid, INACTIVE] -= pages
        memory.on_list[nid, ACTIVE] += pages
        if value & np.uint32(SLOW) == 0:
            memory.lists[granule, INACTIVE] -= 1
            memory.lists[granule, ACTIVE] += 1
    elif referenced and memory.unmapped[granule] > 1:
        memory.folio[index] = _read_hot(value, by_lists)
    else:
        memory.folio[index] = value | np.uint32(REFERENCED)


@loop
def _read_hot(value, by_lists):  # type: ignore[no-untyped-def]
    """The word of a folio after a read that changes no list; it is referenced, and active if its
    node is kept by lists. Hot is what is read when it can become no hotter, below the top tier."""
    refs = (value & np.uint32(REFS_MASK)) >> np.uint32(REFS_SHIFT)
    if not by_lists and refs < MOST_REFS:
        return np.uint32(value + np.uint32(1 << REFS_SHIFT))
    if value & np.uint32(SLOW) == 0:
        return np.uint32(value)
    return np.uint32(value | np.uint32(READ_AGAIN if value & np.uint32(READ_HOT) else READ_HOT))
