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


PARTS = 1_000_000
"""Unit of the part of the rate limit that a class may use."""
NR_FIELDS = 8
PROMOTE, MOST, PART, MOVED_NOW, REFUSED_SO_FAR, LOW, RANK, THRESHOLD = range(NR_FIELDS)
"""Fields of a class: 1 if it may be promoted; pages of the top tier beyond which none is;
millionths of what may move in an accounting period; pages of it in this one; folios refused by its
own rules so far; pages of the top tier that reclaim leaves; turn in which reclaim begins with it;
threshold in ms, 0 = that of the machine."""


class Shares(NamedTuple):
    """of: i64[C, NR_FIELDS] by class. last: number of the last turn of reclaim, in which nobody is
    left out. One array, since each costs every call of a loop that takes it."""

    of: NDArray[np.int64]
    last: int


def neutral_shares(nr_classes: int) -> Shares:
    """Classes that ask for nothing."""
    of = np.zeros((nr_classes, NR_FIELDS), np.int64)
    of[:, PROMOTE], of[:, MOST], of[:, PART] = 1, ANY, PARTS
    return Shares(of, 0)


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
    if shares.of[c, PROMOTE] == 0:
        return np.int64(IS_REFUSED)
    return max(shares.of[c, MOST] - memory.held[c], np.int64(0))


@loop
def exceeds_part(shares, c, pages, limit):  # type: ignore[no-untyped-def]
    """Whether so many pages more are beyond the part of the limit that the class may use in this
    period; if not, they are counted."""
    if c < 0:
        return False
    if shares.of[c, MOVED_NOW] + pages > limit * shares.of[c, PART] // PARTS:
        return True
    shares.of[c, MOVED_NOW] += pages
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
    if shares.of[c, RANK] > turn:
        return np.int64(0)
    if shares.of[c, LOW] == 0:
        return np.int64(ANY)
    above = max(memory.held[c] - shares.of[c, LOW], np.int64(0))
    pages = memory.pages[memory.row0[granule]]
    return above // pages * pages


@loop
def is_protected(memory, granule, sink, nid):  # type: ignore[no-untyped-def]
    """Whether the class of the granule holds no more of the top tier than its protection."""
    c = class_of(memory, granule)
    return c >= 0 and not sink.slow[nid] and memory.held[c] <= sink.shares.of[c, LOW]
