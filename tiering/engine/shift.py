"""Moving many folios of one granule at once: the books are kept by class, not by folio."""

import numpy as np

from tiering.engine.folios import (
    AS_IT_IS,
    CLASS_MASK,
    LIST_MASK,
    LIST_SHIFT,
    NID_MASK,
    NID_SHIFT,
    NR_LISTS,
    SLOW,
    hold,
)
from tiering.engine.jit import loop

PLACE = np.uint32(NID_MASK | CLASS_MASK)
STAYS = np.uint32(~(NID_MASK | SLOW | LIST_MASK) & 0xFFFFFFFF)
_LIST_SHIFT = np.uint32(LIST_SHIFT)
_LIST = np.uint32(NR_LISTS - 1)
_NID_SHIFT = np.uint32(NID_SHIFT)
_NID = np.uint32(NID_MASK >> NID_SHIFT)
_SLOW_SHIFT = np.uint32(SLOW.bit_length() - 1)


@loop
def shift(memory, scratch, granule, indices, nr, dst, slow, flags, without):  # type: ignore[no-untyped-def]
    """Move folios indices[:nr] (u32) of a granule to node `dst`; room must be there.

    slow: 1 if dst is not top tier. flags, without: u32 flags that they get and lose. Returns the
    pages of one folio.
    """
    pages = memory.pages[memory.row0[granule]]
    if nr == 0:
        return pages
    places, lists = scratch.places, scratch.lists
    entry = np.int64(memory.entry[dst])
    tag = np.uint32(dst << NID_SHIFT) | (np.uint32(SLOW) if slow else np.uint32(0)) | flags
    kept = STAYS & ~without
    was_slow = np.uint32(0)
    if entry == AS_IT_IS:
        kept |= np.uint32(LIST_MASK)
    else:
        tag |= np.uint32(entry << LIST_SHIFT)
    for i in range(nr):
        value = memory.folio[indices[i]]
        places[value & PLACE] += 1
        was_slow += (value >> _SLOW_SHIFT) & np.uint32(1)
        here = (value >> _LIST_SHIFT) & _LIST
        lists[((value >> _NID_SHIFT) & _NID) * np.uint32(NR_LISTS) + here] += 1
        memory.folio[indices[i]] = (value & kept) | tag
    _book_rows(memory, scratch, granule, dst, pages)
    _book_lists(memory, scratch, granule, dst, slow, was_slow == 0, pages)
    sank = (nr if slow else 0) - np.int64(was_slow)
    memory.nr_slow[granule] += sank
    hold(memory, granule, -sank * pages)
    return pages


@loop
def _book_rows(memory, scratch, granule, dst, pages):  # type: ignore[no-untyped-def]
    """Take scratch.places into the books of rows and nodes, and clear it."""
    row0, rows = np.int64(memory.row0[granule]), np.int64(memory.rows[granule])
    for nid in range(memory.free.size):
        moved = np.int64(0)
        for c in range(rows):
            nr = np.int64(scratch.places[(nid << NID_SHIFT) + c])
            if nr > 0:
                scratch.places[(nid << NID_SHIFT) + c] = 0
                memory.resident[row0 + c, nid] -= nr
                memory.resident[row0 + c, dst] += nr
                moved += nr
        memory.free[nid] += moved * pages
        memory.free[dst] -= moved * pages


@loop
def _book_lists(memory, scratch, granule, dst, slow, from_top, pages):  # type: ignore[no-untyped-def]
    """Take scratch.lists into the books of lists, and clear it."""
    entry = np.int64(memory.entry[dst])
    for nid in range(memory.free.size):
        for here in range(NR_LISTS):
            nr = np.int64(scratch.lists[nid * NR_LISTS + here])
            if nr == 0:
                continue
            scratch.lists[nid * NR_LISTS + here] = 0
            there = here if entry == AS_IT_IS else entry
            memory.on_list[nid, here] -= nr * pages
            memory.on_list[dst, there] += nr * pages
            if from_top:
                memory.lists[granule, here] -= nr
            if not slow:
                memory.lists[granule, there] += nr
