"""Ages of top-tier folios by periodic looks; the oldest sink (docs/model.md#coldest-first).

A walk over a node first looks at all of its folios, as page idle tracking does: touched is what has
its accessed bit set, or whose idle flag somebody cleared who saw that bit before. Who was not
touched is a walk older. Then those old enough sink, the oldest first.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import (
    ACCESSED,
    GRANULE,
    IDLE,
    NID_MASK,
    NID_SHIFT,
    PINNED,
    SLOW,
    YOUNG,
    Memory,
)
from tiering.engine.jit import loop
from tiering.engine.look import latch, tau_at
from tiering.engine.sink import demote

NR_AGES = 255
OLDEST = NR_AGES - 1
LOOKING, OLDER, JUST_SO, OVER = range(4)
"""Stages of a walk: looks, demotes who is older than the cut, demotes of the age of the cut."""
STAGE, GRANULE_AT, CUT = range(3)  # fields of `at`


class Ages(NamedTuple):
    """age: u8[F] walks in a row without a touch, of top-tier folios. oldest: u8[G] largest age in
    the granule plus 1, 0 if it has none. pages: i64[N, NR_AGES] of a node by age, as of its last
    walk. at: i64[N, 3] where the walk of a node is."""

    age: NDArray[np.uint8]
    oldest: NDArray[np.uint8]
    pages: NDArray[np.int64]
    at: NDArray[np.int64]


class Cold(NamedTuple):
    """Who sinks and what it takes. least: age. wanted: free pages after which nobody more does, on
    the node. look_ns: a look at a folio. page_ns: demoting a page takes at least so long."""

    least: int
    wanted: int
    look_ns: float
    page_ns: float


def ages(memory: Memory) -> Ages:
    """Nobody has looked yet."""
    nr_nodes = memory.free.size
    age = np.empty(memory.folio.size, np.uint8)
    age.fill(0)  # written now, so that no page of it has to come while the run is on
    return Ages(
        age, np.zeros(memory.nr.size, np.uint8), np.zeros((nr_nodes, NR_AGES), np.int64),
        np.full((nr_nodes, 3), OVER, np.int64),
    )  # fmt: skip


@loop
def begin_walk(ages, nid):  # type: ignore[no-untyped-def]
    """A walk over the node begins."""
    ages.pages[nid, :] = 0
    ages.at[nid, STAGE] = LOOKING
    ages.at[nid, GRANULE_AT] = 0


@loop
def walk(memory, rates, scratch, ages, nid, cold, clock, until, pace, sink, sunk):  # type: ignore[no-untyped-def]
    """Go on with the walk until it is over or the clock passes `until`, or folios sank.

    Returns (clock, CPU time used, ns).
    """
    at = ages.at[nid]
    busy = np.int64(0)
    before = sunk.pages[0]
    while at[STAGE] != OVER and clock < until and sunk.pages[0] == before:
        if at[GRANULE_AT] == memory.nr.size:
            _next_stage(memory, ages, nid, cold)
            continue
        granule = at[GRANULE_AT]
        at[GRANULE_AT] += 1
        if at[STAGE] == LOOKING:
            spent = np.int64(
                _look(memory, rates, scratch, ages, nid, granule, clock, pace) * cold.look_ns + 0.5
            )
            clock += spent
            busy += spent
        elif ages.oldest[granule] > at[CUT]:
            nr = _choose(memory, scratch, ages, nid, granule, cold)
            if nr > 0:
                spent = np.int64(demote(memory, scratch, granule, nid, nr, clock, sink, sunk) + 0.5)
                busy += spent
                moved = sunk.pages[0] - before
                clock += max(spent, np.int64(moved * cold.page_ns + 0.5))
    return clock, busy


@loop
def _next_stage(memory, ages, nid, cold):  # type: ignore[no-untyped-def]
    """After the looks find the cut: all older ones sink, and of its age as many as are missing."""
    at = ages.at[nid]
    at[GRANULE_AT] = 0
    at[STAGE] += 1
    missing = cold.wanted - memory.free[nid]
    if at[STAGE] == OLDER:
        age = np.int64(OLDEST)
        while age >= cold.least and ages.pages[nid, age] < missing:
            missing -= ages.pages[nid, age]
            age -= 1
        at[CUT] = age
        if missing <= 0:
            at[STAGE] = OVER
    elif at[STAGE] == JUST_SO and (at[CUT] < cold.least or missing <= 0):
        at[STAGE] = OVER


@loop
def _look(memory, rates, scratch, ages, nid, granule, clock, pace):  # type: ignore[no-untyped-def]
    """Take the ages of the folios of a node in a granule; returns how many there are."""
    first, nr = granule * GRANULE, np.int64(memory.nr[granule])
    if memory.nr_slow[granule] == nr:  # nobody to look at; who comes here begins anew
        if ages.oldest[granule] > 0:
            ages.age[first : first + GRANULE] = 0
            ages.oldest[granule] = 0
        return np.int64(0)
    latch(memory, rates, scratch, granule, tau_at(memory, pace, granule, clock))
    mine = np.uint32(nid << NID_SHIFT)
    pages = memory.pages[memory.row0[granule]]
    looked, oldest = np.int64(0), np.int64(0)
    for index in range(first, first + nr):
        value = memory.folio[index]
        if value & np.uint32(NID_MASK) != mine:
            if value & np.uint32(SLOW) != 0:
                ages.age[index] = 0
            continue
        age = np.int64(0)
        if value & np.uint32(ACCESSED) != 0 or value & np.uint32(IDLE) == 0:
            if value & np.uint32(ACCESSED) != 0:
                value |= np.uint32(YOUNG)
        else:
            age = min(np.int64(ages.age[index]) + 1, np.int64(OLDEST))
        ages.age[index] = np.uint8(age)
        memory.folio[index] = (value & ~np.uint32(ACCESSED)) | np.uint32(IDLE)
        ages.pages[nid, age] += pages if value & np.uint32(PINNED) == 0 else 0
        oldest = max(oldest, age)
        looked += 1
    ages.oldest[granule] = np.uint8(oldest + 1)
    return looked


@loop
def _choose(memory, scratch, ages, nid, granule, cold):  # type: ignore[no-untyped-def]
    """Put those that are to sink in scratch.chosen, and make them young; returns how many."""
    at = ages.at[nid]
    least = at[CUT] + 1 if at[STAGE] == OLDER else at[CUT]
    least = max(least, cold.least)
    missing = cold.wanted - memory.free[nid]
    pages = memory.pages[memory.row0[granule]]
    mine = np.uint32(nid << NID_SHIFT)
    nr = np.int64(0)
    first = granule * GRANULE
    for index in range(first, first + memory.nr[granule]):
        if missing <= 0:
            break
        value = memory.folio[index]
        if value & np.uint32(NID_MASK | PINNED) != mine or ages.age[index] < least:
            continue
        if value & np.uint32(ACCESSED) != 0 or value & np.uint32(IDLE) == 0:
            continue
        ages.age[index] = 0
        scratch.chosen[nr] = index
        nr += 1
        missing -= pages
    return nr
