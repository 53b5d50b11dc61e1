"""What a CXL hotness unit knows and counts, by epochs or always on (docs/model.md#chmu)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.jit import loop
from tiering.engine.touch import phase_of, touches

DUE, CURSOR, EPOCH, LISTED, LOST = range(5)  # fields of `at`
NR_AT = 5
SALT = np.uint64(0x6A09E667F3BCC909)


class Unit(NamedTuple):
    """Where the reading thread is. at: i64[NR_AT] end of the epoch (ns), granule that is read next
    or -1 while it sleeps, epochs so far, entries read and lost in all. begin, end: f64[P] work time
    at the begin and the end of the epoch that is read. entries: i64[N] on the list of each node.
    counting: f64[N] c. expected: f64[MAX_ROWS], inside: i64[R] working arrays.

    Always on, for S slow nodes: counters: u32[S, F], by the first page of a unit, its counter and
    in the upper half how often it was listed since the list was read. held: i32[S, G] counters of a
    granule in use. total: i64[S] entries that came in the window. bins: i64[BINS], mode:
    i64[MAX_ROWS], peak: f64[MAX_ROWS] working arrays, see chmu_always.py.
    """

    at: NDArray[np.int64]
    begin: NDArray[np.float64]
    end: NDArray[np.float64]
    entries: NDArray[np.int64]
    counting: NDArray[np.float64]
    expected: NDArray[np.float64]
    inside: NDArray[np.int64]
    counters: NDArray[np.uint32]
    held: NDArray[np.int32]
    total: NDArray[np.int64]
    bins: NDArray[np.int64]
    mode: NDArray[np.int64]
    peak: NDArray[np.float64]


class Rules(NamedTuple):
    """The knobs as the loops take them: ns are those of the clock; unit_pages of 4 KiB. part:
    f64[P] of the accesses of a process that are of the kind that counts. first, end: granules in
    the range."""

    epoch_ns: int
    threshold: int
    downsampling: int
    unit_pages: int
    nr_counters: int
    hotlist_max: int
    entry_ns: float
    always: bool
    part: NDArray[np.float64]
    first: int
    end: int


@loop
def expect(rates, one, rules, mm, row0, rows):  # type: ignore[no-untyped-def]
    """one.expected[:rows] = counted accesses of a folio of each of these rows in the epoch."""
    nr_rows = rates.nr_rows[mm]
    at = rates.share_at[mm] + row0 - rates.row_at[mm]
    begin, end = phase_of(rates, mm, one.begin[mm]), phase_of(rates, mm, one.end[mm])
    for c in range(rows):
        x = touches(rates, row0 + c, at + c, nr_rows, begin, end)
        one.expected[c] = max(x, 0.0) * rules.part[mm] / rules.downsampling
