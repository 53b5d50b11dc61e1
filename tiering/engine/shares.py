"""What classes of processes may take of the top tier, and what reclaim leaves them
(docs/model.md#classes).

Where no process is of a class that asks for anything, `Memory.group` is empty and nothing of this
is looked at.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.jit import loop

ANY = 2**62
"""Pages of a class without a bound."""
IS_REFUSED = -1


class Shares(NamedTuple):
    """By class, C of them. promote: bool[C]. most: i64[C] pages of the top tier beyond which none
    is promoted. part: f64[C] of what may move in an accounting period. moved: i64[C] pages of this
    period. refused: i64[C] folios refused by its own rules so far. low: i64[C] pages of the top
    tier that reclaim leaves. rank: i64[C] turn in which reclaim begins with it. threshold: i64[C]
    ms, 0 = that of the machine. last: number of the last turn, in which nobody is left out.
    """

    promote: NDArray[np.bool_]
    most: NDArray[np.int64]
    part: NDArray[np.float64]
    moved: NDArray[np.int64]
    refused: NDArray[np.int64]
    low: NDArray[np.int64]
    rank: NDArray[np.int64]
    threshold: NDArray[np.int64]
    last: int


def neutral_shares(nr_classes: int) -> Shares:
    """Classes that ask for nothing."""
    n, i64 = nr_classes, np.int64
    return Shares(
        np.ones(n, np.bool_), np.full(n, ANY, i64), np.ones(n), np.zeros(n, i64), np.zeros(n, i64),
        np.zeros(n, i64), np.zeros(n, i64), np.zeros(n, i64), 0,
    )  # fmt: skip


@loop
def class_of(memory, granule):  # type: ignore[no-untyped-def]
    """Class of the process that owns the granule; -1 where classes do not matter."""
    if memory.group.size == 0:
        return np.int64(-1)
    return np.int64(memory.group[memory.mm[granule]])


@loop
def may_rise(memory, granule, shares):  # type: ignore[no-untyped-def]
    """Pages that may be promoted to the class of the granule before it holds its most; IS_REFUSED
    if it may not be promoted at all."""
    c = class_of(memory, granule)
    if c < 0:
        return np.int64(ANY)
    if not shares.promote[c]:
        return np.int64(IS_REFUSED)
    return max(shares.most[c] - memory.held[c], np.int64(0))


@loop
def exceeds_part(shares, c, pages, limit):  # type: ignore[no-untyped-def]
    """Whether so many pages more are beyond the part of the limit that the class may use in this
    period; if not, they are counted."""
    if c < 0:
        return False
    if shares.moved[c] + pages > limit * shares.part[c]:
        return True
    shares.moved[c] += pages
    return False


@loop
def last_turn(sink, nid):  # type: ignore[no-untyped-def]
    """Number of the last turn of reclaim from a node: classes matter on the top tier alone."""
    return np.int64(0) if sink.slow[nid] else np.int64(sink.shares.last)


@loop
def may_sink(memory, granule, sink, nid, turn):  # type: ignore[no-untyped-def]
    """Pages of the granule's class that reclaim may take in this turn; 0 if it is passed over."""
    shares = sink.shares
    c = class_of(memory, granule)
    if c < 0 or turn >= last_turn(sink, nid):
        return np.int64(ANY)
    if shares.rank[c] > turn:
        return np.int64(0)
    if shares.low[c] == 0:
        return np.int64(ANY)
    above = max(memory.held[c] - shares.low[c], np.int64(0))
    pages = memory.pages[memory.row0[granule]]
    return above // pages * pages


@loop
def is_protected(memory, granule, sink, nid):  # type: ignore[no-untyped-def]
    """Whether the class of the granule holds no more of the top tier than its protection."""
    c = class_of(memory, granule)
    return c >= 0 and not sink.slow[nid] and memory.held[c] <= sink.shares.low[c]
