"""The PTE callback of kmmscand and kscand, a granule at a time (docs/model.md#pte-scan).

For a folio on the slow tier: the accessed bit is cleared; if it was set, idle is cleared and young
is set. The folio is useful if it is not idle or is young; afterwards idle is set. So the first walk
reports every slow folio, touched or not, and a folio touched once stays useful until reclaim clears
young. Top-tier folios are passed over before their accessed bit is read: what was drawn stays
latched. Mirrors the PTE entry callback of kmmscand (RFC V0); `referenced` and the notifier's young
bit are not looked at; the first is set by reclaim alone, on middle tiers, the second by nobody.

The walk supplies a callback for PTEs only, so the generic walker splits the mapping of every huge
page that it comes to. In V0 the callback of an empty PTE ends the walk of its VMA.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.collect import collect
from tiering.engine.folios import (
    ACCESSED,
    GRANULE,
    IDLE,
    NID_MASK,
    NID_SHIFT,
    SHARED,
    SLOW,
    UNTOUCHED,
    YOUNG,
    flagged,
    has,
)
from tiering.engine.jit import loop
from tiering.engine.look import begin, drawn_block, latch, tau_at
from tiering.engine.own import has_own
from tiering.engine.reports import has_room
from tiering.engine.touch import BLOCK
from tiering.sources.pte_target import count_granule

AS_INTENDED, AS_POSTED, TWO_WINDOWS = range(3)
"""Which folios are useful: `_update` and `_update_two_windows`."""
TABLE = 512
"""PTEs of a page table."""
NR_COUNTS = 7
VMA_SCANS, SLOWTIER, TOPTIER, IDLEPAGE, COLDPAGE, SPLITS, UNMAPPED = range(NR_COUNTS)
"""What is counted, PTEs but for VMA_SCANS and SPLITS; UNMAPPED: pages without, in pfn_walk.py."""


class KnownVma(NamedTuple):
    """What is known of a VMA that is walked. present: PTEs populated at the begin of each page
    table. shared: whether several mms map folios of it. split: i32[G] huge mappings of a granule
    that are split already. counts: i64[NR_COUNTS], of all threads. seen: i64[N] pages of
    top-tier nodes in this visit, empty where nobody asks (pte_target.py)."""

    present: int
    shared: bool
    split: NDArray[np.int32]
    counts: NDArray[np.int64]
    seen: NDArray[np.int64]


@loop
def walk_granule(memory, rates, scratch, granule, tau, out, n, test=AS_POSTED, skip=0, nid=-1):  # type: ignore[no-untyped-def]
    """Look at every folio of a granule at work time tau; useful folios go to out[n:].

    Returns the new n. `out` (u32) must have room for a whole granule. test, skip, nid: see
    `_update`.
    """
    n, _ = walk_and_count(memory, rates, scratch, granule, tau, out, n, test, skip, nid)
    return n


@loop(inline=True)
def walk_and_count(memory, rates, scratch, granule, tau, out, n, test, skip, nid):  # type: ignore[no-untyped-def]
    """As `walk_granule`; returns (the new n, slow folios that were idle before, counted only where
    two windows are asked for)."""
    nr = memory.nr[granule]
    if memory.hinted[granule] > 0 or has_own(memory.own, granule):  # a touch is more than a draw
        return _walk_latched(memory, rates, scratch, granule, nr, tau, out, n, test, skip, nid)
    key, before = begin(memory, rates, scratch, granule, tau)
    start = granule * GRANULE
    cold = np.int64(0)
    for base in range(0, nr, BLOCK):
        first = start + base
        part = memory.folio[first : first + min(BLOCK, nr - base)]
        drawn_block(memory, rates, scratch, granule, base, part, key, before, tau)
        n, idle = _walk_block(part, first, scratch, out, n, test, skip, nid)
        cold += idle
    return n, cold


@loop(inline=True)
def _walk_block(part, first, scratch, out, n, test, skip, nid):  # type: ignore[no-untyped-def]
    """Walk the PTEs of a block whose touches are in scratch.touched; returns as
    `walk_and_count`."""
    hit, cold = scratch.hit[: part.size], np.int64(0)
    if test == TWO_WINDOWS:
        cold = _update_two_windows(part, scratch.touched, hit, skip, nid)
    else:
        _update(part, scratch.touched, hit, test, skip, nid)
    return collect(hit, first, out, n, scratch.vector), cold


@loop
def _update(part, touched, hit, test, skip, nid):  # type: ignore[no-untyped-def]
    """Flags of the folios in `part` after their PTEs were walked; hit[i] = 1 if useful.

    test: AS_POSTED, or AS_INTENDED for the accessed bit of this visit alone. skip: SHARED to pass
    over shared folios, or 0. nid: of the slow node whose folios are looked at, or -1 for all.
    Without branches, so that the compiler makes vector code of it.
    """
    posted = np.uint32(test)
    where, wanted = _looked_at(skip, nid)
    for i in range(part.size):
        seen = has(touched[i], 1)
        folio = flagged(part[i], ACCESSED, UNTOUCHED) if seen else part[i]
        young = has(folio, ACCESSED | YOUNG)
        walked = flagged(folio, IDLE | YOUNG, ACCESSED) if young else flagged(folio, IDLE, ACCESSED)
        slow = np.uint32(folio & where) == wanted
        sticky = np.uint32(young | (not has(folio, IDLE))) & posted
        hit[i] = np.uint32(slow) & (np.uint32(has(folio, ACCESSED)) | sticky)
        part[i] = walked if slow else folio


@loop
def _update_two_windows(part, touched, hit, skip, nid):  # type: ignore[no-untyped-def]
    """As `_update`, of kscand V3: useful is what was accessed in this window and the one before.

    Idle is set before the accessed bit is tested, so it says afterwards whether this window had no
    access; a folio that was never walked is not idle, and one window is enough. Returns how many
    were idle before: none of them is useful.
    """
    where, wanted = _looked_at(skip, nid)
    cold = np.uint32(0)
    for i in range(part.size):
        seen = has(touched[i], 1)
        folio = flagged(part[i], ACCESSED, UNTOUCHED) if seen else part[i]
        accessed = has(folio, ACCESSED)
        walked = flagged(folio, YOUNG, ACCESSED | IDLE) if accessed else flagged(folio, IDLE, 0)
        slow = np.uint32(folio & where) == wanted
        hit[i] = np.uint32(slow) & np.uint32(accessed) & np.uint32(not has(folio, IDLE))
        cold += np.uint32(slow) & np.uint32(has(folio, IDLE))
        part[i] = walked if slow else folio
    return np.int64(cold)


@loop(inline=True)
def _looked_at(skip, nid):  # type: ignore[no-untyped-def]
    """(bits, their value) of the words of folios that are looked at."""
    where, wanted = np.uint32(SLOW | skip), np.uint32(SLOW)
    if nid >= 0:
        where |= np.uint32(NID_MASK)
        wanted |= np.uint32(nid << NID_SHIFT)
    return where, wanted


@loop
def _walk_latched(memory, rates, scratch, granule, nr, tau, out, n, test, skip, nid):  # type: ignore[no-untyped-def]
    """As `walk_and_count`, of the first `nr` folios alone; all of the granule is latched."""
    latch(memory, rates, scratch, granule, tau)
    start, cold = granule * GRANULE, np.int64(0)
    for i in range(min(nr, BLOCK)):
        scratch.touched[i] = 0
    for first in range(start, start + nr, BLOCK):
        part = memory.folio[first : min(first + BLOCK, start + nr)]
        n, idle = _walk_block(part, first, scratch, out, n, test, skip, nid)
        cold += idle
    return n, cold


@loop
def walk(memory, rates, scratch, granule, end, clock, until, pace, rules, vma, most, out, n, runs):  # type: ignore[no-untyped-def]
    """Walk granules [granule, end) of one VMA until the clock passes `until` or `out` is full.

    Ends as well with the granule with which `most` pages were scanned.

    clock, until: ns of the thread's own clock. pace: see engine/flow.py. rules: see pte_state.py (a
    large folio costs as many PTEs as it has pages, since the walk splits its mapping). Each granule
    is read at its own time. Useful folios are added to out.folios[n:], and where those of each
    granule end to out.ends[runs:]. Returns (granule, clock, n, runs, PTEs scanned).
    """
    scanned = np.int64(0)
    while granule < end and clock < until and scanned < most and has_room(out, n, runs):
        nr, nr_slow = np.int64(memory.nr[granule]), np.int64(memory.nr_slow[granule])
        pages = memory.pages[memory.row0[granule]]
        holes = vma.present < TABLE
        stops = holes and rules.stops
        if stops:
            nr = min(nr, vma.present // pages)
            nr_slow = _slow_ones(memory, granule, nr)
        before, cold = n, np.int64(0)
        if nr_slow > 0:  # a granule wholly on the top tier is passed over: nobody reads a bit
            tau = tau_at(memory, pace, granule, clock)
            if stops:
                n, cold = _walk_latched(
                    memory, rates, scratch, granule, nr, tau, out.folios, n, rules.test, rules.skip,
                    -1,
                )  # fmt: skip
            else:
                n, cold = walk_and_count(
                    memory, rates, scratch, granule, tau, out.folios, n, rules.test, rules.skip, -1
                )
            if n > before:
                out.ends[runs] = n
                runs += 1
        if vma.seen.size > 0:
            tau = tau_at(memory, pace, granule, clock)
            count_granule(memory, rates, scratch, granule, tau, rules, vma.seen)
        cost = nr_slow * rules.pte_slow_ns + (nr - nr_slow) * rules.pte_top_ns
        if holes:
            cost += _empty_ptes(nr, vma.present, pages, stops) * rules.pte_none_ns
        _count(memory, granule, nr, nr_slow, n - before, cold, pages, rules, vma)
        clock += np.int64(pages * cost + 0.5)
        scanned += pages * nr
        granule = end if stops else granule + 1
    return granule, clock, n, runs, scanned


@loop
def _empty_ptes(nr, present, pages, stops):  # type: ignore[no-untyped-def]
    """Empty PTEs that are read beside those of `nr` folios, in folios: of all their page tables,
    or the one that ends the walk."""
    if stops:
        return 1.0 / pages
    return nr * np.float64(TABLE - present) / present


@loop
def _slow_ones(memory, granule, nr):  # type: ignore[no-untyped-def]
    """Slow-tier folios among the first `nr` of a granule."""
    found, first = np.int64(0), granule * GRANULE
    for index in range(first, first + nr):
        found += np.int64(has(memory.folio[index], SLOW))
    return found


@loop
def _count(memory, granule, nr, nr_slow, useful, cold, pages, rules, vma):  # type: ignore[no-untyped-def]
    """What the kernel counts of a granule of which the first `nr` folios were walked."""
    top = nr - nr_slow
    if rules.skip != 0 and vma.shared:  # passed over before their tier is asked for
        first = granule * GRANULE
        for index in range(first, first + nr):
            if has(memory.folio[index], SHARED):
                if has(memory.folio[index], SLOW):
                    nr_slow -= 1
                else:
                    top -= 1
    counts = vma.counts
    counts[SLOWTIER] += nr_slow * pages
    counts[TOPTIER] += top * pages
    counts[IDLEPAGE] += (nr_slow - useful) * pages
    counts[COLDPAGE] += cold * pages
    if pages == TABLE and nr > vma.split[granule]:
        counts[SPLITS] += nr - vma.split[granule]
        vma.split[granule] = nr
