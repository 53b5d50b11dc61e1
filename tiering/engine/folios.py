"""The folio array: one u32 per folio, and granules that share one time of last look.

Layout of the u32 (a constant below each): class | nid | flags | list. Folios of one VMA start at a
granule border, so folio index = granule * GRANULE + offset. A granule is 32 MiB of address space:
8,192 folios of order 0, 512 of order 4, 16 of order 9; the slots that are left over stay empty, as
do those of folios that are not populated yet. What is populated is always the begin of a granule,
and of a VMA.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.jit import loop
from tiering.engine.own import OwnLooks, own_looks

GRANULE = 8192
"""Slots of a granule: 32 MiB of 4 KiB folios."""
FOLIO_BYTES = 4096
ORDERS = (0, 4, 9)
"""Folio orders there are: 4 KiB, 64 KiB and 2 MiB."""

CLASS_MASK = 0xFF  # rate class inside the granule; stays when the folio is freed
NID_SHIFT = 8
NID_MASK = 0xF00  # node, up to 16
SLOW = 0x1000  # the node is not top tier (kept beside nid so that a pass needs no table)
ACCESSED = 0x2000  # PTE accessed bit, latched: drawn, not yet cleared by an observer
IDLE = 0x4000  # idle flag of page idle tracking
YOUNG = 0x8000  # young flag; sticky until reclaim clears it
REFERENCED = 0x10000  # seen referenced once by reclaim, or by mark_accessed
LIST_SHIFT = 17
LIST_MASK = 0x60000  # 0 inactive, 1 active; or the generation modulo 4
PINNED = 0x80000  # extra references: migration fails
SHARED = 0x100000  # mapped by more than one mm
UNTOUCHED = 0x200000  # promoted, and not seen touched since
HINT = 0x400000  # PROT_NONE for NUMA balancing: the next touch is a hint fault
FAULTED = 0x800000  # a look saw that touch, and nobody has handled the fault yet
REMEMBERED = 0x1000000  # somebody's hint fault on it is remembered (last_cpupid is set)
READ_HOT = 0x2000000  # unmapped page cache, read while it was active and referenced already
READ_AGAIN = 0x4000000  # more than once, since somebody took note of it
TIMED = 0x8000000  # the time of such a read is remembered (last_cpupid holds it)
REFS_SHIFT = 28
REFS_MASK = 0x70000000  # reads of a referenced folio on a node kept by generations, up to 4
KEPT = 0x1800FF  # class, pinned and shared: what a folio is whether populated or not

NR_LISTS = 4
INACTIVE, ACTIVE = 0, 1
AS_IT_IS = 255
"""`entry` of a node on which a folio that moves in stays on the list that it was on."""


class Memory(NamedTuple):
    """All folios of a machine. Shapes: F folios (padded), G granules, R rows, N nodes.

    folio: u32[F]. nr: i32[G] populated folios of the granule. mm: i32[G] owner. row0: i32[G] first
    row of the granule. rows: i32[G] rows it uses. nr_slow: i32[G] folios not on the top tier. last:
    f64[G] the owner's work time (accesses) at the last look. looks: i64[G] looks so far and key:
    u64[G], which make the random key of a look. sweep: i32[G] row of the table of sweeps, -1 for
    touches that are Poisson. unmapped: u8[G] 1 for page cache that is in nobody's page table, more
    where somebody watches for reads of what is hot: so many reads of a window matter then.
    lists: i32[G, NR_LISTS] top-tier folios by list. hinted: i32[G] folios with HINT. stamp:
    u16[F] when the folio was promoted, or empty if nobody asks. pages: i64[R] 4 KiB pages of a
    folio of the row. resident: i64[R, N] folios of a row on a node. on_list: i64[N, NR_LISTS] pages
    of a node by list. free: i64[N] pages that still fit. entry: u8[N] list on which folios begin on
    a node. group: i64[P] class of each process, or empty if classes do not matter; held: i64[C]
    pages of each class on the top tier. own: folios with a look of their own, empty if nobody
    samples single ones.
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
    sweep: NDArray[np.int32]
    unmapped: NDArray[np.uint8]
    lists: NDArray[np.int32]
    hinted: NDArray[np.int32]
    stamp: NDArray[np.uint16]
    pages: NDArray[np.int64]
    resident: NDArray[np.int64]
    on_list: NDArray[np.int64]
    free: NDArray[np.int64]
    entry: NDArray[np.uint8]
    group: NDArray[np.int64]
    held: NDArray[np.int64]
    own: OwnLooks


def nr_granules(nr_folios: int, order: int = 0) -> int:
    """Granules that a VMA of that many folios takes."""
    return -(-(nr_folios << order) // GRANULE)


def empty_memory(
    nr_granule: int,
    nr_row: int,
    free: NDArray[np.int64],
    stamps: bool = False,
    sampled: bool = False,
) -> Memory:
    """A machine without folios, rows of order 0; `free` (i64[N], pages) is copied."""
    stamp = np.empty(nr_granule * GRANULE if stamps else 0, np.uint16)
    stamp.fill(0)  # written now, so that no page of it has to come while the run is on
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
        sweep=np.full(nr_granule, -1, np.int32),
        unmapped=np.zeros(nr_granule, np.uint8),
        lists=np.zeros((nr_granule, NR_LISTS), np.int32),
        hinted=np.zeros(nr_granule, np.int32),
        stamp=stamp,
        pages=np.ones(nr_row, np.int64),
        resident=np.zeros((nr_row, free.size), np.int64),
        on_list=np.zeros((free.size, NR_LISTS), np.int64),
        free=free.copy(),
        entry=np.zeros(free.size, np.uint8),
        group=np.zeros(0, np.int64),
        held=np.zeros(0, np.int64),
        own=own_looks(nr_granule if sampled else 0),
    )


@loop
def hold(memory, granule, pages):  # type: ignore[no-untyped-def]
    """Count pages of the granule that came to the top tier, or left it if less than 0."""
    if memory.group.size > 0:
        memory.held[memory.group[memory.mm[granule]]] += pages


@loop(inline=True)
def has(folio, flags):  # type: ignore[no-untyped-def]
    """Whether a folio word (u32) has any of `flags`."""
    return np.uint32(folio & np.uint32(flags)) != np.uint32(0)


@loop(inline=True)
def flagged(folio, flags, without):  # type: ignore[no-untyped-def]
    """A folio word (u32) with `flags` and without those others.

    Here and in `has` each step stays 32 bits wide: a pass over folio words that uses them becomes
    vector code of 16 folios an instruction, not 8.
    """
    return np.uint32(np.uint32(folio & np.uint32(~without & 0xFFFFFFFF)) | np.uint32(flags))


@loop
def place(memory, granule, nr, nid, slow):  # type: ignore[no-untyped-def]
    """Populate the next `nr` folios of a granule on node `nid`; room must be there."""
    tag = np.uint32(nid << NID_SHIFT) | (np.uint32(SLOW) if slow else np.uint32(0))
    entry = np.int64(memory.entry[nid]) % AS_IT_IS
    tag |= np.uint32(entry << LIST_SHIFT)
    first = granule * GRANULE + memory.nr[granule]
    pages = np.int64(0)
    for index in range(first, first + nr):
        value = memory.folio[index] & np.uint32(KEPT)
        memory.folio[index] = value | tag
        row = memory.row0[granule] + np.int64(value & np.uint32(CLASS_MASK))
        memory.resident[row, nid] += 1
        pages += memory.pages[row]
    memory.nr[granule] += nr
    memory.nr_slow[granule] += nr if slow else 0
    if not slow:
        memory.lists[granule, entry] += nr
        hold(memory, granule, pages)
    memory.on_list[nid, entry] += pages
    memory.free[nid] -= pages


@loop
def fill(memory, granule, per_granule, first, end, nid, slow):  # type: ignore[no-untyped-def]
    """Populate folios [first, end) of a VMA that begins at `granule`, in order, on node `nid`."""
    while first < end:
        nr = min(end, (first // per_granule + 1) * per_granule) - first
        place(memory, granule + first // per_granule, nr, nid, slow)
        first += nr


@loop
def unplace(memory, first, end):  # type: ignore[no-untyped-def]
    """Free all folios of granules [first, end); returns the pages freed."""
    freed = np.int64(0)
    for granule in range(first, end):
        start = granule * GRANULE
        for index in range(start, start + memory.nr[granule]):
            value = memory.folio[index]
            nid = np.int64((value & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT))
            row = memory.row0[granule] + np.int64(value & np.uint32(CLASS_MASK))
            memory.resident[row, nid] -= 1
            pages = memory.pages[row]
            memory.on_list[nid, (value & np.uint32(LIST_MASK)) >> np.uint32(LIST_SHIFT)] -= pages
            memory.free[nid] += pages
            freed += pages
            memory.folio[index] = value & np.uint32(KEPT)
        top = np.int64(memory.nr[granule]) - np.int64(memory.nr_slow[granule])
        hold(memory, granule, -top * memory.pages[memory.row0[granule]])
        if memory.stamp.size > 0:
            memory.stamp[start : start + memory.nr[granule]] = 0
        memory.nr[granule] = 0
        memory.nr_slow[granule] = 0
        memory.lists[granule, :] = 0
        memory.hinted[granule] = 0
    return freed


@loop
def move(memory, index, dst, slow):  # type: ignore[no-untyped-def]
    """Move one folio to node `dst` and keep the books; room must be there."""
    value = memory.folio[index]
    granule = index // GRANULE
    src = np.int64((value & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT))
    here = np.int64((value & np.uint32(LIST_MASK)) >> np.uint32(LIST_SHIFT))
    there = here if memory.entry[dst] == AS_IT_IS else np.int64(memory.entry[dst])
    was_slow = np.int64((value & np.uint32(SLOW)) != 0)
    tag = np.uint32((dst << NID_SHIFT) | (there << LIST_SHIFT))
    tag |= np.uint32(SLOW) if slow else np.uint32(0)
    memory.folio[index] = (value & ~np.uint32(NID_MASK | SLOW | LIST_MASK)) | tag
    row = memory.row0[granule] + np.int64(value & np.uint32(CLASS_MASK))
    memory.resident[row, src] -= 1
    memory.resident[row, dst] += 1
    memory.nr_slow[granule] += slow - was_slow
    memory.lists[granule, here] -= 1 - was_slow
    memory.lists[granule, there] += 1 - slow
    pages = memory.pages[row]
    memory.on_list[src, here] -= pages
    memory.on_list[dst, there] += pages
    memory.free[src] += pages
    memory.free[dst] -= pages
    hold(memory, granule, pages * (was_slow - slow))
