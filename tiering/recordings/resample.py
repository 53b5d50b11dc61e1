"""A recording on a grid of cells x snapshots: touch rates that a workload can replay.

With nr = the area-weighted nr_accesses of a cell and n = aggregation / sample interval, the
largest nr_accesses there is (docs/model.md#damon-recording):

    rate of one 4 KiB page = -ln(1 - min(nr, n - 1/2) / n) / sample interval

DAMON checks one random page per region and sample, so this is the rate of pages that are all alike
within the region; n - 1/2 stands for "in every sample". Sums over regions are whole numbers and the
logarithm is our own, so that results repeat to the bit.

Not modelled: the drift of DAMON's sampling behind its interval (about 12 % in the shipped
recordings), and what it did not see between two samples of a page.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tiering.engine.elementary import log1p
from tiering.recordings.damo import Recording, RecordingError, Regions

MIB = 2**20
MAX_CELLS = 2**25
"""Most cells x snapshots: 256 MiB of rates."""
MAX_TOUCHED_MIB = 2**20
MAX_SKIP_S = 86_400
SHORTEST = 0.5  # of an aggregation interval; where events were lost damo writes shorter ones
LEFTOVER = 0.5  # a last snapshot that covers less than this part of the one before is not whole

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Heat:
    """Touch rates of all cells ever touched. Shapes: K snapshots kept, C cells.

    rate: f64[K, C] touches of one 4 KiB page per recorded second. duration_s: f64[K]. cells:
    i64[C], address of the cell / cell size, increasing. runs: (first, end) columns of neighbouring
    cells. never_touched_mib: part of the monitored range that was not touched in any snapshot kept.
    """

    cell_mib: int
    rate: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    cells: Ints
    runs: tuple[tuple[int, int], ...]
    never_touched_mib: float
    nr_left_out: int

    @property
    def touched_mib(self) -> int:
        """Memory that was ever touched, in whole cells."""
        return int(self.cells.size) * self.cell_mib

    def touches_per_s(self) -> NDArray[np.float64]:
        """f64[K]: touches of all pages per recorded second, summed in a fixed order."""
        pages = self.cell_mib * 256
        total: NDArray[np.float64] = np.cumsum(self.rate, axis=1)[:, -1] * pages
        return total


def resample(recording: Recording, cell_mib: int, skip_s: float = 0.0) -> Heat:
    """Put a recording on cells of cell_mib MiB; snapshots that begin before skip_s are left out.

    Left out as well: snapshots shorter than half an aggregation, and a last one that covers less
    than half of the one before it (damo writes what its buffer held). Raises RecordingError if
    nothing remains, if no page was ever touched, or if the grid would be too large.
    """
    kept = _kept(recording, skip_s)
    snapshots = [recording.snapshots[k] for k in kept]
    size = cell_mib * MIB
    touched = [_touched(regions) for regions in snapshots]
    first, end = _union(
        np.concatenate([(r.start // size).astype(np.int64) for r in touched]),
        np.concatenate([-(-r.end.astype(np.int64) // size) for r in touched]),
    )
    if not first.size:
        raise RecordingError(
            f"{recording.name}: DAMON saw no access at all in {len(kept)} snapshots, "
            "there is nothing to replay"
        )
    _check_size(recording, int((end - first).sum()), len(kept), cell_mib)
    cells = np.concatenate([np.arange(a, b) for a, b in zip(first, end, strict=True)])
    border = np.cumsum([0, *(end - first)]).tolist()
    nr = recording.max_nr_accesses
    rate = np.empty((len(kept), cells.size))
    for k, regions in enumerate(snapshots):
        part = np.minimum(_observed(regions, cells, size, nr), nr - 0.5) / nr
        rate[k] = -log1p(-part) / recording.sample_interval_s
    seconds = (recording.end_ns - recording.start_ns) / 1e9
    covered = _union(
        np.concatenate([r.start.astype(np.int64) for r in snapshots]),
        np.concatenate([r.end.astype(np.int64) for r in snapshots]),
    )
    in_range = _common_bytes(covered, (first * size, end * size))
    return Heat(
        cell_mib=cell_mib,
        rate=rate,
        duration_s=seconds[kept],
        cells=cells,
        runs=tuple(pairwise(border)),
        never_touched_mib=(int((covered[1] - covered[0]).sum()) - in_range) / MIB,
        nr_left_out=len(recording.snapshots) - len(kept),
    )


def _kept(recording: Recording, skip_s: float) -> list[int]:
    start, end = recording.start_ns, recording.end_ns
    coverage = [int((r.end - r.start).sum()) for r in recording.snapshots]
    last = len(coverage) - 1
    shortest = SHORTEST * recording.aggregation_interval_s * 1e9
    kept = [
        k
        for k in range(last + 1)
        if end[k] - start[k] >= shortest
        and (start[k] - start[0]) / 1e9 >= skip_s
        and coverage[k] > 0
    ]
    if kept and kept[-1] == last and last > 0 and coverage[last] < LEFTOVER * coverage[last - 1]:
        kept.pop()
    if not kept:
        seconds = (end.max() - start.min()) / 1e9
        raise RecordingError(
            f"{recording.name}: no snapshot remains of {last + 1} in {seconds:.1f} s, "
            f"with skip_s = {skip_s:g}"
        )
    return kept


def _touched(regions: Regions) -> Regions:
    some = regions.nr_accesses > 0
    return Regions(regions.start[some], regions.end[some], regions.nr_accesses[some])


def _union(start: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Intervals [start, end) joined where they meet or overlap, in increasing order."""
    if not start.size:
        return start, end
    order = np.argsort(start, kind="stable")
    start, reach = start[order], np.maximum.accumulate(end[order])
    begins = np.concatenate([[True], start[1:] > reach[:-1]])
    return start[begins], reach[np.concatenate([begins[1:], [True]])]


def _common_bytes(a: tuple[Ints, Ints], b: tuple[Ints, Ints]) -> int:
    """Bytes in both of two joined sets of intervals."""

    def inside(at: Ints, which: tuple[Ints, Ints]) -> Ints:
        before = np.concatenate([[0], np.cumsum(which[1] - which[0])])
        i = np.searchsorted(which[0], at, side="right")
        over = np.where(i > 0, np.maximum(which[1][i - 1] - at, 0), 0)
        return np.asarray(before[i] - over, np.int64)

    return int((inside(a[1], b) - inside(a[0], b)).sum())


def _check_size(recording: Recording, nr_cells: int, nr_snapshots: int, cell_mib: int) -> None:
    if nr_cells * cell_mib > MAX_TOUCHED_MIB:
        raise RecordingError(
            f"{recording.name}: {nr_cells * cell_mib:,} MiB were touched, "
            f"more than the {MAX_TOUCHED_MIB:,} MiB that can be replayed"
        )
    if nr_cells * nr_snapshots > MAX_CELLS:
        raise RecordingError(
            f"{recording.name}: {nr_cells:,} cells in {nr_snapshots:,} snapshots are more than "
            f"{MAX_CELLS:,}; choose a cell_mib above {cell_mib} or a shorter recording"
        )


def _observed(regions: Regions, cells: Ints, size: int, nr: float) -> NDArray[np.float64]:
    """f64[C] area-weighted nr_accesses; what no region covers counts as not accessed."""
    most = int(np.ceil(nr))
    counts = np.minimum(regions.nr_accesses, most).astype(np.uint64)
    weighted = _byte_sums(regions, counts, cells, size)
    covered = _byte_sums(regions, np.ones_like(counts), cells, size)
    # Regions overlap where damo joined two aggregations into one snapshot: their mean counts.
    area = np.maximum(covered, np.uint64(size)).astype(np.float64)
    return np.asarray(weighted.astype(np.float64) / area)


def _byte_sums(
    regions: Regions, weight: NDArray[np.uint64], cells: Ints, size: int
) -> NDArray[np.uint64]:
    """u64[C] sum over regions of weight x bytes inside the cell.

    F(x) = sum of weight x bytes below x, taken at both ends of each cell. F itself wraps around
    modulo 2**64, its differences (below 2**20 x 2**25 x overlapping regions) are exact.
    """
    below = _bytes_below(regions, weight, cells.astype(np.uint64) * np.uint64(size))
    return _bytes_below(regions, weight, (cells + 1).astype(np.uint64) * np.uint64(size)) - below


def _bytes_below(
    regions: Regions, weight: NDArray[np.uint64], x: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    total = np.zeros_like(x)
    for sign, at in ((False, regions.start), (True, regions.end)):
        order = np.argsort(at, kind="stable")
        zero = np.zeros(1, np.uint64)
        weights = np.concatenate([zero, np.cumsum(weight[order])])
        moments = np.concatenate([zero, np.cumsum(weight[order] * at[order])])
        i = np.searchsorted(at[order], x)
        term = weights[i] * x - moments[i]
        total = total - term if sign else total + term
    return total
