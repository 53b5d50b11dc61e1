"""Moving folios from a queue, paid by somebody's clock (docs/model.md#migration).

    t(batch of n folios of size s) = a + n (b + s / c)

a: per-batch cost with its TLB shootdown, b: per-folio cost, c: copy rate of one CPU, or what the
bandwidth of the two nodes leaves if that is less.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.chunks import END, FIRST, GRANULE_OF, STAMP, WAITING, next_offset
from tiering.engine.folios import (
    CLASS_MASK,
    FOLIO_BYTES,
    GRANULE,
    NID_MASK,
    NID_SHIFT,
    PINNED,
    SHARED,
    SLOW,
    UNTOUCHED,
    move,
)
from tiering.engine.jit import loop
from tiering.engine.look import latch, tau_at

NR_OUTCOMES = 6
MOVED, STALE, NO_ROOM, IS_PINNED, IS_SHARED, LIMITED = range(NR_OUTCOMES)
"""What became of a candidate: index into `outcome`."""
WINDOW_NS = 1_000_000_000
"""Accounting period of the rate limit, as of the kernel's promotion rate limit."""
STAMP_NS = 100_000_000
"""Unit of `Memory.stamp`; it wraps after 6,553.6 s."""


class Terms(NamedTuple):
    """On which terms folios move: node, ns for a batch and for a folio, copy rate in bytes per ns,
    folios a batch, pages that must stay free on `dst`, pages that may move per window (0 = any),
    whether shared folios are refused."""

    dst: int
    batch_ns: float
    folio_ns: float
    bytes_per_ns: float
    batch_nr: int
    reserve: int
    limit: int
    refuse_shared: bool


class Books(NamedTuple):
    """What moved: outcome i64[NR_OUTCOMES] candidates by what became of them; pages i64[1]
    promoted; from_nid i64[N] pages taken from each node; window i64[2]: begin of the accounting
    period (ns) and pages in it; age i64[2]: sum and maximum (ns) of the time that candidates
    waited; refused bool[N] nodes on which a candidate found no room; dirty bool[P] processes whose
    memory moved."""

    outcome: NDArray[np.int64]
    pages: NDArray[np.int64]
    from_nid: NDArray[np.int64]
    window: NDArray[np.int64]
    age: NDArray[np.int64]
    refused: NDArray[np.bool_]
    dirty: NDArray[np.bool_]


def books(nr_nodes: int, nr_processes: int) -> Books:
    """Nothing has moved yet."""
    return Books(
        np.zeros(NR_OUTCOMES, np.int64),
        np.zeros(1, np.int64),
        np.zeros(nr_nodes, np.int64),
        np.zeros(2, np.int64),
        np.zeros(2, np.int64),
        np.zeros(nr_nodes, np.bool_),
        np.zeros(nr_processes, np.bool_),
    )


@loop
def drain(memory, rates, scratch, queue, clock, until, pace, terms, books):  # type: ignore[no-untyped-def]
    """Promote waiting folios until the clock passes `until`; returns the clock.

    Stops as well at candidates that have not arrived yet. pace: see engine/flow.py; a granule
    is looked at before its first folio moves, since migration reads the PTEs. What is not moved
    costs b and no copy.
    """
    at = queue.at
    in_batch = 0
    spent = 0.0
    fresh = np.int64(-1)
    while at[FIRST] < at[END]:
        granule = queue.head[at[FIRST], GRANULE_OF]
        stamp = queue.head[at[FIRST], STAMP]
        if stamp > clock or (in_batch == 0 and clock >= until):
            break
        offset = next_offset(queue)
        if offset < 0:
            continue
        if in_batch == 0:
            spent = terms.batch_ns
        in_batch += 1
        spent += terms.folio_ns
        index = granule * GRANULE + offset
        pages = memory.pages[_row(memory, granule, index)]
        fate = _fate(memory, memory.folio[index], pages, clock, terms, books.window)
        books.outcome[fate] += 1
        books.refused[terms.dst] |= fate == NO_ROOM
        books.age[0] += clock - stamp
        books.age[1] = max(books.age[1], clock - stamp)
        if fate == MOVED:
            if fresh != granule:
                fresh = granule
                latch(memory, rates, scratch, granule, tau_at(memory, pace, granule, clock))
            _promote(memory, index, pages, clock, terms, books)
            spent += pages * FOLIO_BYTES / terms.bytes_per_ns
        if in_batch == terms.batch_nr or at[WAITING] == 0:
            clock += np.int64(spent + 0.5)
            in_batch = 0
    if in_batch > 0:
        clock += np.int64(spent + 0.5)
    return clock


@loop
def _row(memory, granule, index):  # type: ignore[no-untyped-def]
    return memory.row0[granule] + np.int64(memory.folio[index] & np.uint32(CLASS_MASK))


@loop
def _promote(memory, index, pages, clock, terms, books):  # type: ignore[no-untyped-def]
    nid = np.int64((memory.folio[index] & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT))
    books.from_nid[nid] += pages
    books.pages[0] += pages
    books.dirty[memory.mm[index // GRANULE]] = True
    move(memory, index, terms.dst, 0)
    memory.folio[index] |= np.uint32(UNTOUCHED)
    if memory.stamp.size > 0:
        memory.stamp[index] = np.uint16(max((clock // STAMP_NS) & 0xFFFF, 1))


@loop
def _fate(memory, value, pages, clock, terms, window):  # type: ignore[no-untyped-def]
    """What becomes of a candidate; a folio that may move is counted in the accounting period."""
    if value & np.uint32(SLOW) == 0:
        return STALE
    if value & np.uint32(PINNED):
        return IS_PINNED
    if terms.refuse_shared and value & np.uint32(SHARED):
        return IS_SHARED
    if memory.free[terms.dst] - pages < terms.reserve:
        return NO_ROOM
    if terms.limit > 0:
        if clock - window[0] >= WINDOW_NS:
            window[0] = clock - clock % WINDOW_NS
            window[1] = 0
        if window[1] + pages > terms.limit:
            return LIMITED
        window[1] += pages
    return MOVED
