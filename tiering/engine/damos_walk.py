"""Applying a scheme: region by region, folio by folio (docs/model.md#damos).

Mirrors damon_do_apply_schemes, damos_skip_charged_region, damos_apply_scheme and the walks of
damon_pa_migrate. What becomes of the folios that pass is for promotion and demotion to say.
"""

import numpy as np

from tiering.engine.damon_region import (
    AGE,
    END,
    START,
    TARGET,
    address_of,
    frame_of,
    size_of,
    split_at,
)
from tiering.engine.damos_score import fits, score
from tiering.engine.damos_state import (
    ADDRESS,
    ALLOW_YOUNG,
    ANY_AGE,
    CHARGED,
    CURSOR,
    ESZ,
    MIN_SCORE,
    NOT_YET,
    NR_APPLIED,
    NR_TRIED,
    PASSED_PAGES,
    REGION,
    SIZE,
    SKIP_TARGET,
    SKIP_TO,
    SZ_TRIED,
)
from tiering.engine.folios import FOLIO_BYTES, GRANULE, SLOW
from tiering.engine.jit import loop
from tiering.engine.old import is_young, make_old
from tiering.engine.own_look import latch_some


@loop
def next_region(regions, one, aggr_us, samples):  # type: ignore[no-untyped-def]
    """Go on to the next region that the scheme acts on; False if there is none any more.

    One that exceeds the quota is cut, and the rest is left for the next charge window.
    """
    rules, state = one.rules, one.state
    while state[CURSOR] < regions.nr[0]:
        if state[ESZ] > 0 and state[CHARGED] >= state[ESZ]:
            break
        at, considered = uncharged(regions, state, state[CURSOR])
        state[CURSOR] = at + 1
        if not considered or not fits(regions, at, rules):
            continue
        if state[ESZ] > 0 and score(regions, at, rules, aggr_us, samples) < state[MIN_SCORE]:
            continue
        size = size_of(regions, at) * FOLIO_BYTES
        if state[ESZ] > 0 and state[CHARGED] + size > state[ESZ]:
            pages = (state[ESZ] - state[CHARGED]) // FOLIO_BYTES
            if pages == 0:
                state[NR_TRIED] += 1
                continue
            start = regions.row[at, START]
            cut = address_of(regions, frame_of(regions, start) + pages)
            if start < cut < regions.row[at, END] and split_at(regions, at, cut):
                state[CURSOR] += 1
            size = pages * FOLIO_BYTES
        state[REGION], state[ADDRESS] = at, regions.row[at, START]
        state[SIZE], state[PASSED_PAGES] = size, 0
        return True
    return False


@loop
def uncharged(regions, state, at):  # type: ignore[no-untyped-def]
    """(place of the region to consider, whether to consider it): what was charged before the quota
    of an earlier window was used up is passed over, and the last region of the target ends that.

    One that was charged in part is cut; as posted one that begins there loses its first page.
    """
    if state[SKIP_TARGET] == NOT_YET:
        return at, True
    row, target, charged_to = regions.row, state[SKIP_TARGET], state[SKIP_TO]
    if row[at, TARGET] != target:
        return at, False
    if at + 1 == regions.nr[0] or row[at + 1, TARGET] != target:
        state[SKIP_TARGET] = NOT_YET
        return at, False
    if row[at, END] <= charged_to:
        return at, False
    if row[at, START] <= charged_to:
        cut = max(charged_to, row[at, START] + 1)
        if cut >= row[at, END]:
            return at, False
        at += 1 if split_at(regions, at, cut) else 0
    state[SKIP_TARGET] = NOT_YET
    return at, True


@loop
def begin(regions, state):  # type: ignore[no-untyped-def]
    """The scheme is applied from the first region on."""
    state[CURSOR] = 0
    state[REGION] = NOT_YET
    there = False
    for at in range(regions.nr[0]):
        there = there or regions.row[at, TARGET] == state[SKIP_TARGET]
    if not there:
        state[SKIP_TARGET] = NOT_YET


@loop
def end_region(regions, state):  # type: ignore[no-untyped-def]
    """All folios of the region were looked at: it is charged and its age begins anew."""
    at = state[REGION]
    state[CHARGED] += state[SIZE]
    if state[ESZ] > 0 and state[CHARGED] >= state[ESZ]:
        state[SKIP_TARGET], state[SKIP_TO] = regions.row[at, TARGET], regions.row[at, END]
    regions.row[at, AGE] = 0
    state[NR_TRIED] += 1
    state[SZ_TRIED] += state[SIZE]
    state[NR_APPLIED] += np.int64(state[PASSED_PAGES] > 0)
    state[REGION] = NOT_YET


@loop
def next_part(memory, regions, state):  # type: ignore[no-untyped-def]
    """(granule, first slot, end slot) of the folios that are next in the region; goes on to the
    granule after it. A folio that lies across a border belongs to both regions."""
    start, end = state[ADDRESS], regions.row[state[REGION], END]
    granule = start // GRANULE
    stop = min(end, (granule + 1) * GRANULE)
    pages = memory.pages[memory.row0[granule]]
    state[ADDRESS] = stop
    first, last = (start - granule * GRANULE) // pages, -(-(stop - granule * GRANULE) // pages)
    return granule, first, min(last, np.int64(memory.nr[granule]))


@loop
def select(memory, rates, scratch, granule, first, end, rules, tau):  # type: ignore[no-untyped-def]
    """Folios of slots [first, end) that the scheme moves, to scratch.chosen: those of the side it
    takes from that pass the young filter, which makes what is young old.

    Returns (folios chosen, folios looked at).
    """
    n, looked = np.int64(0), np.int64(0)
    nr_slow = memory.nr_slow[granule]
    if first >= end or (nr_slow if rules.hot else memory.nr[granule] - nr_slow) == 0:
        return n, looked
    if rules.young != ANY_AGE:
        latch_some(memory, rates, scratch, granule, first, end, tau)
    start = granule * GRANULE
    for index in range(start + first, start + end):
        slow = memory.folio[index] & np.uint32(SLOW) != 0
        if slow != rules.hot:
            continue
        looked += 1
        if rules.young != ANY_AGE:
            young = is_young(memory, index)
            if young:
                make_old(memory, index)
            if young != (rules.young == ALLOW_YOUNG):
                continue
        scratch.chosen[n] = index
        n += 1
    return n, looked
