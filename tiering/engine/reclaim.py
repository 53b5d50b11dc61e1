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

import numpy as np

from tiering.engine.folios import (
    ACTIVE,
    GRANULE,
    INACTIVE,
    LIST_MASK,
    LIST_SHIFT,
    NID_SHIFT,
    REFERENCED,
)
from tiering.engine.jit import loop
from tiering.engine.look import latch, tau_at
from tiering.engine.pick import LISTED, REFS, pick, seen
from tiering.engine.shares import last_turn, may_sink
from tiering.engine.sink import demote
from tiering.engine.touch import BLOCK

_TO_ACTIVE = np.uint32(ACTIVE << LIST_SHIFT)
HAND, ACTIVE_HAND, MIN_SEQ, MAX_SEQ, AGE_HAND, IDLE_STEPS, AGED, TURN = range(8)
NR_STATE = 8
"""Fields of the state of a node's kswapd."""


@loop
def shrink(memory, rates, scratch, nid, state, clock, until, pace, wanted, sink, sunk):  # type: ignore[no-untyped-def]
    """Demote until `wanted` pages of the node are free, the clock passes `until`, or a whole round
    of the hand found nothing to demote; returns the clock.

    state[TURN]: classes of later turns, and what is protected, are passed over until nothing else
    is left to demote.
    """
    nr, last = memory.nr.size, last_turn(sink, nid)
    while memory.free[nid] < wanted and clock < until and not is_hopeless(state, nr, last):
        next_turn(state, nr)
        granule = state[HAND]
        before = sunk.pages[0]
        most = may_sink(memory, granule, sink, nid, state[TURN])
        if most > 0 and has_any(memory, granule, sink.slow[nid], INACTIVE):
            spent = _shrink_inactive(
                memory, rates, scratch, nid, granule, clock, pace, wanted, most, sink, sunk
            )
            clock += np.int64(spent + 0.5)
        state[HAND] = granule + 1 if granule + 1 < nr else 0
        state[IDLE_STEPS] = 0 if sunk.pages[0] > before else state[IDLE_STEPS] + 1
        steps = 0
        while inactive_is_low(memory, nid) and steps < nr:
            granule = state[ACTIVE_HAND]
            most = may_sink(memory, granule, sink, nid, state[TURN])
            if most > 0 and has_any(memory, granule, sink.slow[nid], ACTIVE):
                spent = _deactivate(memory, rates, scratch, nid, granule, clock, pace, sink, sunk)
                clock += np.int64(spent + 0.5)
            state[ACTIVE_HAND] = granule + 1 if granule + 1 < nr else 0
            steps += 1
    return clock


@loop
def is_hopeless(state, nr, last):  # type: ignore[no-untyped-def]
    """Whether two rounds of the last turn found nothing to demote. nr: granules."""
    return state[IDLE_STEPS] >= 2 * nr and state[TURN] >= last


@loop
def next_turn(state, nr):  # type: ignore[no-untyped-def]
    """After two rounds that found nothing it is the turn of those that were passed over."""
    if state[IDLE_STEPS] >= 2 * nr:
        state[IDLE_STEPS] = 0
        state[TURN] += 1


@loop
def begin_anew(state):  # type: ignore[no-untyped-def]
    """The next search passes over again whom this one, at its end, did not."""
    state[IDLE_STEPS] = 0
    state[TURN] = 0


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
def _shrink_inactive(memory, rates, scratch, nid, granule, clock, pace, wanted, most, sink, sunk):  # type: ignore[no-untyped-def]
    """Look at the inactive folios of a granule; returns the ns spent."""
    latch(memory, rates, scratch, granule, tau_at(memory, pace, granule, clock))
    mine = np.uint32((nid << NID_SHIFT) | (INACTIVE << LIST_SHIFT))
    enough = needed(memory, granule, nid, wanted, most)
    looked, active, old = np.int64(0), np.int64(0), np.int64(0)
    start = granule * GRANULE
    end = start + memory.nr[granule]
    for first in range(start, end, BLOCK):
        part = memory.folio[first : min(first + BLOCK, end)]
        nr, able, old = pick(part, first, mine, enough, scratch, old)
        nr_mine, nr_active = _look(part[:nr], mine)
        looked += nr_mine
        active += nr_active
        enough -= able
        if enough == 0:
            break
    count_relisted(memory, granule, nid, INACTIVE, ACTIVE, active, sink.slow[nid])
    sunk.scanned[0] += looked
    return looked * sink.rmap_ns + demote(memory, scratch, granule, nid, old, clock, sink, sunk)


@loop
def _look(part, mine):  # type: ignore[no-untyped-def]
    """Mark or activate the inactive folios of a block; returns how many there are, how many
    became active."""
    marked = np.uint32(REFERENCED)
    looked, active = np.uint32(0), np.uint32(0)
    for i in range(part.size):
        value = part[i]
        own = (value & LISTED) == mine
        referenced = (value & REFS) != 0
        again = referenced & ((value & marked) != 0)
        kept = (seen(value) & ~np.uint32(LIST_MASK)) | (_TO_ACTIVE if again else marked)
        after = kept if referenced else value & ~marked
        part[i] = after if own else value
        looked += np.uint32(own)
        active += np.uint32(own & again)
    return np.int64(looked), np.int64(active)


@loop
def needed(memory, granule, nid, wanted, most):  # type: ignore[no-untyped-def]
    """Folios of the granule that would free enough of the node, if none is pinned; no more than
    `most` pages."""
    pages = memory.pages[memory.row0[granule]]
    return min(-(-(wanted - memory.free[nid]) // pages), most // pages)


@loop
def _deactivate(memory, rates, scratch, nid, granule, clock, pace, sink, sunk):  # type: ignore[no-untyped-def]
    """Put the active folios of a granule onto the inactive list; returns the ns spent."""
    latch(memory, rates, scratch, granule, tau_at(memory, pace, granule, clock))
    mine = np.uint32((nid << NID_SHIFT) | (ACTIVE << LIST_SHIFT))
    found = np.int64(0)
    start = granule * GRANULE
    end = start + memory.nr[granule]
    for first in range(start, end, BLOCK):
        found += _relist(memory.folio[first : min(first + BLOCK, end)], mine)
    count_relisted(memory, granule, nid, ACTIVE, INACTIVE, found, sink.slow[nid])
    sunk.scanned[0] += found
    return found * sink.rmap_ns


@loop
def _relist(part, mine):  # type: ignore[no-untyped-def]
    """Active folios of a block become inactive; returns how many."""
    found = np.uint32(0)
    for i in range(part.size):
        value = part[i]
        own = (value & LISTED) == mine
        part[i] = (seen(value) & ~np.uint32(LIST_MASK)) if own else value
        found += np.uint32(own)
    return np.int64(found)
