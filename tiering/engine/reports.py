"""Reports: folios that a source noticed, granule by granule."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import GRANULE
from tiering.engine.jit import loop

UNKNOWN: NDArray[np.int32] = np.zeros(0, np.int32)
"""Nobody knows how long it took."""
UNCOUNTED: NDArray[np.int64] = np.zeros(0, np.int64)
"""Nobody has counted."""


class Reports(NamedTuple):
    """folios: u32[n] indices, in order inside each run. ends: i64[r], where each run ends; the
    folios of a run lie in one granule. stamps: i64[r] ns at which the source hands a run on.
    latency_ms: i32[n] from mark to touch, empty where a source does not know it."""

    folios: NDArray[np.uint32]
    ends: NDArray[np.int64]
    stamps: NDArray[np.int64]
    latency_ms: NDArray[np.int32] = UNKNOWN

    def first(self, nr_folios: int, nr_runs: int) -> "Reports":
        """A view of the first reports."""
        return Reports(
            self.folios[:nr_folios], self.ends[:nr_runs], self.stamps[:nr_runs],
            self.latency_ms[:nr_folios],
        )  # fmt: skip


def reports(nr_folios: int, nr_runs: int, latencies: bool = False) -> Reports:
    """Room for so many reports, with their latencies if the source knows them."""
    return Reports(
        np.zeros(nr_folios, np.uint32), np.zeros(nr_runs, np.int64), np.zeros(nr_runs, np.int64),
        np.zeros(nr_folios if latencies else 0, np.int32),
    )  # fmt: skip


def in_runs(folios: NDArray[np.uint32], stamp: int = 0) -> Reports:
    """Any folio indices (u32[n]) as reports, handed on at `stamp` ns."""
    found = Reports(
        folios, np.zeros(folios.size, np.int64), np.full(folios.size, stamp, np.int64)
    )  # fmt: skip
    return found.first(folios.size, find_ends(folios, found.ends))


@loop
def find_ends(folios, ends):  # type: ignore[no-untyped-def]
    nr = 0
    for i in range(1, folios.size + 1):
        if i == folios.size or not _goes_on(folios, i):
            ends[nr] = i
            nr += 1
    return nr


@loop
def _goes_on(folios, i):  # type: ignore[no-untyped-def]
    """Whether folio i lies in the granule of the one before, behind it."""
    same = folios[i] // np.uint32(GRANULE) == folios[i - 1] // np.uint32(GRANULE)
    return same and folios[i] > folios[i - 1]


@loop
def has_room(found, nr_folios, nr_runs, nr_granules=1):  # type: ignore[no-untyped-def]
    """Whether the reports of so many more granules fit."""
    room = found.folios.size - nr_folios
    return nr_granules * GRANULE <= room and nr_runs < found.ends.size


@loop
def end_run(out, nr_folios, nr_runs, before, stamp):  # type: ignore[no-untyped-def]
    """A run of those passed on is over that began behind folio `before`; empty ones are left out.

    Returns the runs there are now.
    """
    if nr_folios > before:
        out.ends[nr_runs] = nr_folios
        out.stamps[nr_runs] = stamp
        nr_runs += 1
    return nr_runs


@loop
def hand_on(found, first, end, clock):  # type: ignore[no-untyped-def]
    """Stamp runs [first, end) of reports; returns `end`."""
    for run in range(first, end):
        found.stamps[run] = clock
    return end
