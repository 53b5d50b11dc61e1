"""A CXL hotness unit that is always on, compiled (docs/model.md#chmu).

A unit of memory is listed as soon as its counter reaches the threshold, and the counter is freed;
nothing begins anew. What a unit was accessed N times in a window does to its counter c follows from
N alone, a Poisson number that is drawn exactly:

    listed floor((c + N) / T) times,   c = (c + N) mod T

Where counters are few, those that are free go to the units that are accessed first: of N accesses
the first is at 1 - V^(1/N) of the window, V uniform. If they run out, what is freed in this window
is given out after it; with T = 1 a counter is free again at once.
"""

import numpy as np

from tiering.engine.folios import CLASS_MASK, GRANULE, NID_MASK, NID_SHIFT
from tiering.engine.jit import loop
from tiering.engine.log_exp import log_of, one_minus_exp_minus
from tiering.engine.poisson_tail import term
from tiering.engine.random import mix64, uniform_of
from tiering.engine.sweep import page_at, rank_of
from tiering.sources.chmu_unit import EPOCH, LISTED, LOST, SALT, expect

COUNT = np.uint32(0xFFFF)
"""Bits of a counter word that count; those above say how often the unit was listed."""
_LISTED_BIT = np.uint32(16)
_MOST_LISTED = 0xFFFF
BINS = 4096
"""Parts of a window that first accesses are told apart by."""
_NEGLIGIBLE = 1e-18
_NUMBER, _WHEN, _PART = 1, 2, 3  # streams of a granule's key
_CLASS = np.uint32(CLASS_MASK)


@loop
def poisson_from(x, mode, peak, u):  # type: ignore[no-untyped-def]
    """A Poisson number of mean x > 0 from u, uniform in (0, 1].

    mode: the most probable number, peak: its probability; others are tried from there on both ways.
    """
    left = u - peak
    low, high = mode, mode
    below, above = peak, peak
    while left > 0.0:
        high += 1
        above = above * x / high
        left -= above
        if left <= 0.0:
            return high
        if low > 0:
            below = below * low / x
            low -= 1
            left -= below
            if left <= 0.0:
                return low
        if above < _NEGLIGIBLE and (low == 0 or below < _NEGLIGIBLE):
            break
    return mode


@loop
def count_window(memory, rates, one, rules, slow):  # type: ignore[no-untyped-def]
    """All counters at the end of a window, and what was listed in it: one.total by slow node."""
    s = np.int64(0)
    for nid in range(slow.size):
        if not slow[nid]:
            continue
        one.total[s] = 0
        few = rules.nr_counters > 0 and rules.threshold > 1
        left, last = np.int64(0), np.int64(BINS)
        if few:
            one.bins[:] = 0
            taken = np.int64(0)
            for granule in range(rules.first, min(rules.end, memory.nr.size)):
                _count_granule(memory, rates, one, rules, granule, s, nid, True, 0, last)
                taken += one.held[s, granule]
            left, last = _last_bin(one.bins, max(rules.nr_counters - taken, 0))
        for granule in range(rules.first, min(rules.end, memory.nr.size)):
            left = _count_granule(memory, rates, one, rules, granule, s, nid, False, left, last)
        s += 1


@loop
def _last_bin(bins, free):  # type: ignore[no-untyped-def]
    """(counters that are left for it, the bin of first accesses in which they run out)."""
    for b in range(BINS):
        if bins[b] > free:
            return free, b
        free -= bins[b]
    return free, BINS


@loop
def _count_granule(memory, rates, one, rules, granule, s, nid, looks, left, last):  # type: ignore[no-untyped-def]
    """Go over the units of a granule on a node. looks: only at newcomers, whose first accesses go
    into one.bins. left, last: see `_last_bin`; returns the new left."""
    if memory.nr_slow[granule] == 0 and one.held[s, granule] == 0:
        return left
    folio_pages = np.int64(memory.pages[memory.row0[granule]])
    pages = min(rules.unit_pages, folio_pages)  # of a unit in one folio
    units = folio_pages // pages
    width = max(rules.unit_pages // folio_pages, 1)
    _prepare(memory, rates, one, rules, granule, units)
    key = mix64(memory.key[granule] + SALT * np.uint64(nid + 1)) + np.uint64(one.at[EPOCH])
    key = mix64(key)
    tag, start = np.uint32(nid << NID_SHIFT), granule * GRANULE
    held = np.int64(0)
    for first in range(0, GRANULE // folio_pages, width):
        for at in range(units):
            slot = first * folio_pages + at * pages
            there, nr = False, np.int64(0)
            for i in range(first, min(first + width, np.int64(memory.nr[granule]))):
                word = memory.folio[start + i]
                if word & np.uint32(NID_MASK) == tag:
                    there = True
                    page = i * folio_pages + at * pages
                    nr += _accesses(memory, rates, one, rules, granule, page, pages, word, key)
            count = np.int64(one.counters[s, start + slot] & COUNT)
            if not there:
                one.counters[s, start + slot] = 0
                continue
            if looks:
                if count == 0 and nr > 0:
                    one.bins[_bin(key, slot, nr)] += 1
            else:
                if count == 0 and nr > 0 and last < BINS:
                    b = _bin(key, slot, nr)
                    if b > last or (b == last and left == 0):
                        nr = np.int64(0)
                    left -= np.int64(b == last and nr > 0)
                count = _add(one, rules, s, start + slot, count, nr, last < BINS)
            held += np.int64(count > 0)
    one.held[s, granule] = held
    return left


@loop
def _add(one, rules, s, index, count, nr, scarce):  # type: ignore[no-untyped-def]
    """Count nr accesses more of a unit; returns its counter, 0 if it has none."""
    sum_of, times = count + nr, np.int64(0)
    if sum_of >= rules.threshold and scarce:
        sum_of, times = np.int64(0), np.int64(1)
    elif sum_of >= rules.threshold:
        times = min(sum_of // rules.threshold, np.int64(_MOST_LISTED))
        sum_of %= rules.threshold
    one.total[s] += times
    one.counters[s, index] = np.uint32(sum_of) | (np.uint32(times) << _LISTED_BIT)
    return sum_of


@loop
def _bin(key, slot, nr):  # type: ignore[no-untyped-def]
    """Part of the window in which the first of nr accesses lies."""
    when = one_minus_exp_minus(-log_of(uniform_of(key, _WHEN, slot)) / nr)
    return min(np.int64(when * BINS), BINS - 1)


@loop
def _prepare(memory, rates, one, rules, granule, units):  # type: ignore[no-untyped-def]
    """Mean, mode and peak of the accesses of a unit in a folio of each class of the granule."""
    row0, rows = np.int64(memory.row0[granule]), np.int64(memory.rows[granule])
    expect(rates, one, rules, np.int64(memory.mm[granule]), row0, rows)
    for c in range(rows):
        x = one.expected[c] / units
        one.expected[c] = x
        one.mode[c] = np.int64(x)
        one.peak[c] = term(x, np.int64(x)) if x > 0.0 else 1.0


@loop
def _accesses(memory, rates, one, rules, granule, page, pages, word, key):  # type: ignore[no-untyped-def]
    """Counted accesses in the window of pages [page, page + pages) of a granule, in one folio."""
    sweep = np.int64(memory.sweep[granule])
    if sweep < 0:
        c = word & _CLASS
        x = one.expected[c]
        if x <= 0.0:
            return np.int64(0)
        return poisson_from(x, one.mode[c], one.peak[c], uniform_of(key, _NUMBER, page))
    mm = memory.mm[granule]
    nr = swept_accesses(rates.sweeps, sweep, granule, page, pages, one.begin[mm], one.end[mm])
    counted = nr * rules.part[mm] / rules.downsampling
    return np.int64(counted + 1.0 - uniform_of(key, _PART, page))


@loop
def swept_accesses(sweeps, s, granule, page, pages, tau0, tau1):  # type: ignore[no-untyped-def]
    """Accesses of a sweep in the window to pages [page, page + pages) of its granule."""
    lap = sweeps.nr_pages[s] * sweeps.burst[s]
    first = page_at(sweeps, s, granule, 0) + page
    total = 0.0
    for one in range(first, min(first + pages, sweeps.nr_pages[s])):
        before = rank_of(sweeps, s, one) * sweeps.burst[s]
        for sign, tau in ((1.0, tau1), (-1.0, tau0)):
            done = np.ceil(sweeps.part[s] * tau)
            laps = np.floor(done / lap)
            inside = min(max(done - laps * lap - before, 0.0), sweeps.burst[s])
            total += sign * (laps * sweeps.burst[s] + inside)
    return total


@loop
def list_counted(memory, one, rules, slow, granule, found, n):  # type: ignore[no-untyped-def]
    """Append the folios of units of a granule that were listed; returns (n, entries read).

    A list that was full keeps as many entries as it has, spread over all that came.
    """
    folio_pages = np.int64(memory.pages[memory.row0[granule]])
    width = max(rules.unit_pages // folio_pages, 1)
    start, nr = granule * GRANULE, np.int64(memory.nr[granule])
    read, s = np.int64(0), np.int64(0)
    for nid in range(slow.size):
        if not slow[nid]:
            continue
        tag = np.uint32(nid << NID_SHIFT)
        for first in range(0, GRANULE // folio_pages, width):
            kept = np.int64(0)
            low = first * folio_pages
            for slot in range(low, low + width * folio_pages, rules.unit_pages):
                kept += _take(one, rules, s, nid, start + slot)
            read += kept
            for i in range(first, min(first + width, nr) if kept > 0 else first):
                if memory.folio[start + i] & np.uint32(NID_MASK) == tag:
                    found.folios[n] = start + i
                    n += 1
        s += 1
    return n, read


@loop
def _take(one, rules, s, nid, index):  # type: ignore[no-untyped-def]
    """Entries of a unit that are on the list; it is not listed any more."""
    word = one.counters[s, index]
    times = np.int64(word >> _LISTED_BIT)
    if times == 0:
        return times
    one.counters[s, index] = word & COUNT
    before, total = one.entries[nid], one.total[s]
    one.entries[nid] += times
    kept = times
    if 0 < rules.hotlist_max < total:
        most = np.int64(rules.hotlist_max)
        kept = (before + times) * most // total - before * most // total
    one.at[LISTED] += kept
    one.at[LOST] += times - kept
    return kept
