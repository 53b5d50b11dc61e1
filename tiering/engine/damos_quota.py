"""How much a scheme may do: quotas, goals and their tuners (docs/model.md#damos).

Mirrors damos_adjust_quota, damos_set_effective_quota, damos_quota_score and
damos_get_node_mem_bp, in whole numbers as there.
"""

import numpy as np

from tiering.engine.damon_region import BP, size_of
from tiering.engine.damos_score import MOST_SCORE, fits, score
from tiering.engine.damos_state import (
    BY_CONSIST,
    CHARGED,
    CHARGED_FROM,
    ESZ,
    ESZ_BP,
    MEM_FREE,
    MIN_SCORE,
    NO_GOAL,
    NOT_YET,
    QT_EXCEEDS,
    TOTAL_NS,
    TOTAL_SZ,
)
from tiering.engine.feed_loop import LEAST, MOST, next_input
from tiering.engine.folios import FOLIO_BYTES
from tiering.engine.jit import loop

NS_PER_MS = 1_000_000
FIRST_THROUGHPUT = FOLIO_BYTES * 1024
"""Bytes per ms that are taken for granted before anything was measured."""


@loop
def goal_score(rules, free, capacity):  # type: ignore[no-untyped-def]
    """10,000 where the goal is just met. free, capacity: pages of the node that it is about."""
    part = free if rules.goal == MEM_FREE else capacity - free
    return part * BP // capacity * BP // rules.goal_bp


@loop
def effective_quota(rules, state, free, capacity):  # type: ignore[no-untyped-def]
    """Set state[ESZ], bytes of the next charge window: the smallest of what goal, time and size
    allow. 0 is no quota."""
    esz = np.int64(MOST)
    if rules.ms == 0 and rules.goal == NO_GOAL:
        state[ESZ] = rules.sz
        return
    if rules.goal != NO_GOAL:
        reached = goal_score(rules, free, capacity)
        if rules.tuner == BY_CONSIST:
            state[ESZ_BP] = next_input(max(state[ESZ_BP], np.int64(LEAST)), reached)
        elif reached >= BP:
            state[ESZ_BP] = rules.reached_bp
        else:
            state[ESZ_BP] = rules.sz * BP if 0 < rules.sz < MOST // BP else MOST
        esz = state[ESZ_BP] // BP
    if rules.ms > 0:
        speed = np.int64(FIRST_THROUGHPUT)
        if state[TOTAL_NS] > 0:
            speed = np.int64(np.float64(state[TOTAL_SZ]) * NS_PER_MS / state[TOTAL_NS])
        esz = min(speed * rules.ms, esz)
    if 0 < rules.sz < esz:
        esz = np.int64(rules.sz)
    state[ESZ] = esz


@loop
def adjust_quota(regions, rules, state, histogram, now, aggr_us, samples, free, capacity):  # type: ignore[no-untyped-def]
    """Before the scheme is applied at `now` ns: a new charge window if it is time, and the least
    score that still fits into the quota. histogram: i64[MOST_SCORE + 1], to work in."""
    if rules.ms == 0 and rules.sz == 0 and rules.goal == NO_GOAL:
        return
    first = state[CHARGED_FROM] == NOT_YET
    if first or now >= state[CHARGED_FROM] + rules.reset_ms * NS_PER_MS:
        if state[ESZ] > 0 and state[CHARGED] >= state[ESZ]:
            state[QT_EXCEEDS] += 1
        state[TOTAL_SZ] += state[CHARGED]
        state[CHARGED_FROM] = now
        state[CHARGED] = 0
        effective_quota(rules, state, free, capacity)
    for i in range(MOST_SCORE + 1):
        histogram[i] = 0
    best = np.int64(0)
    for at in range(regions.nr[0]):
        if fits(regions, at, rules):
            one = score(regions, at, rules, aggr_us, samples)
            histogram[one] += size_of(regions, at) * FOLIO_BYTES
            best = max(best, one)
    summed = histogram[best]
    while summed < state[ESZ] and best > 0:
        best -= 1
        summed += histogram[best]
    state[MIN_SCORE] = best
