"""DAMON's feedback: the next input from the last one and its score (damon_feed_loop_next_input).

    next = last (1 + (10,000 - score) / 10,000), 10,000 at least;   score >= 20,000 gives 10,000

in whole numbers, so that quotas (bytes in bp) and intervals follow the kernel digit by digit.
"""

import numpy as np

from tiering.engine.jit import loop

GOAL = 10_000
LEAST = 10_000
MOST = 2**62
"""Stands for ULONG_MAX: no bound."""


@loop
def next_input(last, score):  # type: ignore[no-untyped-def]
    """Next input, where `last` gave the score (10,000: as wanted)."""
    if score == GOAL:
        return np.int64(last)
    if score >= 2 * GOAL:
        return np.int64(LEAST)
    off = abs(score - GOAL)
    change = last * off // GOAL if last < MOST // off else last // GOAL * off
    if score > GOAL:
        return np.int64(max(last - change, LEAST))
    return np.int64(last + change) if last < MOST - change else np.int64(MOST)
