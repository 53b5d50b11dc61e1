"""How well a source finds what is hot, which only a simulator can know (docs/model.md#accuracy).

A folio is hot if its rate per page is at least that of the last page that fits on the top tier;
equal ones all count. Precision: hot among the reported. Recall of a full scan: reported among the
hot folios that were on the slow tier when it began.
"""

import numpy as np

from tiering.engine.folios import CLASS_MASK, GRANULE
from tiering.engine.jit import loop

_CLASS = np.uint32(CLASS_MASK)


@loop
def hot_rows(nr_folios, rate, pages, threshold, hot):  # type: ignore[no-untyped-def]
    """hot: bool[R], touched rows with folios whose rate per page is at least `threshold`.

    True if touched rows differ in their rate, so that there is something to find.
    """
    least, most = np.inf, 0.0
    for r in range(rate.size):
        density = rate[r] / pages[r] if nr_folios[r] > 0 else 0.0
        hot[r] = density >= threshold and density > 0.0
        if density > 0.0:
            least, most = min(least, density), max(most, density)
    return least < most


@loop
def judge(memory, hot, row_at, nr_rows, slow, found, passes, open_pass, counts):  # type: ignore[no-untyped-def]
    """Count reports and close the full scans that ended among them.

    hot: bool[R]. slow: u8[N]. found: Reports. passes: i64[S, 3] mm, ns, reports before its end.
    open_pass: i64[M, 2] hot folios reported in the pass that goes on, and hot ones on the slow tier
    at its first report, -1 before. counts: i64[4] reported, hot among them; hot reported and hot
    there in closed passes.
    """
    first, s = np.int64(0), np.int64(0)
    for end in found.ends:
        while s < passes.shape[0] and passes[s, 2] <= first:
            _close(memory, hot, row_at, nr_rows, slow, passes[s, 0], open_pass, counts)
            s += 1
        granule = np.int64(found.folios[first]) // GRANULE
        mm = memory.mm[granule]
        if open_pass[mm, 1] < 0:
            open_pass[mm, 1] = hot_on_slow(memory, hot, row_at[mm], nr_rows[mm], slow)
        nr = _hot_of_run(memory, hot, granule, found.folios[first:end])
        counts[0] += end - first
        counts[1] += nr
        open_pass[mm, 0] += nr
        first = end
    while s < passes.shape[0]:
        _close(memory, hot, row_at, nr_rows, slow, passes[s, 0], open_pass, counts)
        s += 1


@loop
def _close(memory, hot, row_at, nr_rows, slow, mm, open_pass, counts):  # type: ignore[no-untyped-def]
    """A full scan of `mm` has ended."""
    if open_pass[mm, 1] < 0:
        open_pass[mm, 1] = hot_on_slow(memory, hot, row_at[mm], nr_rows[mm], slow)
    counts[2] += min(open_pass[mm, 0], open_pass[mm, 1])
    counts[3] += open_pass[mm, 1]
    open_pass[mm, 0] = 0
    open_pass[mm, 1] = -1


@loop
def _hot_of_run(memory, hot, granule, run):  # type: ignore[no-untyped-def]
    """Hot ones among the folios `run` (u32 indices) of a granule."""
    row0, rows = np.int64(memory.row0[granule]), np.int64(memory.rows[granule])
    nr = np.uint32(0)
    if rows <= 32:
        bits = np.uint32(0)
        for c in range(rows):
            bits |= np.uint32(hot[row0 + c]) << np.uint32(c)
        for index in run:
            nr += (bits >> (memory.folio[index] & _CLASS)) & np.uint32(1)
    elif rows <= 64:
        low, high = np.uint32(0), np.uint32(0)
        for c in range(32):
            low |= np.uint32(hot[row0 + c]) << np.uint32(c)
        for c in range(32, rows):
            high |= np.uint32(hot[row0 + c]) << np.uint32(c - 32)
        for index in run:
            row = memory.folio[index] & _CLASS
            word = high if row & np.uint32(32) else low
            nr += (word >> (row & np.uint32(31))) & np.uint32(1)
    else:
        for index in run:
            nr += np.uint32(hot[row0 + np.int64(memory.folio[index] & _CLASS)])
    return np.int64(nr)


@loop
def hot_on_slow(memory, hot, row0, nr_rows, slow):  # type: ignore[no-untyped-def]
    """Hot folios of rows [row0, row0 + nr_rows) that are not on the top tier."""
    nr = np.int64(0)
    for row in range(row0, row0 + nr_rows):
        if hot[row]:
            for nid in range(slow.size):
                nr += memory.resident[row, nid] if slow[nid] else 0
    return nr
