"""Demoting folios of one granule: where they go, what it costs, and the books of it.

Who sinks is for reclaim to say (reclaim.py, generations.py). A folio goes to the nearest lower
node with room, in the order of sink.targets.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import FOLIO_BYTES, PINNED, UNTOUCHED
from tiering.engine.jit import loop
from tiering.engine.migrate import STAMP_NS, stamp_age, stamp_of
from tiering.engine.shares import Shares, is_protected, neutral_shares
from tiering.engine.shift import shift

_UNTOUCHED_BIT = np.uint32(UNTOUCHED.bit_length() - 1)


_NEUTRAL = neutral_shares(0)


class Sink(NamedTuple):
    """Where and on which terms folios of a node sink. targets: i64[N, T] nodes of lower tiers in
    order of preference, filled up with -1. reserve: i64[N] pages that must stay free on each. slow:
    u8[N] 1 for a node that is not top tier. mglru: by generations, not by lists. rmap_ns, age_ns:
    looking at one folio by rmap, at one PTE when aging. folio_ns: demoting one, without the copy.
    bytes_per_ns: copy rate. again_ns: a demotion this soon after the promotion is ping-pong.
    shares: what reclaim leaves to classes."""

    targets: NDArray[np.int64]
    reserve: NDArray[np.int64]
    slow: NDArray[np.uint8]
    mglru: bool
    rmap_ns: float
    age_ns: float
    folio_ns: float
    bytes_per_ns: float
    again_ns: int
    shares: Shares = _NEUTRAL


class Sunk(NamedTuple):
    """What sank. pages: i64[1] demoted. failed: i64[1] folios that found no room below. scanned:
    i64[1] folios looked at. untouched: i64[1] demoted without a touch since their promotion. again:
    i64[1] demoted soon after it. low: i64[1] taken from classes that held no more than their
    protection. from_nid, to_nid: i64[N] pages. dirty: bool[P] see Books."""

    pages: NDArray[np.int64]
    failed: NDArray[np.int64]
    scanned: NDArray[np.int64]
    untouched: NDArray[np.int64]
    again: NDArray[np.int64]
    low: NDArray[np.int64]
    from_nid: NDArray[np.int64]
    to_nid: NDArray[np.int64]
    dirty: NDArray[np.bool_]


def sunk(nr_nodes: int, dirty: NDArray[np.bool_]) -> Sunk:
    """Nothing has sunk yet; `dirty` is shared with the books of promotion."""
    return Sunk(
        pages=np.zeros(1, np.int64),
        failed=np.zeros(1, np.int64),
        scanned=np.zeros(1, np.int64),
        untouched=np.zeros(1, np.int64),
        again=np.zeros(1, np.int64),
        low=np.zeros(1, np.int64),
        from_nid=np.zeros(nr_nodes, np.int64),
        to_nid=np.zeros(nr_nodes, np.int64),
        dirty=dirty,
    )


@loop
def demote(memory, scratch, granule, nid, nr, clock, sink, sunk):  # type: ignore[no-untyped-def]
    """Move folios scratch.chosen[:nr] of a granule down, as far as there is room below.

    Pinned ones stay. Returns the ns spent; what found no room costs all but the copy.
    """
    pages = memory.pages[memory.row0[granule]]
    able = _movable(memory, scratch.chosen, nr)
    moved = np.int64(0)
    while moved < able:
        dst = _lower_node(memory, nid, pages, sink)
        if dst < 0:
            break
        fit = min((memory.free[dst] - sink.reserve[dst]) // pages, able - moved)
        chosen = scratch.chosen[moved : moved + fit]
        _sink(memory, scratch, granule, nid, chosen, clock, dst, sink, sunk)
        moved += fit
    sunk.failed[0] += nr - moved
    return nr * sink.folio_ns + moved * pages * FOLIO_BYTES / sink.bytes_per_ns


@loop
def _movable(memory, chosen, nr):  # type: ignore[no-untyped-def]
    """Drop the pinned ones of folios chosen[:nr]; returns how many are left."""
    flags = np.uint32(0)
    for i in range(nr):
        flags |= memory.folio[chosen[i]]
    if flags & np.uint32(PINNED) == 0:
        return nr
    able = np.int64(0)
    for i in range(nr):
        index = chosen[i]
        chosen[able] = index
        able += 0 if memory.folio[index] & np.uint32(PINNED) else 1
    return able


@loop
def _lower_node(memory, nid, pages, sink):  # type: ignore[no-untyped-def]
    """The first node below `nid` with room for one more folio, or -1."""
    for target in sink.targets[nid]:
        if target >= 0 and memory.free[target] - pages >= sink.reserve[target]:
            return target
    return np.int64(-1)


@loop
def _sink(memory, scratch, granule, nid, chosen, clock, dst, sink, sunk):  # type: ignore[no-untyped-def]
    """Move these folios to node dst and account them: who rose for nothing, or not long ago."""
    nr = chosen.size
    pages = memory.pages[memory.row0[granule]]
    if memory.stamp.size > 0:
        now, again = stamp_of(clock), np.int64(0)
        most = sink.again_ns // STAMP_NS
        for index in chosen:
            stamp = memory.stamp[index]
            if stamp > 0:  # a 0 is not written, since memory that was never written is not there
                again += stamp_age(stamp, now) <= most
                memory.stamp[index] = 0
        sunk.again[0] += again * pages
    untouched = np.uint32(0)
    for index in chosen:
        untouched += (memory.folio[index] >> _UNTOUCHED_BIT) & np.uint32(1)
    sunk.untouched[0] += untouched * pages
    if is_protected(memory, granule, sink, nid):
        sunk.low[0] += nr * pages
    shift(
        memory, scratch, granule, chosen, nr, dst, np.int64(sink.slow[dst]), np.uint32(0),
        np.uint32(UNTOUCHED),
    )  # fmt: skip
    sunk.pages[0] += nr * pages
    sunk.from_nid[nid] += nr * pages
    sunk.to_nid[dst] += nr * pages
    sunk.dirty[memory.mm[granule]] = True
