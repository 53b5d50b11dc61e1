"""What a kdamond monitors: ranges of addresses, cut into first regions (docs/model.md#damon)."""

import itertools
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tiering.engine.damon_region import END, NR_COLUMNS, PICKED, START, TARGET, Regions
from tiering.engine.folios import GRANULE
from tiering.sources.pte_state import ScannedMm

PAGES_PER_MIB = 256
Range = tuple[int, int]


def three_ranges(mm: ScannedMm) -> list[Range]:
    """The address space of an mm without its two largest gaps, from its first VMA to its last."""
    vmas = sorted((a * GRANULE, a * GRANULE + round(mib * PAGES_PER_MIB)) for a, _, mib in mm.vmas)
    gaps = [(left[1], right[0]) for left, right in itertools.pairwise(vmas) if left[1] < right[0]]
    largest = sorted(sorted(gaps, key=lambda gap: gap[0] - gap[1])[:2])
    if not vmas:
        return []
    borders = [vmas[0][0], *itertools.chain.from_iterable(largest), vmas[-1][1]]
    return list(zip(borders[::2], borders[1::2], strict=True))


def cut_evenly(ranges: Iterable[Range], min_nr_regions: int) -> list[Range]:
    """Pieces of one size, but for the last of a range: damon_va_evenly_split_region."""
    ranges = list(ranges)
    size = max(sum(end - start for start, end in ranges) // min_nr_regions, 1)
    pieces: list[Range] = []
    for start, end in ranges:
        nr = (end - start) // size
        each = (end - start) // nr if nr else 0
        cuts = [start + k * each for k in range(nr)] if nr else [start]
        pieces += itertools.pairwise([*cuts, end])
    return pieces


def set_target(regions: Regions, target: int, pieces: list[Range]) -> None:
    """Give a target its first regions, after those of the targets before it; all else stays."""
    there = regions.row[: regions.nr[0]]
    rows = new_rows(target, pieces)
    at = int(np.searchsorted(there[:, START], rows[0, START])) if len(rows) else 0
    together = np.concatenate([there[:at], rows, there[at:]])
    regions.row[: len(together)] = together
    regions.nr[0] = len(together)


def drop_target(regions: Regions, target: int) -> None:
    """Take away all regions of a target."""
    there = regions.row[: regions.nr[0]]
    kept = there[there[:, TARGET] != target].copy()
    regions.row[: len(kept)] = kept
    regions.nr[0] = len(kept)


def new_rows(target: int, pieces: list[Range]) -> NDArray[np.int64]:
    """Regions that nobody has sampled yet."""
    rows = np.zeros((len(pieces), NR_COLUMNS), np.int64)
    for row, (start, end) in zip(rows, pieces, strict=True):
        row[START], row[END], row[PICKED], row[TARGET] = start, end, -1, target
    return rows
