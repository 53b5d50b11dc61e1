"""The optimum: which folios the fast tier should hold at this instant (docs/model.md#oracle).

A fractional knapsack over the touch rates, with free migration: no placement serves a larger
share of the accesses from the top tier.
"""

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import CLASS_MASK, GRANULE, SLOW, Memory, move
from tiering.engine.jit import loop

_BITS = 11  # bits of a rate looked at in one pass
_FEW = 16  # rows that are searched one by one rather than counted


def quota(
    nr_folios: NDArray[np.int64],
    rate: NDArray[np.float64],
    pages: NDArray[np.int64],
    capacity: int,
) -> NDArray[np.int64]:
    """Folios of each row that belong on the top tier.

    nr_folios: i64[R], rate: f64[R] touches per second of one folio, pages: i64[R] 4 KiB pages of
    one, capacity: pages. Rows of equal rate per page are filled in row order.
    """
    order = np.argsort(-(rate / pages), kind="stable")
    size = (nr_folios * pages)[order]
    before = np.cumsum(size) - size
    wanted = np.zeros_like(nr_folios)
    wanted[order] = np.clip((capacity - before) // pages[order], 0, nr_folios[order])
    return wanted


@loop
def populated(resident, nr_folios):  # type: ignore[no-untyped-def]
    """nr_folios: i64[R] folios of each row on all nodes, from i64[R, N]. True if it changed."""
    changed = False
    for r in range(nr_folios.size):
        nr = np.int64(0)
        for nid in range(resident.shape[1]):
            nr += resident[r, nid]
        changed |= nr != nr_folios[r]
        nr_folios[r] = nr
    return changed


@loop(allocates=True)
def ceiling(nr_folios, rate, pages, capacity):  # type: ignore[no-untyped-def]
    """(largest part of the touches that the top tier can serve, rate per page of the last to fit).

    Arguments as in `quota`. Where everything fits, (1.0, 0.0). Selection, not sorting: rows are
    counted by the leading bits of their rate per page, then only those of the decisive bin again.
    A float64 that is not negative orders like its bits.
    """
    key = (rate / pages).view(np.uint64)
    total = 0.0
    size = np.int64(0)
    for r in range(rate.size):
        total += nr_folios[r] * rate[r]
        size += nr_folios[r] * pages[r]
    if total <= 0.0 or size <= capacity:
        return 1.0, 0.0
    prefix, shift, left = _narrow(key, nr_folios, pages, capacity)
    served = 0.0
    for r in range(rate.size):
        if key[r] >> shift > prefix:
            served += nr_folios[r] * rate[r]
    above = np.uint64(0xFFFFFFFFFFFFFFFF)
    while True:  # the rows of the bin, by falling rate per page, equal ones together
        best = np.uint64(0)
        found, seen = np.int64(0), False
        for r in range(rate.size):
            if key[r] >> shift == prefix and key[r] < above:
                if not seen or key[r] > best:
                    best, found, seen = key[r], np.int64(0), True
                if key[r] == best:
                    found += nr_folios[r] * pages[r]
        density = np.array([best]).view(np.float64)[0]
        served += min(left, found) * density
        left -= found
        if left <= 0 or not seen:
            return served / total, density
        above = best


@loop(allocates=True)
def _narrow(key, nr_folios, pages, capacity):  # type: ignore[no-untyped-def]
    """(prefix, shift, pages left): rows with key >> shift above prefix fit, none below it."""
    shift = np.uint64(64)
    prefix = np.uint64(0)
    left = capacity
    counts = np.empty(1 << _BITS, np.int64)
    while shift > np.uint64(0):
        step = min(np.uint64(_BITS), shift)
        shift -= step
        counts[:] = 0
        for r in range(key.size):
            if shift + step == np.uint64(64) or key[r] >> (shift + step) == prefix:
                at = (key[r] >> shift) & np.uint64((1 << _BITS) - 1)
                counts[at & ((np.uint64(1) << step) - np.uint64(1))] += nr_folios[r] * pages[r]
        chosen = np.int64((np.uint64(1) << step) - np.uint64(1))
        while chosen > 0 and counts[chosen] < left:
            left -= counts[chosen]
            chosen -= 1
        prefix = (prefix << step) | np.uint64(chosen)
        nr = 0
        for r in range(key.size):
            nr += key[r] >> shift == prefix
        if nr <= _FEW:
            break
    return prefix, shift, left


def rearrange(memory: Memory, wanted: NDArray[np.int64], top: int, slow: int) -> int:
    """Bring `wanted` folios (i64[R]) of each row to node `top`, all others to `slow`.

    Costs nothing and needs no room beforehand: leavers go first. Returns the folios promoted.
    """
    down = wanted - memory.resident[:, top]
    shift_rows(memory, np.maximum(-down, 0), False, top, slow)
    return int(shift_rows(memory, np.maximum(down, 0), True, top, slow))


@loop
def shift_rows(memory, left, upward, top, slow):  # type: ignore[no-untyped-def]
    moved = 0
    for granule in range(memory.nr.size):
        row0 = memory.row0[granule]
        start = granule * GRANULE
        for index in range(start, start + memory.nr[granule]):
            value = memory.folio[index]
            row = row0 + np.int64(value & np.uint32(CLASS_MASK))
            if left[row] > 0 and ((value & np.uint32(SLOW)) != 0) == upward:
                move(memory, index, top if upward else slow, 0 if upward else 1)
                left[row] -= 1
                moved += 1
    return moved
