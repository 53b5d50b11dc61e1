"""When the schemes of a kdamond are applied, and their watermarks (docs/model.md#damos).

Mirrors damos_wmark_wait_us: over `high` or under `low` a scheme is off, and it comes back below
`mid`. While all schemes of a kdamond are off, it does not monitor either.
"""

import numpy as np

from tiering.engine.jit import loop

NR_FIELDS = 8
WATCHED, INTERVAL_US, HIGH, MID, LOW, ACTIVE, APPLY_US, NEXT_APPLY = range(NR_FIELDS)
"""Whether the scheme has watermarks, how often to look, marks in per mille of free memory, on; time
between two applications (0: an aggregation), and sampling interval in which it is next applied."""
PER_MILLE = 1000


@loop
def is_due(schemes, passed):  # type: ignore[no-untyped-def]
    """Whether a scheme that is on is to be applied after so many sampling intervals."""
    for i in range(schemes.shape[0]):
        if schemes[i, ACTIVE] and schemes[i, NEXT_APPLY] <= passed:
            return True
    return False


@loop
def apply_later(schemes, i, passed, aggr_us, sample_us):  # type: ignore[no-untyped-def]
    """A scheme is applied an apply interval from now, in the intervals that are in force."""
    apply_us = schemes[i, APPLY_US] if schemes[i, APPLY_US] > 0 else aggr_us
    schemes[i, NEXT_APPLY] = passed + apply_us // sample_us


@loop
def wait_us(schemes, free, capacity):  # type: ignore[no-untyped-def]
    """us until the next look, 0 if a scheme is on or there is none; switches schemes on and off.

    schemes: i64[S, NR_FIELDS]; free, capacity: i64[N] pages.
    """
    total, unused = np.int64(0), np.int64(0)
    for nid in range(free.size):
        unused += free[nid]
        total += capacity[nid]
    rate = unused * PER_MILLE // total
    least = np.int64(0)
    for i in range(schemes.shape[0]):
        one = schemes[i]
        wait = np.int64(0)
        if one[WATCHED]:
            if rate > one[HIGH] or rate < one[LOW]:
                one[ACTIVE] = 0
            elif rate < one[MID]:
                one[ACTIVE] = 1
            wait = one[INTERVAL_US] * (1 - one[ACTIVE])
        least = wait if i == 0 else min(least, wait)
    return least
