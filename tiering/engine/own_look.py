"""Looking at single folios of a granule, without a look at all of it (own.py)."""

import numpy as np

from tiering.engine.folios import ACCESSED, FAULTED, GRANULE, HINT, UNTOUCHED
from tiering.engine.jit import loop
from tiering.engine.look import latch
from tiering.engine.own import MOST, drop_old, latest, place_of
from tiering.engine.own_draw import touched_alone
from tiering.engine.page_cache import mark_accessed, reads_that_matter
from tiering.engine.random import uniform_of

FEW = MOST // 2
"""So many folios of a granule are looked at one by one, more all together."""
_STREAM = 5  # of the key of a granule


@loop
def latch_one(memory, rates, scratch, index, tau):  # type: ignore[no-untyped-def]
    """Draw for one folio from the last look at it until work time `tau` of its owner, and OR the
    result into its accessed bit, or mark it accessed if nobody maps it (look.latch for one)."""
    granule, slot, own = index // GRANULE, index % GRANULE, memory.own
    last = memory.last[granule]
    place = place_of(own, granule, slot)
    if place < 0 and own.nr[granule] == MOST:
        drop_old(own, granule, last)
        if own.nr[granule] == MOST:
            latch(memory, rates, scratch, granule, max(tau, latest(own, granule)))
            own.nr[granule] = 0
            return
    before = last if place < 0 else max(last, own.tau[granule, place])
    if tau <= before:
        return
    if place < 0:
        place = np.int64(own.nr[granule])
        own.nr[granule] += 1
    own.draws[granule] += 1
    own.slot[granule, place], own.tau[granule, place] = slot, tau
    u = uniform_of(memory.key[granule], _STREAM, own.draws[granule])
    most = reads_that_matter(memory, granule) if memory.unmapped[granule] != 0 else 1
    for least in range(1, most + 1):
        touched_alone(memory, rates, granule, slot, before, tau, least, u, scratch.touched[:1])
        if scratch.touched[0] == 0:
            break
        if memory.unmapped[granule] != 0:
            mark_accessed(memory, index)
            continue
        value = memory.folio[index]
        fault = np.uint32(FAULTED) if value & np.uint32(HINT) else np.uint32(0)
        memory.folio[index] = (value | np.uint32(ACCESSED) | fault) & ~np.uint32(UNTOUCHED)


@loop
def latch_some(memory, rates, scratch, granule, first, end, tau):  # type: ignore[no-untyped-def]
    """Look at the folios in slots [first, end) of a granule, or at all where that is cheaper."""
    if end - first >= FEW:
        latch(memory, rates, scratch, granule, tau)
        return
    start = granule * GRANULE
    for slot in range(first, end):
        latch_one(memory, rates, scratch, start + slot, tau)
