"""The hot lists of a CXL hotness monitoring unit, compiled (docs/model.md#chmu).

A unit that expects x counted accesses in an epoch is hot with P(N >= T), N Poisson. Where counters
are few they go to the units that are accessed first: until a part c of the epoch all who come get
one, afterwards none. With it, hot is who came by then and reached T:

    P(hot) = P(N >= T) - exp(-c x) P(N' >= T),  N' Poisson of mean (1 - c) x

c is where as many units are expected to have come as there are counters. The unit counts on its
own: no accessed bit is read or cleared, and its random numbers are nobody else's.
"""

import numpy as np

from tiering.engine.collect import collect
from tiering.engine.draw import draw_block
from tiering.engine.flow import TIME, next_tick
from tiering.engine.folios import CLASS_MASK, GRANULE, NID_MASK, NID_SHIFT
from tiering.engine.jit import loop
from tiering.engine.log_exp import exp_minus, log_of, one_minus_exp_minus
from tiering.engine.poisson_tail import tail
from tiering.engine.random import mix64, uniform_of
from tiering.engine.reports import hand_on, has_room
from tiering.engine.sweep import read_block
from tiering.engine.touch import BLOCK, set_threshold
from tiering.sources.chmu_always import count_window, list_counted
from tiering.sources.chmu_unit import CURSOR, DUE, EPOCH, LISTED, LOST, SALT, expect

_STEPS = 40  # of the bisection for c
_CLASS = np.uint32(CLASS_MASK)


@loop
def hot_share(x, counting, threshold):  # type: ignore[no-untyped-def]
    """P(hot) of a unit that expects x counted accesses."""
    p = tail(x, threshold)
    if counting < 1.0:
        p -= exp_minus(x * counting) * tail(x * (1.0 - counting), threshold)
    return max(p, 0.0)


@loop
def read_lists(memory, rates, scratch, slow, one, rules, clock, until, pace, found, stops):  # type: ignore[no-untyped-def]
    """Sleep to the end of the epoch, then read the lists; until the clock passes `until`, the
    buffer is full, or, if it stops, the lists are read and were not empty.

    Returns (clock, CPU ns, reports, runs, epochs that ended, whether it stopped there).
    """
    at = one.at
    n, nr_runs, nr_ended = np.int64(0), np.int64(0), np.int64(0)
    busy, stopped = np.int64(0), False
    while clock < until:
        if at[CURSOR] < 0:
            if clock < at[DUE]:
                clock = min(at[DUE], until)
                continue
            _end_epoch(memory, rates, slow, one, rules, pace)
            if rules.always:
                count_window(memory, rates, one, rules, slow)
        begin = clock  # collecting for one node overwrites a granule behind what another gave: 2
        while at[CURSOR] < memory.nr.size and clock < until and has_room(found, n, nr_runs, 2):
            granule = at[CURSOR]
            inside = rules.first <= granule < rules.end
            if inside and (memory.nr_slow[granule] > 0 or rules.always):
                before = n
                n, read = _list(memory, rates, scratch, slow, one, rules, granule, found, n)
                clock += np.int64(read * rules.entry_ns + 0.5)
                if n > before:
                    found.ends[nr_runs] = n
                    nr_runs += 1
            at[CURSOR] += 1
        busy += clock - begin
        if at[CURSOR] < memory.nr.size:
            break
        at[CURSOR] = -1
        at[DUE] = max(at[DUE] + rules.epoch_ns, clock)
        at[EPOCH] += 1
        nr_ended += 1
        listed = np.int64(0)
        for nid in range(slow.size):
            listed += one.entries[nid]
        if listed > 0 and stops:
            stopped = True
            break
        if listed > 0:
            until = min(until, next_tick(max(clock, pace.at[TIME])))
    hand_on(found, 0, nr_runs, clock)
    return clock, busy, n, nr_runs, nr_ended, stopped


@loop
def _end_epoch(memory, rates, slow, one, rules, pace):  # type: ignore[no-untyped-def]
    """Counters stop: from here on the lists of the epoch are read, while the next one counts."""
    at = one.at
    at[CURSOR] = 0
    after = max(at[DUE], pace.at[TIME]) - pace.at[TIME]
    for p in range(one.end.size):
        tau = min(pace.tau[p] + after * pace.speed[p], pace.work[p])
        one.begin[p] = one.end[p]
        one.end[p] = max(tau, one.begin[p])
    for nid in range(slow.size):
        one.entries[nid] = 0
        if slow[nid] and rules.nr_counters > 0 and not rules.always:
            one.counting[nid] = _counting(memory, rates, one, rules, nid)


@loop
def _counting(memory, rates, one, rules, nid):  # type: ignore[no-untyped-def]
    """Part of the epoch after which the counters of a node are expected to be taken."""
    _count_rows(memory, one, rules, nid)
    lo, hi = 0.0, 1.0
    for step in range(_STEPS):
        part = 1.0 if step == 0 else (lo + hi) / 2
        came = 0.0
        for mm in range(rates.row_at.size):
            for row in range(rates.row_at[mm], rates.row_at[mm] + rates.nr_rows[mm]):
                nr = one.inside[row]
                if nr > 0:
                    expect(rates, one, rules, mm, row, 1)
                    per = memory.pages[row] / rules.unit_pages  # units of a folio
                    came += nr * per * one_minus_exp_minus(one.expected[0] / per * part)
        if step == 0 and came <= rules.nr_counters:
            return 1.0
        if came > rules.nr_counters:
            hi = part
        else:
            lo = part
    return lo


@loop
def _count_rows(memory, one, rules, nid):  # type: ignore[no-untyped-def]
    """one.inside = folios of each row on a node, those in the range if there is one."""
    nr_granules = memory.nr.size
    if rules.first == 0 and rules.end >= nr_granules:
        for row in range(one.inside.size):
            one.inside[row] = memory.resident[row, nid]
        return
    one.inside[:] = 0
    tag = np.uint32(nid << NID_SHIFT)
    for granule in range(rules.first, min(rules.end, nr_granules)):
        start = granule * GRANULE
        for index in range(start, start + memory.nr[granule]):
            word = memory.folio[index]
            if word & np.uint32(NID_MASK) == tag:
                one.inside[memory.row0[granule] + np.int64(word & _CLASS)] += 1


@loop
def _list(memory, rates, scratch, slow, one, rules, granule, found, n):  # type: ignore[no-untyped-def]
    """Append the folios of listed units of a granule; returns (n, entries read)."""
    if rules.always:
        return list_counted(memory, one, rules, slow, granule, found, n)
    return _list_granule(memory, rates, scratch, slow, one, rules, granule, found, n)


@loop
def _list_granule(memory, rates, scratch, slow, one, rules, granule, found, n):  # type: ignore[no-untyped-def]
    """Append the folios of hot units of a granule; returns (n, entries read)."""
    mm = np.int64(memory.mm[granule])
    row0, rows = np.int64(memory.row0[granule]), np.int64(memory.rows[granule])
    start, nr = granule * GRANULE, np.int64(memory.nr[granule])
    folio_pages = memory.pages[row0]
    expect(rates, one, rules, mm, row0, rows)
    read = np.int64(0)
    for nid in range(slow.size):
        if not slow[nid]:
            continue
        key = mix64(memory.key[granule] + SALT * np.uint64(nid + 1)) + np.uint64(one.at[EPOCH])
        key = mix64(key)
        tag = np.uint32(nid << NID_SHIFT)
        own = _set_shares(scratch, one, rules, rows, nid, folio_pages)
        first_found = n
        for base in range(0, nr, BLOCK):
            part = memory.folio[start + base : start + min(base + BLOCK, nr)]
            hit = scratch.hit[: part.size]
            if memory.sweep[granule] >= 0:
                _swept(memory, rates, scratch, one, rules, granule, base, part.size)
            elif own:
                draw_block(part, rows, base, key, scratch)
            else:
                _draw_units(part, scratch, one, rules, base, key, tag, nid, folio_pages)
            for i in range(part.size):
                on = (part[i] & np.uint32(NID_MASK)) == tag
                hit[i] = np.uint32(on) & scratch.touched[i]
            n = collect(hit, start + base, found.folios, n, scratch.vector)
        n, nr_read = _fit(one, rules, nid, found, first_found, n, folio_pages)
        read += nr_read
    return n, read


@loop
def _set_shares(scratch, one, rules, rows, nid, folio_pages):  # type: ignore[no-untyped-def]
    """Thresholds of `draw_block` where a folio is a unit or several; True if so.

    A folio of several units is found if one of them is hot.
    """
    if rules.unit_pages > folio_pages:
        return False
    units = folio_pages // rules.unit_pages
    for c in range(rows):
        p = hot_share(one.expected[c] / units, one.counting[nid], rules.threshold)
        if units > 1:
            p = one_minus_exp_minus(-units * log_of(1.0 - p)) if p < 1.0 else 1.0
        set_threshold(scratch, c, p)
    return True


@loop
def _draw_units(part, scratch, one, rules, base, key, tag, nid, folio_pages):  # type: ignore[no-untyped-def]
    """scratch.touched of a block where a unit is several folios: all of a hot unit."""
    width = rules.unit_pages // folio_pages
    for first in range(0, part.size, width):
        end = min(first + width, part.size)
        x = 0.0
        for i in range(first, end):
            if part[i] & np.uint32(NID_MASK) == tag:
                x += one.expected[part[i] & _CLASS]
        p = hot_share(x, one.counting[nid], rules.threshold)
        hot = np.uint32(uniform_of(key, 1, base + first) <= p)
        for i in range(first, end):
            scratch.touched[i] = hot


@loop
def _swept(memory, rates, scratch, one, rules, granule, base, size):  # type: ignore[no-untyped-def]
    """scratch.touched of a block that is swept: touch times are known, so counts are."""
    sweep = np.int64(memory.sweep[granule])
    mm = memory.mm[granule]
    each = rates.sweeps.burst[sweep] * rules.part[mm] / rules.downsampling  # counted in a read
    least = np.ceil(rules.threshold / each) if each > 0.0 else np.inf
    out = scratch.touched[:size]
    read_block(rates.sweeps, sweep, granule, base, one.begin[mm], one.end[mm], least, out)


@loop
def _fit(one, rules, nid, found, first, n, folio_pages):  # type: ignore[no-untyped-def]
    """What of the finds [first, n) is on the list: (new n, entries). Counts entries and losses."""
    width = max(rules.unit_pages // folio_pages, 1)
    entries, last, end = np.int64(0), np.int64(-1), n
    for i in range(first, n):
        unit = np.int64(found.folios[i]) // width
        if unit != last:
            full = rules.hotlist_max > 0 and one.entries[nid] + entries >= rules.hotlist_max
            if full and end == n:
                end = i
            if full:
                one.at[LOST] += 1
            else:
                entries += 1
            last = unit
    one.entries[nid] += entries
    one.at[LISTED] += entries
    return end, entries
