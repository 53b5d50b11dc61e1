"""Sampling one page of each region, compiled (docs/model.md#damon).

A page is picked at random and its accessed bit cleared; at the end of the sampling interval the
page was accessed if the bit is set, or if somebody else saw it set and took its idle flag away.
Mirrors damon_pa_prepare_access_checks, damon_pa_check_accesses and their twins of vaddr.
"""

import numpy as np

from tiering.engine.damon_region import (
    ACCESSES_BP,
    BP,
    END,
    LAST_ACCESSES,
    NR_ACCESSES,
    PICKED,
    SLOW_SIDE,
    START,
    VIRTUAL,
    frame_of,
    granule_of,
)
from tiering.engine.folios import GRANULE, SLOW
from tiering.engine.jit import loop
from tiering.engine.look import tau_at
from tiering.engine.old import is_young, make_old
from tiering.engine.own_look import latch_one
from tiering.engine.random import uniform_of
from tiering.sources.damon_state import AGGR_SAMPLES, CHECKS, DRAWS, MOST_ACCESSES, SEEN

MOST_TRIES = 64
"""Random pages of a granule that are tried before the next one on the side is taken."""
_FRAME, _PAGE = 1, 2  # streams of the random numbers


@loop
def prepare(memory, rates, scratch, one, rules, clock, pace):  # type: ignore[no-untyped-def]
    """Pick a page of each region and clear its accessed bit; returns the ns that took."""
    row = one.regions.row
    nr = 0
    for at in range(one.regions.nr[0]):
        index = pick(memory, one, at)
        row[at, PICKED] = index
        if index >= 0:
            now = clock + np.int64(nr * rules.half_ns)
            granule = index // GRANULE
            latch_one(memory, rates, scratch, index, tau_at(memory, pace, granule, now))
            make_old(memory, index)
        nr += 1
    return np.int64(nr * rules.half_ns + 0.5)


@loop
def check(memory, rates, scratch, one, rules, clock, pace):  # type: ignore[no-untyped-def]
    """Count the regions whose page was accessed; returns the ns that took.

    A page in the same folio as that of the region before is not looked at again.
    """
    row, at = one.regions.row, one.at
    last, accessed, nr = np.int64(-1), False, 0
    at[MOST_ACCESSES] = 0
    for i in range(one.regions.nr[0]):
        index = row[i, PICKED]
        if index < 0 or index != last:
            accessed = False
            if index >= 0 and is_there(memory, one.regions.side, index):
                now = clock + np.int64(nr * rules.half_ns)
                granule = index // GRANULE
                latch_one(memory, rates, scratch, index, tau_at(memory, pace, granule, now))
                accessed = is_young(memory, index)
                if accessed and memory.folio[index] & np.uint32(SLOW):
                    one.seen[at[SEEN]] = index
                    at[SEEN] += 1
            nr += 1
        last = index
        came = np.int64(BP) if accessed else np.int64(0)
        row[i, ACCESSES_BP] += came - row[i, LAST_ACCESSES] * BP // at[AGGR_SAMPLES]
        row[i, NR_ACCESSES] += np.int64(accessed)
        at[MOST_ACCESSES] = max(at[MOST_ACCESSES], row[i, NR_ACCESSES])
    at[CHECKS] += nr
    return np.int64(nr * rules.half_ns + 0.5)


@loop
def is_there(memory, side, index):  # type: ignore[no-untyped-def]
    """Whether a folio is populated, and on the side that is monitored."""
    granule = index // GRANULE
    if index - granule * GRANULE >= memory.nr[granule]:
        return False
    slow = memory.folio[index] & np.uint32(SLOW) != 0
    return side == VIRTUAL or slow == (side == SLOW_SIDE)


@loop
def pick(memory, one, at):  # type: ignore[no-untyped-def]
    """Index of the folio at a random address of a region, -1 if nothing is there."""
    regions, row = one.regions, one.regions.row
    one.at[DRAWS] += 1
    draws = one.at[DRAWS]
    u = uniform_of(one.key[0], _FRAME, draws)
    start, end = row[at, START], row[at, END]
    if regions.side == VIRTUAL:
        address = start + np.int64(np.ceil(u * (end - start))) - 1
        index = _folio_at(memory, address)
        return index if is_there(memory, VIRTUAL, index) else np.int64(-1)
    first = frame_of(regions, start)
    size = frame_of(regions, end) - first
    if size <= 0:
        return np.int64(-1)
    granule = np.int64(granule_of(regions, first + np.int64(np.ceil(u * size)) - 1))
    lo, hi = max(start, granule * GRANULE), min(end, (granule + 1) * GRANULE)
    index = np.int64(-1)
    for k in range(MOST_TRIES):
        u = uniform_of(one.key[0], _PAGE, draws * MOST_TRIES + k)
        index = _folio_at(memory, lo + np.int64(np.ceil(u * (hi - lo))) - 1)
        if is_there(memory, regions.side, index):
            return index
    return _next_there(
        memory, regions.side, index, _folio_at(memory, lo), _folio_at(memory, hi - 1)
    )


@loop
def _next_there(memory, side, index, first, last):  # type: ignore[no-untyped-def]
    """The first folio of that side after `index`, of those from `first` to `last` in a circle."""
    for _ in range(last - first + 1):
        index = index + 1 if index < last else first
        if is_there(memory, side, index):
            return index
    return np.int64(-1)


@loop
def _folio_at(memory, address):  # type: ignore[no-untyped-def]
    """Index of the folio, populated or not, in which an address lies."""
    granule = address // GRANULE
    return granule * GRANULE + address % GRANULE // memory.pages[memory.row0[granule]]
