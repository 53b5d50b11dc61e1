"""The loop of a kdamond, compiled (docs/model.md#damon). Mirrors kdamond_fn of mm/damon/core.c."""

import numpy as np

from tiering.engine.jit import loop
from tiering.engine.scheme_table import is_due, wait_us
from tiering.sources.damon_check import check, prepare
from tiering.sources.damon_regions import merge, reset, split, tune
from tiering.sources.damon_state import (
    AGGR_SAMPLES,
    AGGR_US,
    AGGREGATED,
    APPLY,
    FINISH,
    NEXT_AGGR,
    NEXT_TUNE,
    NEXT_UPDATE,
    NS_PER_US,
    PASSED,
    PREPARE,
    SAMPLE_US,
    SEEN,
    SLEEP,
    STAGE,
    UPDATE,
    WAIT,
    WAKE,
)


@loop
def monitor(memory, rates, scratch, one, rules, capacity, clock, until, pace):  # type: ignore[no-untyped-def]
    """Go on until the clock passes `until`, or the caller has to apply schemes or update targets;
    returns (clock, CPU ns used)."""
    at = one.at
    busy = np.int64(0)
    while clock < until and at[STAGE] != APPLY and at[STAGE] != UPDATE:
        if at[STAGE] in (SLEEP, WAIT):
            clock = max(clock, min(at[WAKE], until))
            if clock < at[WAKE]:
                break
        if at[STAGE] == WAIT:
            at[STAGE] = PREPARE
        if at[STAGE] == PREPARE:
            pause = wait_us(one.schemes, memory.free, capacity)
            spent = np.int64(0)
            at[STAGE] = WAIT
            if pause == 0:
                spent = prepare(memory, rates, scratch, one, rules, clock, pace)
                pause, at[STAGE] = at[SAMPLE_US], SLEEP
            clock += spent
            busy += spent
            at[WAKE] = clock + pause * NS_PER_US
        elif at[STAGE] == SLEEP:
            spent = check(memory, rates, scratch, one, rules, clock, pace)
            clock += spent
            busy += spent
            _checked(memory, one, rules)
        elif at[STAGE] == FINISH:
            _finish(one, rules)
    return clock, busy


@loop
def _checked(memory, one, rules):  # type: ignore[no-untyped-def]
    """After a sampling interval: merge if an aggregation ended, and say what the caller may do."""
    at = one.at
    at[PASSED] += 1
    at[AGGREGATED] = at[PASSED] >= at[NEXT_AGGR]
    if at[AGGREGATED]:
        merge(memory, one, rules)
    full = at[SEEN] + one.regions.row.shape[0] > one.seen.size
    waited = at[AGGREGATED] or full or is_due(one.schemes, at[PASSED])
    at[STAGE] = APPLY if waited else FINISH


@loop
def _finish(one, rules):  # type: ignore[no-untyped-def]
    """Tune, reset and split after an aggregation; ask for an update of the targets if it is due."""
    at = one.at
    due = at[NEXT_UPDATE]
    if at[AGGREGATED]:
        ended = at[NEXT_AGGR]
        if rules.access_bp > 0 and at[PASSED] >= at[NEXT_TUNE]:
            at[NEXT_TUNE] += at[AGGR_SAMPLES] * rules.tune_aggrs
            tune(one, rules)
        at[NEXT_AGGR] = ended + at[AGGR_US] // at[SAMPLE_US]
        reset(one.regions)
        split(one, rules)
        at[AGGREGATED] = 0
    at[STAGE] = PREPARE
    if at[PASSED] >= due:
        at[NEXT_UPDATE] = due + max(rules.update_us // at[SAMPLE_US], np.int64(1))
        at[STAGE] = UPDATE
