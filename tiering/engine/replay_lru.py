"""Exact LRU without a list: recency is the position of a page's last touch in the trace.

The trace itself is the log of touches. A bit per position says whether that touch is still the
last one of its page (*live*); pages with a last touch at or after `oldest` are on the fast tier. A
touch clears the bit of the page's touch before; to evict, `oldest` passes the next live position.
That is two random accesses a touch, nothing to compact, and one bit per access of the trace.

Positions are counted from 1, so that 0 is never; positions 1 .. frames stand for the empty frames,
which leave first. Sets of resident pages are those of the textbook list, touch by touch.
"""

import numpy as np

from tiering.engine.jit import loop

_ONE = np.uint64(1)
_WORD = np.uint64(6)  # 64 positions a word
_BIT = np.uint64(63)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_M1 = np.uint64(0x5555555555555555)
_M2 = np.uint64(0x3333333333333333)
_M4 = np.uint64(0x0F0F0F0F0F0F0F0F)
_SUM = np.uint64(0x0101010101010101)


@loop(allocates=True)
def lru(trace, nr_pages, frames):  # type: ignore[no-untyped-def]
    """Every miss promotes and evicts the page whose last touch is longest ago: (hits, promotions).

    trace: u32[n] page ids below nr_pages; n + frames < 2**32.
    """
    last = np.zeros(nr_pages, np.uint32)
    live = np.full((trace.size + frames) // 64 + 1, _ALL)
    oldest = _ONE
    hits = 0
    for i in range(trace.size):
        page = trace[i]
        before = np.uint64(last[page])
        last[page] = i + 1 + frames
        clear(live, before)
        if before >= oldest:
            hits += 1
        else:
            oldest = next_live(live, oldest) + _ONE
    return hits, trace.size - hits


@loop(allocates=True)
def lru_second_sight(trace, nr_pages, frames):  # type: ignore[no-untyped-def]
    """2-LRU: as `lru`, but a miss promotes only a page that is in an LRU list of sightings.

    The list holds as many page ids as there are frames and sees every access, hit or miss
    (Martina, Garetto, Leonardi 2014, arXiv 1307.6702). Returns (hits, promotions).
    """
    seen, last = np.zeros(nr_pages, np.uint32), np.zeros(nr_pages, np.uint32)
    seen_live = np.full((trace.size + frames) // 64 + 1, _ALL)
    live = seen_live.copy()
    seen_oldest, oldest = _ONE, _ONE
    hits = promotions = 0
    for i in range(trace.size):
        page = trace[i]
        now = np.uint64(i + 1 + frames)
        before, sighted = np.uint64(last[page]), np.uint64(seen[page])
        seen[page] = now
        clear(seen_live, sighted)
        known = sighted >= seen_oldest
        if not known:
            seen_oldest = next_live(seen_live, seen_oldest) + _ONE
        if before >= oldest:
            hits += 1
        elif known:
            promotions += 1
            oldest = next_live(live, oldest) + _ONE
        else:
            clear(live, now)
            continue
        clear(live, before)
        last[page] = now
    return hits, promotions


@loop(inline=True)
def clear(live, position):  # type: ignore[no-untyped-def]
    """The touch at `position` is not the last one of its page any more."""
    live[position >> _WORD] &= ~(_ONE << (position & _BIT))


@loop(inline=True)
def next_live(live, position):  # type: ignore[no-untyped-def]
    """First live position at or after `position`; there must be one.

    The number of zeros below the lowest bit is counted as the bits of ~word & (word - 1); the
    compiler knows this idiom and makes one instruction of it.
    """
    at = position >> _WORD
    word = live[at] & (_ALL << (position & _BIT))
    while word == 0:
        at += _ONE
        word = live[at]
    below = ~word & (word - _ONE)
    below -= (below >> _ONE) & _M1
    below = (below & _M2) + ((below >> np.uint64(2)) & _M2)
    below = (below + (below >> np.uint64(4))) & _M4
    return (at << _WORD) + ((below * _SUM) >> np.uint64(56))
