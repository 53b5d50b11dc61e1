"""How well a source finds what is hot, which only a simulator can know (docs/model.md#accuracy).

A folio is hot if its rate per page is at least that of the last page that fits on the top tier;
equal ones all count. Precision: hot among the reported. Recall of a full scan: reported among the
hot folios that were on the slow tier when it began.
"""

import numpy as np

from tiering.engine.folios import CLASS_MASK, GRANULE
from tiering.engine.jit import loop


@loop
def hot_rows(rate, pages, threshold, hot):  # type: ignore[no-untyped-def]
    """hot: bool[R], touched rows whose rate per page is at least `threshold`.

    True if touched rows differ in their rate, so that there is something to find.
    """
    least, most = np.inf, 0.0
    for r in range(rate.size):
        density = rate[r] / pages[r]
        hot[r] = density >= threshold and density > 0.0
        if density > 0.0:
            least, most = min(least, density), max(most, density)
    return least < most


@loop
def judge(memory, hot, row_at, nr_rows, slow, reports, passes, open_pass, counts):  # type: ignore[no-untyped-def]
    """Count reports (u32 folio indices) and close the full scans that ended among them.

    hot: bool[R]. slow: u8[N]. passes: i64[S, 3] mm, ns, reports before its end. open_pass:
    i64[M, 2] hot folios reported in the pass that goes on, and hot ones on the slow tier when it
    began.
    counts: i64[4] reported, hot among them; hot reported and hot there in closed passes.
    """
    done = np.int64(0)
    for s in range(passes.shape[0] + 1):
        end = passes[s, 2] if s < passes.shape[0] else np.int64(reports.size)
        for i in range(done, end):
            granule = np.int64(reports[i]) // GRANULE
            row = memory.row0[granule] + np.int64(memory.folio[reports[i]] & np.uint32(CLASS_MASK))
            counts[0] += 1
            if hot[row]:
                counts[1] += 1
                open_pass[memory.mm[granule], 0] += 1
        done = end
        if s < passes.shape[0]:
            mm = passes[s, 0]
            counts[2] += min(open_pass[mm, 0], open_pass[mm, 1])
            counts[3] += open_pass[mm, 1]
            open_pass[mm, 0] = 0
            open_pass[mm, 1] = hot_on_slow(memory, hot, row_at[mm], nr_rows[mm], slow)


@loop
def hot_on_slow(memory, hot, row0, nr_rows, slow):  # type: ignore[no-untyped-def]
    """Hot folios of rows [row0, row0 + nr_rows) that are not on the top tier."""
    nr = np.int64(0)
    for row in range(row0, row0 + nr_rows):
        if hot[row]:
            for nid in range(slow.size):
                nr += memory.resident[row, nid] if slow[nid] else 0
    return nr
