"""Reclaim from a node by active and inactive lists: who sinks (docs/model.md#reclaim).

kswapd looks at inactive folios: referenced since the last look, one goes to the active list at the
second time (and is marked referenced at the first); not referenced, it is demoted. Where inactive
folios are few, active ones are deactivated, whatever their accessed bit, which is cleared. Mirrors
shrink_inactive_list, shrink_active_list and folio_check_references. Page cache that nobody maps has
no accessed bit: what was read twice has become active by itself (engine/look.py), and the rest is
demoted, referenced or not.

The order inside a list is by a hand that goes around the granules, not by the time at which each
folio was put there: a list in the kernel's order would take eight bytes a folio.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import (
    ACCESSED,
    ACTIVE,
    FOLIO_BYTES,
    IDLE,
    INACTIVE,
    LIST_MASK,
    LIST_SHIFT,
    NID_MASK,
    NID_SHIFT,
    PINNED,
    REFERENCED,
    UNTOUCHED,
    YOUNG,
)
from tiering.engine.jit import loop
from tiering.engine.look import latch, tau_at
from tiering.engine.migrate import STAMP_NS, stamp_age
from tiering.engine.pick import pick
from tiering.engine.shift import shift

REFS = np.uint32(ACCESSED | YOUNG)
HAND, ACTIVE_HAND, MIN_SEQ, MAX_SEQ, AGE_HAND, IDLE_STEPS, AGED = range(7)
NR_STATE = 7
"""Fields of the state of a node's kswapd."""


class Sink(NamedTuple):
    """Where and on which terms folios of a node sink. targets: i64[N, T] nodes of lower tiers in
    order of preference, filled up with -1. reserve: i64[N] pages that must stay free on each. slow:
    u8[N] 1 for a node that is not top tier. mglru: by generations, not by lists. rmap_ns, age_ns:
    looking at one folio by rmap, at one PTE when aging. folio_ns: demoting one, without the copy.
    bytes_per_ns: copy rate. again_ns: a demotion this soon after the promotion is ping-pong."""

    targets: NDArray[np.int64]
    reserve: NDArray[np.int64]
    slow: NDArray[np.uint8]
    mglru: bool
    rmap_ns: float
    age_ns: float
    folio_ns: float
    bytes_per_ns: float
    again_ns: int


class Sunk(NamedTuple):
    """What sank. pages: i64[1] demoted. failed: i64[1] folios that found no room below. scanned:
    i64[1] folios looked at. untouched: i64[1] demoted without a touch since their promotion. again:
    i64[1] demoted soon after it. from_nid, to_nid: i64[N] pages. dirty: bool[P] see Books."""

    pages: NDArray[np.int64]
    failed: NDArray[np.int64]
    scanned: NDArray[np.int64]
    untouched: NDArray[np.int64]
    again: NDArray[np.int64]
    from_nid: NDArray[np.int64]
    to_nid: NDArray[np.int64]
    dirty: NDArray[np.bool_]


def sunk(nr_nodes: int, dirty: NDArray[np.bool_]) -> Sunk:
    """Nothing has sunk yet; `dirty` is shared with the books of promotion."""
    return Sunk(
        pages=np.zeros(1, np.int64),
        failed=np.zeros(1, np.int64),
        scanned=np.zeros(1, np.int64),
        untouched=np.zeros(1, np.int64),
        again=np.zeros(1, np.int64),
        from_nid=np.zeros(nr_nodes, np.int64),
        to_nid=np.zeros(nr_nodes, np.int64),
        dirty=dirty,
    )


@loop
def seen(value):  # type: ignore[no-untyped-def]
    """A folio word after its references were counted: accessed and young are cleared, and idle if
    a CPU accessed it, not for young alone (folio_referenced_one)."""
    idle = np.uint32(IDLE) if value & np.uint32(ACCESSED) else np.uint32(0)
    return value & ~(REFS | idle)


@loop
def shrink(memory, rates, scratch, nid, state, clock, until, pace, wanted, sink, sunk):  # type: ignore[no-untyped-def]
    """Demote until `wanted` pages of the node are free, the clock passes `until`, or a whole round
    of the hand found nothing to demote; returns the clock."""
    nr = memory.nr.size
    while memory.free[nid] < wanted and clock < until and state[IDLE_STEPS] < 2 * nr:
        granule = state[HAND]
        before = sunk.pages[0]
        if has_any(memory, granule, sink.slow[nid], INACTIVE):
            spent = _shrink_inactive(
                memory, rates, scratch, nid, granule, clock, pace, wanted, sink, sunk
            )
            clock += np.int64(spent + 0.5)
        state[HAND] = granule + 1 if granule + 1 < nr else 0
        state[IDLE_STEPS] = 0 if sunk.pages[0] > before else state[IDLE_STEPS] + 1
        steps = 0
        while inactive_is_low(memory, nid) and steps < nr:
            granule = state[ACTIVE_HAND]
            if has_any(memory, granule, sink.slow[nid], ACTIVE):
                spent = _deactivate(memory, rates, scratch, nid, granule, clock, pace, sink, sunk)
                clock += np.int64(spent + 0.5)
            state[ACTIVE_HAND] = granule + 1 if granule + 1 < nr else 0
            steps += 1
    return clock


@loop
def has_any(memory, granule, slow, which):  # type: ignore[no-untyped-def]
    """Whether the granule may hold folios of a node on that list."""
    if slow:
        return memory.nr_slow[granule] > 0
    return memory.lists[granule, which] > 0


@loop
def inactive_is_low(memory, nid):  # type: ignore[no-untyped-def]
    """Whether active pages outweigh inactive ones more than sqrt(10 x GiB) to 1."""
    inactive, active = memory.on_list[nid, INACTIVE], memory.on_list[nid, ACTIVE]
    gib = (inactive + active) >> 18
    ratio = np.int64(1)
    while (ratio + 1) * (ratio + 1) <= 10 * gib:
        ratio += 1
    return inactive * ratio < active


@loop
def count_relisted(memory, granule, nid, here, there, nr, slow):  # type: ignore[no-untyped-def]
    """Keep the books of `nr` folios of a granule and node that went from one list to another."""
    pages = memory.pages[memory.row0[granule]]  # folios of a granule are of one order
    memory.on_list[nid, here] -= nr * pages
    memory.on_list[nid, there] += nr * pages
    if not slow:
        memory.lists[granule, here] -= nr
        memory.lists[granule, there] += nr


@loop
def _shrink_inactive(memory, rates, scratch, nid, granule, clock, pace, wanted, sink, sunk):  # type: ignore[no-untyped-def]
    """Look at the inactive folios of a granule; returns the ns spent."""
    latch(memory, rates, scratch, granule, tau_at(memory, pace, granule, clock))
    mine = np.uint32((nid << NID_SHIFT) | (INACTIVE << LIST_SHIFT))
    found = pick(memory, scratch, granule, np.uint32(NID_MASK | LIST_MASK), mine)
    looked, old, able, active = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    enough = needed(memory, granule, nid, wanted)
    while looked < found and able < enough:
        index = scratch.found[looked]
        value = memory.folio[index]
        looked += 1
        if value & REFS == 0:
            memory.folio[index] = value & ~np.uint32(REFERENCED)
            scratch.chosen[old] = index
            old += 1
            able += 1 if value & np.uint32(PINNED) == 0 else 0
        elif value & np.uint32(REFERENCED):
            there = np.uint32(ACTIVE << LIST_SHIFT)
            memory.folio[index] = (seen(value) & ~np.uint32(LIST_MASK)) | there
            active += 1
        else:
            memory.folio[index] = seen(value) | np.uint32(REFERENCED)
    count_relisted(memory, granule, nid, INACTIVE, ACTIVE, active, sink.slow[nid])
    sunk.scanned[0] += looked
    return looked * sink.rmap_ns + demote(memory, scratch, granule, nid, old, clock, sink, sunk)


@loop
def needed(memory, granule, nid, wanted):  # type: ignore[no-untyped-def]
    """Folios of the granule that would free enough of the node, if none is pinned."""
    pages = memory.pages[memory.row0[granule]]
    return -(-(wanted - memory.free[nid]) // pages)


@loop
def _deactivate(memory, rates, scratch, nid, granule, clock, pace, sink, sunk):  # type: ignore[no-untyped-def]
    """Put the active folios of a granule onto the inactive list; returns the ns spent."""
    latch(memory, rates, scratch, granule, tau_at(memory, pace, granule, clock))
    mine = np.uint32((nid << NID_SHIFT) | (ACTIVE << LIST_SHIFT))
    found = pick(memory, scratch, granule, np.uint32(NID_MASK | LIST_MASK), mine)
    for i in range(found):
        index = scratch.found[i]
        value = seen(memory.folio[index])
        memory.folio[index] = (value & ~np.uint32(LIST_MASK)) | np.uint32(INACTIVE << LIST_SHIFT)
    count_relisted(memory, granule, nid, ACTIVE, INACTIVE, found, sink.slow[nid])
    sunk.scanned[0] += found
    return found * sink.rmap_ns


@loop
def demote(memory, scratch, granule, nid, nr, clock, sink, sunk):  # type: ignore[no-untyped-def]
    """Move folios scratch.chosen[:nr] of a granule down, as far as there is room below.

    Pinned ones stay. Returns the ns spent; what found no room costs all but the copy.
    """
    pages = memory.pages[memory.row0[granule]]
    dst = np.int64(-1)
    room, moved, failed = np.int64(0), np.int64(0), np.int64(0)
    for i in range(nr):
        index = scratch.chosen[i]
        if memory.folio[index] & np.uint32(PINNED):
            failed += 1
            continue
        if room < pages:
            _sink(memory, scratch, granule, nid, moved, dst, sink, sunk)
            moved = np.int64(0)
            dst = _lower_node(memory, nid, pages, sink)
            room = memory.free[dst] - sink.reserve[dst] if dst >= 0 else np.int64(0)
        if dst < 0:
            failed += 1
            continue
        _account(memory, index, pages, clock, sink, sunk)
        scratch.chosen[moved] = index
        moved += 1
        room -= pages
    _sink(memory, scratch, granule, nid, moved, dst, sink, sunk)
    sunk.failed[0] += failed
    return nr * sink.folio_ns + (nr - failed) * pages * FOLIO_BYTES / sink.bytes_per_ns


@loop
def _lower_node(memory, nid, pages, sink):  # type: ignore[no-untyped-def]
    """The first node below `nid` with room for one more folio, or -1."""
    for target in sink.targets[nid]:
        if target >= 0 and memory.free[target] - pages >= sink.reserve[target]:
            return target
    return np.int64(-1)


@loop
def _account(memory, index, pages, clock, sink, sunk):  # type: ignore[no-untyped-def]
    """Whether the folio rose for nothing, or not long ago."""
    if memory.folio[index] & np.uint32(UNTOUCHED):
        sunk.untouched[0] += pages
    if memory.stamp.size > 0 and memory.stamp[index] > 0:
        ago = stamp_age(memory.stamp[index], clock) * STAMP_NS
        sunk.again[0] += pages if ago <= sink.again_ns else 0
        memory.stamp[index] = 0


@loop
def _sink(memory, scratch, granule, nid, nr, dst, sink, sunk):  # type: ignore[no-untyped-def]
    """Move scratch.chosen[:nr] to node dst and account it."""
    if nr == 0:
        return
    pages = nr * shift(
        memory, scratch, granule, scratch.chosen, nr, dst, np.int64(sink.slow[dst]), np.uint32(0),
        np.uint32(UNTOUCHED),
    )  # fmt: skip
    sunk.pages[0] += pages
    sunk.from_nid[nid] += pages
    sunk.to_nid[dst] += pages
    sunk.dirty[memory.mm[granule]] = True
