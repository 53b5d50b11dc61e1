"""FIFO and its relatives on dense page ids: what stays is decided by arrival, not by recency."""

import numpy as np

from tiering.engine.jit import loop

_RESIDENT = np.uint8(1)
_REFERENCED = np.uint8(3)


@loop(allocates=True)
def fifo(trace, nr_pages, frames):  # type: ignore[no-untyped-def]
    """Every miss promotes and evicts the page that came first: (hits, promotions).

    A page is resident until `frames` others have come after it, so its number of arrival is all
    that is kept; arrivals are counted from `frames`, and 0 is never.
    trace: u32[n] page ids below nr_pages; n + frames < 2**32.
    """
    arrival = np.zeros(nr_pages, np.uint32)
    arrived = frames
    for i in range(trace.size):
        page = trace[i]
        mine = np.int64(arrival[page])
        miss = arrived - mine >= frames
        arrived += miss
        arrival[page] = arrived if miss else mine
    promotions = arrived - frames
    return trace.size - promotions, promotions


@loop(allocates=True)
def clock(trace, nr_pages, frames):  # type: ignore[no-untyped-def]
    """FIFO with a second chance: the hand passes over, and clears, pages touched since it came by.

    A page arrives with its accessed bit clear (Corbato 1968). Returns (hits, promotions).
    """
    ring = np.empty(frames, np.uint32)
    state = np.zeros(nr_pages, np.uint8)
    hand = used = hits = 0
    for i in range(trace.size):
        page = trace[i]
        if state[page] != 0:
            hits += 1
            state[page] = _REFERENCED
            continue
        if used < frames:
            used += 1
        else:
            while state[ring[hand]] == _REFERENCED:
                state[ring[hand]] = _RESIDENT
                hand = hand + 1 if hand + 1 < frames else 0
            state[ring[hand]] = 0
        ring[hand] = page
        state[page] = _RESIDENT
        hand = hand + 1 if hand + 1 < frames else 0
    return hits, trace.size - hits


@loop
def static(trace, resident):  # type: ignore[no-untyped-def]
    """Accesses to pages marked in `resident` (u8[N]); nothing moves."""
    hits = np.int64(0)
    for i in range(trace.size):
        hits += np.int64(resident[trace[i]])
    return hits
