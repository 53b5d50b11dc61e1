"""Threads that move folios, and whose turn it is."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.jit import loop


class Movers(NamedTuple):
    """Threads that move folios, K of them: those that drain the queue, then kswapd of some nodes.

    clock: i64[K] ns. busy: i64[K] CPU time used, ns. nid: i64[K] node of a kswapd, -1 for one that
    drains. awake: bool[K]. state: i64[K, NR_STATE] of kswapd. weight: f64[K] 1024 at nice 0.
    wanted, low: i64[N] free pages at which kswapd sleeps and wakes. sleep_ns: i64[1] of the
    migration thread between drains, 0 if the scanner drains inline. scanning: i64[2] CPU time of
    scanning threads in this step (ns) and their number. paid: i64[2] 1 if those who drain are
    tasks, who pay themselves; ns so far.
    """

    clock: NDArray[np.int64]
    busy: NDArray[np.int64]
    nid: NDArray[np.int64]
    awake: NDArray[np.bool_]
    state: NDArray[np.int64]
    weight: NDArray[np.float64]
    wanted: NDArray[np.int64]
    low: NDArray[np.int64]
    sleep_ns: NDArray[np.int64]
    scanning: NDArray[np.int64]
    paid: NDArray[np.int64]


@loop
def turn(movers, nid, end):  # type: ignore[no-untyped-def]
    """(ns, free pages): how far and how low a thread may fill a node until its kswapd is next."""
    for k in range(movers.nid.size):
        if movers.nid[k] == nid:
            if movers.awake[k]:
                return min(end, movers.clock[k] + 1), np.int64(-1)
            return end, movers.low[nid]
    return end, np.int64(-1)


@loop
def next_mover(movers, end):  # type: ignore[no-untyped-def]
    """The thread whose turn it is: the earliest that is awake and has not come to `end`; or -1."""
    chosen = -1
    for k in range(movers.clock.size):
        if not movers.awake[k] or movers.clock[k] >= end:
            continue
        if chosen < 0 or movers.clock[k] < movers.clock[chosen]:
            chosen = k
    return chosen


@loop
def wake(memory, books, movers, now):  # type: ignore[no-untyped-def]
    """kswapd wakes when its node falls below low, or a promotion found no room there."""
    for k in range(movers.nid.size):
        nid = movers.nid[k]
        if nid >= 0 and not movers.awake[k]:
            refused = books.refused[nid] and memory.free[nid] < movers.wanted[nid]
            if memory.free[nid] < movers.low[nid] or refused:
                movers.awake[k] = True
                movers.clock[k] = max(movers.clock[k], now)
    books.refused[:] = False
