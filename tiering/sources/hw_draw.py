"""Which folios a hardware sampler hits, compiled (docs/model.md#hardware-samples).

Of A accesses a process makes, one in k is sampled at random: their number is Poisson of mean A / k,
and each hits a folio with the probability of an access to it. So a granule is drawn by the rates of
its folios, then a class in it, then a folio of that class, each exactly; what is not populated is
drawn again. Where a VMA is swept the access is at a random instant of the window, which says where
the sweep was. Nothing is read or cleared, and the random numbers are nobody else's.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import CLASS_MASK, GRANULE, NID_MASK, NID_SHIFT
from tiering.engine.jit import loop
from tiering.engine.log_exp import exp_minus
from tiering.engine.random import uniform_of
from tiering.engine.sweep import page_of
from tiering.engine.touch import phase_of

_CLASS = np.uint32(CLASS_MASK)
_CHUNK = 32.0  # mean of the Poisson numbers that are drawn one after the other and added up
_MOST_TRIES = 1000  # of a sample; only where next to nothing is populated


class Heat(NamedTuple):
    """Where accesses go. first, end: i64[P] granules of each process. at: i64[G] first class of a
    granule in counts: i32[], its folios by class. weight: f64[G], cumulative over the granules of a
    process, accesses of a granule per access of the process in the phase phase: i64[P], -1 unknown.
    """

    first: NDArray[np.int64]
    end: NDArray[np.int64]
    at: NDArray[np.int64]
    counts: NDArray[np.int32]
    weight: NDArray[np.float64]
    phase: NDArray[np.int64]


@loop
def count_classes(memory, heat):  # type: ignore[no-untyped-def]
    """Fill heat.counts: all folios that a granule can hold, populated or not."""
    for granule in range(memory.nr.size):
        start = granule * GRANULE
        for i in range(start, start + GRANULE // memory.pages[memory.row0[granule]]):
            heat.counts[heat.at[granule] + np.int64(memory.folio[i] & _CLASS)] += 1


@loop
def weigh(memory, rates, heat, mm, tau):  # type: ignore[no-untyped-def]
    """Bring heat.weight of a process up to date."""
    _, phase, _ = phase_of(rates, mm, tau)
    if phase == heat.phase[mm]:
        return
    heat.phase[mm] = phase
    total = 0.0
    for granule in range(heat.first[mm], heat.end[mm]):
        row = np.int64(memory.row0[granule])
        share = rates.share_at[mm] + phase * rates.nr_rows[mm] + row - rates.row_at[mm]
        for c in range(memory.rows[granule]):
            total += heat.counts[heat.at[granule] + c] * rates.share[share + c]
        heat.weight[granule] = total


@loop
def poisson(mean, key, counter):  # type: ignore[no-untyped-def]
    """(a Poisson number, counter): factors of uniform numbers until they pass exp(-mean)."""
    nr = np.int64(0)
    while mean > 0.0:
        least = exp_minus(min(mean, _CHUNK))
        mean -= _CHUNK
        product = 1.0
        while True:
            product *= uniform_of(key, 1, counter)
            counter += 1
            if product <= least:
                break
            nr += 1
    return nr, counter


@loop
def sample(memory, rates, heat, mm, window, period, slow_enough, key, out, n):  # type: ignore[no-untyped-def]
    """Sample the accesses of a process in the window (tau0, tau1]; folios go to out[n:].

    slow_enough: bool[N], nodes whose accesses pass the latency filter. Returns (n, samples lost,
    because out was full).
    """
    tau0, tau1 = window
    weigh(memory, rates, heat, mm, tau1)
    nr, counter = poisson((tau1 - tau0) / period, key, 0)
    lost = np.int64(0)
    for _ in range(nr):
        index = np.int64(-1)
        for _ in range(_MOST_TRIES):
            index = _hit(memory, rates, heat, mm, window, key, counter)
            counter += 1
            if index >= 0:
                break
        if index < 0:
            continue
        nid = (memory.folio[index] & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT)
        if not slow_enough[nid]:
            continue
        if n == out.size:
            lost += 1
            continue
        out[n] = index
        n += 1
    return n, lost


@loop
def _hit(memory, rates, heat, mm, window, key, counter):  # type: ignore[no-untyped-def]
    """Index of the folio of one access, -1 if it is not populated."""
    lo, hi = heat.first[mm], heat.end[mm] - 1
    if hi < lo:
        return np.int64(-1)
    wanted = uniform_of(key, 2, counter) * heat.weight[hi]
    while lo < hi:
        mid = (lo + hi) // 2
        if heat.weight[mid] >= wanted:
            hi = mid
        else:
            lo = mid + 1
    granule = lo
    s = np.int64(memory.sweep[granule])
    if s >= 0:
        granule, offset = _swept(rates.sweeps, s, window, key, counter)
    else:
        offset = _of_class(memory, rates, heat, mm, granule, key, counter)
    if offset >= memory.nr[granule]:
        return np.int64(-1)
    return granule * GRANULE + offset


@loop
def _of_class(memory, rates, heat, mm, granule, key, counter):  # type: ignore[no-untyped-def]
    """Slot of a folio of the granule, drawn by class and then at random among its like."""
    row = np.int64(memory.row0[granule])
    share = rates.share_at[mm] + heat.phase[mm] * rates.nr_rows[mm] + row - rates.row_at[mm]
    at, rows = heat.at[granule], np.int64(memory.rows[granule])
    total = 0.0
    for c in range(rows):
        total += heat.counts[at + c] * rates.share[share + c]
    wanted = uniform_of(key, 3, counter) * total
    chosen = np.int64(-1)
    for c in range(rows):
        part = heat.counts[at + c] * rates.share[share + c]
        if part > 0.0:
            chosen = np.int64(c)
            wanted -= part
            if wanted <= 0.0:
                break
    nr = np.int64(heat.counts[at + chosen])
    left = min(np.int64(uniform_of(key, 4, counter) * nr), nr - 1)
    start = granule * GRANULE
    slot = np.int64(0)
    while left > 0 or np.int64(memory.folio[start + slot] & _CLASS) != chosen:
        left -= np.int64(np.int64(memory.folio[start + slot] & _CLASS) == chosen)
        slot += 1
    return slot


@loop
def _swept(sweeps, s, window, key, counter):  # type: ignore[no-untyped-def]
    """(granule, slot) at which the sweep of a region was at a random instant of the window."""
    tau0, tau1 = window
    tau = tau0 + (tau1 - tau0) * uniform_of(key, 3, counter)
    page = page_of(sweeps, s, np.floor(np.floor(sweeps.part[s] * tau) / sweeps.burst[s]))
    while sweeps.first_page[s] > page:
        s -= 1
    while s + 1 < sweeps.granule.size and 0 < sweeps.first_page[s + 1] <= page:
        s += 1
    folio = (page - sweeps.first_page[s]) // sweeps.folio_pages[s]
    per = sweeps.per_granule[s]
    return sweeps.granule[s] + folio // per, folio % per
