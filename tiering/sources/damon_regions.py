"""Merging, splitting and tuning, compiled (docs/model.md#damon).

Mirrors kdamond_merge_regions, kdamond_split_regions, kdamond_reset_aggregated and
kdamond_tune_intervals of mm/damon/core.c, in whole numbers as there.
"""

import numpy as np

from tiering.engine.damon_region import (
    ACCESSES_BP,
    AGE,
    BP,
    END,
    LAST_ACCESSES,
    NR_ACCESSES,
    NR_COLUMNS,
    PICKED,
    START,
    TARGET,
    address_of,
    count_frames,
    frame_of,
    size_of,
    total_size,
)
from tiering.engine.feed_loop import next_input
from tiering.engine.jit import loop
from tiering.engine.random import uniform_of
from tiering.engine.scheme_table import NEXT_APPLY, apply_later
from tiering.sources.damon_state import (
    AGGR_SAMPLES,
    AGGR_US,
    DRAWS,
    LAST_NR,
    MOST_ACCESSES,
    NEXT_UPDATE,
    PASSED,
    SAMPLE_US,
)

THRESHOLD_PART = 10
TENTHS = 10
TUNING = 100_000_000  # input of the feedback whose output is 1 in bp
_CUT = 3  # stream of the random numbers


@loop
def merge(memory, one, rules):  # type: ignore[no-untyped-def]
    """Age all regions and merge neighbours alike, with a doubled threshold until few are left."""
    regions, at = one.regions, one.at
    count_frames(memory, regions)
    limit = max(total_size(regions) // rules.min_nr_regions, np.int64(1))
    threshold = at[MOST_ACCESSES] // THRESHOLD_PART
    most = at[AGGR_US] // at[SAMPLE_US]
    while True:
        merge_alike(regions, threshold, limit)
        threshold = max(np.int64(1), threshold * 2)
        if regions.nr[0] <= rules.max_nr_regions or threshold // 2 >= most:
            break


@loop
def merge_alike(regions, threshold, limit):  # type: ignore[no-untyped-def]
    """Neighbours whose accesses differ by no more than the threshold become one of at most `limit`
    pages; one that lost all its frames joins its neighbour whatever it counted."""
    row = regions.row
    kept = -1
    for i in range(regions.nr[0]):
        changed = abs(row[i, NR_ACCESSES] - row[i, LAST_ACCESSES]) > threshold
        row[i, AGE] = 0 if changed else row[i, AGE] + 1
        if kept >= 0 and row[kept, END] == row[i, START] and row[kept, TARGET] == row[i, TARGET]:
            left, right = size_of(regions, kept), size_of(regions, i)
            alike = abs(row[kept, NR_ACCESSES] - row[i, NR_ACCESSES]) <= threshold
            if left == 0 or right == 0 or (alike and left + right <= limit):
                _join(row, kept, i, left, right)
                continue
        kept += 1
        for column in range(NR_COLUMNS):
            row[kept, column] = row[i, column]
    regions.nr[0] = kept + 1


@loop
def _join(row, kept, i, left, right):  # type: ignore[no-untyped-def]
    """Region i becomes part of the one before; accesses and ages are means by size."""
    total = max(left + right, np.int64(1))
    if left == 0 and right > 0:
        row[kept, NR_ACCESSES], row[kept, AGE] = row[i, NR_ACCESSES], row[i, AGE]
    elif right > 0:
        summed = row[kept, NR_ACCESSES] * left + row[i, NR_ACCESSES] * right
        row[kept, NR_ACCESSES] = summed // total
        row[kept, AGE] = (row[kept, AGE] * left + row[i, AGE] * right) // total
    row[kept, ACCESSES_BP] = row[kept, NR_ACCESSES] * BP
    row[kept, END] = row[i, END]


@loop
def reset(regions):  # type: ignore[no-untyped-def]
    """The next aggregation begins at 0."""
    row = regions.row
    for i in range(regions.nr[0]):
        row[i, LAST_ACCESSES] = row[i, NR_ACCESSES]
        row[i, ACCESSES_BP] = row[i, NR_ACCESSES] * BP
        row[i, NR_ACCESSES] = 0


@loop
def split(one, rules):  # type: ignore[no-untyped-def]
    """Cut every region in two, or in three where their number stays, unless they are many."""
    regions, at = one.regions, one.at
    nr, parts = regions.nr[0], 2
    if nr > rules.max_nr_regions // 2:
        return
    if at[LAST_NR] == nr and nr < rules.max_nr_regions // 3:
        parts = 3
    written = np.int64(0)
    for i in range(nr):
        room = regions.row.shape[0] - written - (nr - i)
        written = _cut(one, i, min(parts - 1, room), written)
    for i in range(written):
        for column in range(NR_COLUMNS):
            regions.row[i, column] = regions.spare[i, column]
    regions.nr[0] = written
    at[LAST_NR] = nr


@loop
def _cut(one, i, cuts, written):  # type: ignore[no-untyped-def]
    """Write the parts of region i to spare[written:]; each cut leaves 1 to 9 tenths on its left."""
    regions, at = one.regions, one.at
    start, end = regions.row[i, START], regions.row[i, END]
    before, size = frame_of(regions, start), size_of(regions, i)
    first, second = end, end
    for _ in range(cuts):
        if size <= 2:
            break
        at[DRAWS] += 1
        tenths = np.int64(np.ceil(uniform_of(one.key[0], _CUT, at[DRAWS]) * (TENTHS - 1)))
        left = tenths * size // TENTHS
        if left == 0 or left >= size:
            continue
        address = address_of(regions, before + left)
        if start < address < first:
            first, second = address, first
            size = left
    borders = (start, first, second, end)
    for part in range(3):
        lo, hi = borders[part], borders[part + 1]
        if lo < hi:
            for column in range(NR_COLUMNS):
                regions.spare[written, column] = regions.row[i, column]
            regions.spare[written, START], regions.spare[written, END] = lo, hi
            regions.spare[written, PICKED] = -1
            written += 1
    return written


@loop
def adaptation_bp(one, rules):  # type: ignore[no-untyped-def]
    """By how much both intervals change, in bp, from the accesses that were found."""
    regions = one.regions
    most, found = np.int64(0), np.int64(0)
    for i in range(regions.nr[0]):
        size = size_of(regions, i)
        most += size * one.at[AGGR_SAMPLES]
        found += size * regions.row[i, NR_ACCESSES]
    wanted = max(most * rules.access_bp // BP, np.int64(1))
    change = next_input(np.int64(TUNING), found * BP // wanted) // BP
    return BP // 2 + change // 2 if change <= BP else change


@loop
def tune(one, rules):  # type: ignore[no-untyped-def]
    """Take new intervals within the range of the sampling interval; ages keep their time."""
    at, row = one.at, one.regions.row
    change = adaptation_bp(one, rules)
    if change == BP:
        return
    old, before = at[AGGR_US], at[SAMPLE_US]
    sample = min(np.int64(rules.max_sample_us), at[SAMPLE_US] * change // BP)
    at[SAMPLE_US] = max(np.int64(rules.min_sample_us), sample)
    at[AGGR_US] = at[SAMPLE_US] * at[AGGR_SAMPLES]
    at[NEXT_UPDATE] = at[PASSED] + rules.update_us // at[SAMPLE_US]
    for i in range(one.schemes.shape[0]):
        if rules.begins_anew:
            apply_later(one.schemes, i, at[PASSED], at[AGGR_US], at[SAMPLE_US])
        else:
            left = one.schemes[i, NEXT_APPLY] - at[PASSED]
            one.schemes[i, NEXT_APPLY] = at[PASSED] + left * before // at[SAMPLE_US]
    samples = at[AGGR_SAMPLES]
    for i in range(one.regions.nr[0]):
        row[i, NR_ACCESSES] = row[i, NR_ACCESSES] * BP // samples * samples // BP
        row[i, AGE] = row[i, AGE] * old // at[AGGR_US]
