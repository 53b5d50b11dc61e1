"""Folios that were looked at one by one, and when (docs/model.md#one-folio-at-a-time).

All folios of a granule share the time of their last look. Whoever samples single folios would have
to look at 8,192 of them for one, so a granule remembers up to MOST folios that have a time of their
own. A later look at the granule draws for them from that time on; when there is no place for one
more, the granule is looked at as a whole, which costs 8,192 / MOST folios a sample at most.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.jit import loop

MOST = 64


class OwnLooks(NamedTuple):
    """Of G granules, none where nobody samples. nr: i32[G] folios kept. slot: u16[G, MOST] which.
    tau: f64[G, MOST] work time of the look at each. draws: i64[G] looks at single folios so far."""

    nr: NDArray[np.int32]
    slot: NDArray[np.uint16]
    tau: NDArray[np.float64]
    draws: NDArray[np.int64]


def own_looks(nr_granules: int) -> OwnLooks:
    """Nobody has been looked at yet."""
    slot = np.empty((nr_granules, MOST), np.uint16)
    tau = np.empty((nr_granules, MOST))
    slot.fill(0)  # written now, so that no page of it has to come while the run is on
    tau.fill(0.0)
    return OwnLooks(np.zeros(nr_granules, np.int32), slot, tau, np.zeros(nr_granules, np.int64))


@loop
def has_own(own, granule):  # type: ignore[no-untyped-def]
    """Whether a folio of the granule may have a time of its own."""
    return own.nr.size > 0 and own.nr[granule] > 0


@loop
def place_of(own, granule, slot):  # type: ignore[no-untyped-def]
    """Where a folio is kept, -1 if it is not."""
    for i in range(own.nr[granule]):
        if own.slot[granule, i] == slot:
            return i
    return -1


@loop
def latest(own, granule):  # type: ignore[no-untyped-def]
    """Work time of the last look at any folio kept; 0 if none is."""
    last = 0.0
    for i in range(own.nr[granule]):
        last = max(last, own.tau[granule, i])
    return last


@loop
def drop_old(own, granule, before):  # type: ignore[no-untyped-def]
    """Forget the folios of a granule that was looked at as a whole at `before` or later."""
    kept = 0
    for i in range(own.nr[granule]):
        if own.tau[granule, i] > before:
            own.slot[granule, kept] = own.slot[granule, i]
            own.tau[granule, kept] = own.tau[granule, i]
            kept += 1
    own.nr[granule] = kept
