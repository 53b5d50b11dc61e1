"""Reclaim from a node by MGLRU generations: who sinks (docs/model.md#reclaim).

A node has two to four generations, max_seq the youngest. Aging walks page tables: what was
accessed joins the youngest generation, and when all were walked a new one begins. Eviction takes
the oldest: accessed meanwhile, a folio joins the youngest; otherwise it is demoted. An empty oldest
generation is given up, and when only two are left it is time to age again. Page cache that nobody
maps is in no page table: aging passes it over, and its turn comes however often it was read.
Mirrors lru_gen aging and eviction; not modelled: tiers inside a generation, which tell how often a
file was read, the bloom filter of page tables, min_ttl_ms.
"""

import numpy as np

from tiering.engine.folios import GRANULE, LIST_MASK, LIST_SHIFT, NID_MASK, NID_SHIFT, NR_LISTS
from tiering.engine.jit import loop
from tiering.engine.look import latch, tau_at
from tiering.engine.pick import LISTED, REFS, pick, seen
from tiering.engine.reclaim import (
    AGE_HAND,
    AGED,
    HAND,
    IDLE_STEPS,
    MAX_SEQ,
    MIN_SEQ,
    TURN,
    count_relisted,
    has_any,
    is_hopeless,
    needed,
    next_turn,
)
from tiering.engine.shares import last_turn, may_sink
from tiering.engine.sink import demote
from tiering.engine.touch import BLOCK

MIN_GENERATIONS = 2
AGINGS = 3
"""So many in a row that leave nothing to demote end the search: two may be needed to begin with."""


@loop
def shrink_generations(memory, rates, scratch, nid, state, clock, until, pace, wanted, sink, sunk):  # type: ignore[no-untyped-def]
    """As `reclaim.shrink`, by generations; ends as well when aging again and again leaves none but
    young folios. state[AGE_HAND] is -1 unless aging is under way, state[AGED] counts agings."""
    nr, last = memory.nr.size, last_turn(sink, nid)
    while memory.free[nid] < wanted and clock < until and not is_hopeless(state, nr, last):
        next_turn(state, nr)
        if state[AGE_HAND] >= 0:
            clock = _age_step(memory, rates, scratch, nid, state, clock, pace, sink, sunk)
            continue
        if not _oldest(memory, nid, state):
            if state[AGED] == AGINGS:
                state[AGED], state[IDLE_STEPS] = 0, 2 * nr
                continue
            state[AGED] += 1
            state[AGE_HAND] = 0
            continue
        granule = state[HAND]
        before = sunk.pages[0]
        oldest = state[MIN_SEQ] % NR_LISTS
        most = may_sink(memory, granule, sink, nid, state[TURN])
        if most == 0:
            _pass_over(memory, nid, granule, oldest, sink)
        elif has_any(memory, granule, sink.slow[nid], oldest):
            youngest = state[MAX_SEQ] % NR_LISTS
            spent = _evict(
                memory, rates, scratch, nid, granule, clock, pace, oldest, youngest, wanted, most,
                sink, sunk,
            )  # fmt: skip
            clock += np.int64(spent + 0.5)
        state[HAND] = granule + 1 if granule + 1 < nr else 0
        state[IDLE_STEPS] += 1
        if sunk.pages[0] > before:
            state[IDLE_STEPS] = state[AGED] = 0
    return clock


@loop
def _pass_over(memory, nid, granule, oldest, sink):  # type: ignore[no-untyped-def]
    """Folios that are left alone join the next generation, so that the oldest runs empty. A cgroup
    of the kernel has generations of its own, which do not hold up those of others."""
    if not has_any(memory, granule, sink.slow[nid], oldest):
        return
    here = np.uint32((nid << NID_SHIFT) | (oldest << LIST_SHIFT))
    older = (oldest + 1) % NR_LISTS
    there = np.uint32((nid << NID_SHIFT) | (older << LIST_SHIFT))
    start, nr = granule * GRANULE, np.int64(0)
    for index in range(start, start + memory.nr[granule]):
        value = memory.folio[index]
        if value & LISTED == here:
            memory.folio[index] = (value & ~LISTED) | there
            nr += 1
    count_relisted(memory, granule, nid, oldest, older, nr, sink.slow[nid])


@loop
def _oldest(memory, nid, state):  # type: ignore[no-untyped-def]
    """Give up empty oldest generations; False if only the two youngest are left."""
    while state[MAX_SEQ] - state[MIN_SEQ] >= MIN_GENERATIONS:
        if memory.on_list[nid, state[MIN_SEQ] % NR_LISTS] > 0:
            return True
        state[MIN_SEQ] += 1
    return False


@loop
def _age_step(memory, rates, scratch, nid, state, clock, pace, sink, sunk):  # type: ignore[no-untyped-def]
    """Age one granule; after the last one a new youngest generation begins."""
    granule = state[AGE_HAND]
    there = (
        memory.nr_slow[granule] if sink.slow[nid] else memory.nr[granule] - memory.nr_slow[granule]
    )
    if there > 0 and memory.unmapped[granule] == 0:
        latch(memory, rates, scratch, granule, tau_at(memory, pace, granule, clock))
        mine = np.uint32(nid << NID_SHIFT)
        youngest = state[MAX_SEQ] % NR_LISTS
        looked = np.int64(0)
        start = granule * GRANULE
        end = start + memory.nr[granule]
        for first in range(start, end, BLOCK):
            part = memory.folio[first : min(first + BLOCK, end)]
            looked += _rejuvenate(part, np.uint32(NID_MASK), mine, youngest, scratch.lists)
        _count(memory, scratch.lists, granule, nid, youngest, sink.slow[nid])
        sunk.scanned[0] += looked
        clock += np.int64(looked * memory.pages[memory.row0[granule]] * sink.age_ns + 0.5)
    state[AGE_HAND] = granule + 1
    if state[AGE_HAND] == memory.nr.size:
        state[AGE_HAND] = -1
        state[MAX_SEQ] += 1
        memory.entry[nid] = state[MAX_SEQ] % NR_LISTS
    return clock


@loop
def _evict(  # type: ignore[no-untyped-def]
    memory, rates, scratch, nid, granule, clock, pace, oldest, youngest, wanted, most, sink, sunk
):
    """Demote what is in the oldest generation and was not accessed; returns the ns spent."""
    latch(memory, rates, scratch, granule, tau_at(memory, pace, granule, clock))
    mine = np.uint32((nid << NID_SHIFT) | (oldest << LIST_SHIFT))
    enough = needed(memory, granule, nid, wanted, most)
    looked, old = np.int64(0), np.int64(0)
    start = granule * GRANULE
    end = start + memory.nr[granule]
    for first in range(start, end, BLOCK):
        part = memory.folio[first : min(first + BLOCK, end)]
        nr, able, old = pick(part, first, mine, enough, scratch, old)
        looked += _rejuvenate(part[:nr], LISTED, mine, youngest, scratch.lists)
        enough -= able
        if enough == 0:
            break
    _count(memory, scratch.lists, granule, nid, youngest, sink.slow[nid])
    sunk.scanned[0] += looked
    return looked * sink.rmap_ns + demote(memory, scratch, granule, nid, old, clock, sink, sunk)


@loop
def _rejuvenate(part, mask, mine, youngest, lists):  # type: ignore[no-untyped-def]
    """Folios of a block that are `mine` under `mask` and referenced join the youngest generation.

    lists counts from where. Returns how many are `mine`.
    """
    there = np.uint32(youngest << LIST_SHIFT)
    looked, came = np.uint32(0), np.uint64(0)  # 16 bits a list
    for i in range(part.size):
        value = part[i]
        own = np.uint32((value & mask) == mine)
        again = own & np.uint32((value & REFS) != 0)
        here = (value >> np.uint32(LIST_SHIFT)) & np.uint32(NR_LISTS - 1)
        came += np.uint64(again) << np.uint64(here << np.uint32(4))
        young = (seen(value) & ~np.uint32(LIST_MASK)) | there
        part[i] = young if again else value
        looked += own
    for here in range(NR_LISTS):
        lists[here] += np.int64((came >> np.uint64(16 * here)) & np.uint64(0xFFFF))
    return np.int64(looked)


@loop
def _count(memory, lists, granule, nid, youngest, slow):  # type: ignore[no-untyped-def]
    """Take what `_rejuvenate` counted into the books, and clear it."""
    for here in range(NR_LISTS):
        if lists[here] > 0:
            count_relisted(memory, granule, nid, here, youngest, np.int64(lists[here]), slow)
            lists[here] = 0
