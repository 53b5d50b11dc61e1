"""The page-table walk of MGLRU with a callback, compiled (docs/model.md#lru-gen-walk).

A walk goes through the page tables of all mms once for every lower-tier node. A PTE of the node
whose accessed bit is set is cleared, its folio joins the youngest generation and is reported, in
batches that end with their mm at the latest. Mirrors lru_gen_scan_lruvec and walk_pte_range with
accessed_cb, of the patch that generalises the walk for klruscand.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.collect import collect
from tiering.engine.flow import TIME, next_tick
from tiering.engine.folios import (
    ACCESSED,
    AS_IT_IS,
    GRANULE,
    LIST_MASK,
    LIST_SHIFT,
    NID_MASK,
    NID_SHIFT,
    NR_LISTS,
)
from tiering.engine.jit import loop
from tiering.engine.look import latch, tau_at
from tiering.engine.reports import hand_on, has_room
from tiering.engine.touch import BLOCK

DUE, CURSOR, NODE, BATCH, BEGUN, WALKS = range(6)  # fields of `at`
NR_AT = 6
TABLE = 512
"""PTEs of a page table, and pages that a PMD maps."""


class Walk(NamedTuple):
    """Where the thread is. at: i64[NR_AT] begin of the next walk (ns), granule that is walked next
    or -1 while it sleeps, place of the node in `nodes`, folios of the batch, begin of this walk,
    walks so far. nodes: i64[L] nids of lower tiers. present: u16[G] PTEs populated of each page
    table of the granule."""

    at: NDArray[np.int64]
    nodes: NDArray[np.int64]
    present: NDArray[np.uint16]


class Rules(NamedTuple):
    """The knobs as the loops take them; ns are those of the clock."""

    interval_ns: int
    batch_nr: int
    pte_ns: float
    pte_skip_ns: float
    pte_none_ns: float


@loop
def scan_lruvecs(memory, rates, scratch, one, rules, clock, until, pace, found, stops):  # type: ignore[no-untyped-def]
    """Sleep and walk until the clock passes `until`, the buffer is full, or a batch was reported.

    If it does not stop at a batch it goes on to the end of that tick. Returns (clock, CPU ns,
    reports, runs, walks that ended, whether it stopped at a batch).
    """
    at = one.at
    n, nr_runs, nr_stamped, nr_ended = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    busy, stopped = np.int64(0), False
    while clock < until and not stopped and has_room(found, n, nr_runs):
        if at[CURSOR] < 0:
            if clock < at[DUE]:
                clock = min(at[DUE], until)
                continue
            at[CURSOR] = at[NODE] = at[BATCH] = 0
            at[BEGUN] = clock
            at[DUE] = clock + rules.interval_ns
        granule = at[CURSOR]
        before, begin = n, clock
        n, cost = _walk_granule(
            memory, rates, scratch, one, rules, granule, clock, pace, found.folios, n
        )
        clock += np.int64(cost + 0.5)
        busy += clock - begin
        if n > before:
            found.ends[nr_runs] = n
            nr_runs += 1
        at[BATCH] += n - before
        at[CURSOR] += 1
        last = at[CURSOR] == memory.nr.size
        if at[BATCH] >= rules.batch_nr or last or memory.mm[granule + 1] != memory.mm[granule]:
            nr_stamped = hand_on(found, nr_stamped, nr_runs, clock)
            stopped = stops and at[BATCH] > 0
            if at[BATCH] > 0:
                until = min(until, next_tick(max(clock, pace.at[TIME])))
            at[BATCH] = 0
        if last:
            nr_ended += _end_of_node(one)
            if nr_ended > 0:
                break
    hand_on(found, nr_stamped, nr_runs, clock)
    return clock, busy, n, nr_runs, nr_ended, stopped


@loop
def _end_of_node(one):  # type: ignore[no-untyped-def]
    """On to the next lruvec; 1 if that was the last one and the walk has ended."""
    at = one.at
    at[NODE] += 1
    at[CURSOR] = 0
    if at[NODE] < one.nodes.size:
        return 0
    at[CURSOR] = -1
    at[WALKS] += 1
    return 1


@loop
def _walk_granule(memory, rates, scratch, one, rules, granule, clock, pace, out, n):  # type: ignore[no-untyped-def]
    """Report the folios of a granule that are on the node and were accessed; (n, ns)."""
    nr = np.int64(memory.nr[granule])
    if nr == 0 or memory.unmapped[granule] != 0:
        return n, 0.0
    nid = one.nodes[one.at[NODE]]
    pages = memory.pages[memory.row0[granule]]
    own = np.int64(0)
    if memory.nr_slow[granule] > 0:
        latch(memory, rates, scratch, granule, tau_at(memory, pace, granule, clock))
        start = granule * GRANULE
        for base in range(0, nr, BLOCK):
            part = memory.folio[start + base : start + min(base + BLOCK, nr)]
            hit = scratch.hit[: part.size]
            own += _clear_young(part, hit, np.uint32(nid << NID_SHIFT))
            n = collect(hit, start + base, out, n, scratch.vector)
            if memory.entry[nid] != AS_IT_IS:
                _rejuvenate(memory, part, hit, nid, pages)
    entries = 1 if pages == TABLE else pages  # a huge page is one entry, and is not split
    present = np.int64(one.present[granule])
    empty = nr * pages * np.float64(TABLE - present) / present
    cost = entries * (own * rules.pte_ns + (nr - own) * rules.pte_skip_ns)
    return n, cost + empty * rules.pte_none_ns


@loop
def _clear_young(part, hit, mine):  # type: ignore[no-untyped-def]
    """hit[i] = 1 for folios of a block on the node that were accessed; their bits are cleared.

    Returns how many are on the node.
    """
    own = np.uint32(0)
    for i in range(part.size):
        value = part[i]
        here = np.uint32((value & np.uint32(NID_MASK)) == mine)
        young = here & np.uint32((value & np.uint32(ACCESSED)) != 0)
        hit[i] = young
        part[i] = value & ~np.uint32(ACCESSED) if young else value
        own += here
    return np.int64(own)


@loop
def _rejuvenate(memory, part, hit, nid, pages):  # type: ignore[no-untyped-def]
    """Folios of a block that were accessed join the youngest generation of a lower-tier node."""
    youngest = np.int64(memory.entry[nid]) % NR_LISTS
    for i in range(part.size):
        if hit[i]:
            here = np.int64((part[i] & np.uint32(LIST_MASK)) >> np.uint32(LIST_SHIFT))
            part[i] = (part[i] & ~np.uint32(LIST_MASK)) | np.uint32(youngest << LIST_SHIFT)
            memory.on_list[nid, here] -= pages
            memory.on_list[nid, youngest] += pages
