"""Large folios: a pattern over pages becomes one over folios (docs/model.md#folio-orders).

A folio of order k is touched if any of its 2**k pages is, so its rate is the sum of theirs. Where
folios differ in more ways than there are classes, they are put into 64 bins, each as narrow in its
ratio of rates as can be, with the mean of the bin, so that the region's total stays what it is. For
Zipf (exponent 0.99, 8 GiB) a folio deviates from its own rate by up to 12 % at order 4 and 4 % at
order 9 (tests/workloads/test_coarsen.py).
"""

import numpy as np
from numpy.typing import NDArray

from tiering.workloads.pattern import PatternError, Region

NR_CLASSES = 64
CHUNK = 2**18  # pages at a time
WIDEST = 1e300  # ratio between the extremes of a bin
HALVINGS = 60  # of the range in which the ratio is searched


def coarsen(region: Region, order: int) -> Region:
    """The region in folios of that order; the last pages of a folio may be missing.

    Raises PatternError for regions whose rates change in more than 64 different ways.
    """
    if order == 0:
        return region
    if region.row_stride:
        raise PatternError(f"order = {order}: a recording is replayed in folios of order 0")
    pages = 1 << order
    nr_folios = -(-region.nr_folios // pages)
    populated = -(-region.populated // pages)
    if region.sweep is not None:
        share = region.share * (region.nr_folios / nr_folios)
        classes = np.zeros(nr_folios, np.uint8)
    else:
        step = CHUNK >> order
        rates = np.concatenate(
            [_rates(region, first, step, order) for first in range(0, nr_folios, step)]
        )
        classes, share = _kinds(rates, order)
    return Region(
        region.name, nr_folios, classes, share, 0, region.phase_accesses, populated, region.sweep
    )


def _rates(region: Region, first: int, nr: int, order: int) -> NDArray[np.float64]:
    """f64[folios, phases] of up to `nr` folios from the first one on."""
    nr_rows = region.share.shape[1]
    classes = region.classes[first << order : (first + nr) << order].astype(np.int64)
    folio = np.arange(classes.size) >> order
    nr = int(folio[-1]) + 1
    counts = np.bincount(folio * nr_rows + classes, minlength=nr * nr_rows)
    counts = counts.reshape(nr, nr_rows).astype(np.float64)
    rates = np.zeros((nr, region.share.shape[0]))
    for row in range(nr_rows):  # a fixed order of sums
        rates += counts[:, row, None] * region.share[None, :, row]
    return rates


def _kinds(rates: NDArray[np.float64], order: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """(class of each folio, share f64[phases, rows]) from f64[folios, phases]."""
    kinds, kind = np.unique(rates, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    if len(kinds) > NR_CLASSES:
        if rates.shape[1] > 1:
            raise PatternError(
                f"order = {order}: its rates change in {len(kinds)} different ways, "
                f"at most {NR_CLASSES} can be told apart; a contiguous layout has fewer"
            )
        kind = _bins(kinds[:, 0])[kind]
    members = np.bincount(kind)
    share = np.zeros((rates.shape[1], members.size))
    for phase in range(rates.shape[1]):
        share[phase] = np.bincount(kind, rates[:, phase]) / members
    return kind.astype(np.uint8), share


def _bins(rates: NDArray[np.float64]) -> NDArray[np.int64]:
    """i64[kinds] bin of each kind, by increasing rate: the narrowest ratio between the extremes of
    a bin with which NR_CLASSES do; what is never touched has a bin of its own."""
    nr_cold = int(rates[0] == 0.0)
    warm, most = rates[nr_cold:], NR_CLASSES - nr_cold
    low, high = 1.0, min(float(warm[-1] / warm[0]), WIDEST)
    begins = _begins(warm, high, most)
    for _ in range(HALVINGS):
        middle = float(np.sqrt(low) * np.sqrt(high))
        found = _begins(warm, middle, most)
        if found:
            high, begins = middle, found
        else:
            low = middle
    bin_of = np.zeros(rates.size, np.int64)
    bin_of[nr_cold:] = np.searchsorted(begins, np.arange(warm.size), side="right") - 1 + nr_cold
    return bin_of


def _begins(rates: NDArray[np.float64], ratio: float, most: int) -> list[int]:
    """First kind of each bin, none of which spans more than `ratio`; [] if that makes too many."""
    begins: list[int] = []
    at = 0
    while at < rates.size and len(begins) <= most:
        begins.append(at)
        at = max(int(np.searchsorted(rates, rates[at] * ratio, side="right")), at + 1)
    return begins if len(begins) <= most else []
