"""A hotness record of pghot, and the walk over those that are ready (docs/model.md#pghot).

    byte      bit 7 ready | bits 2..6 time in buckets of 128 ms | bits 0..1 frequency
    precise   bit 31 ready | bits 13..26 time in ms | bits 10..12 frequency | bits 0..9 node

Both times wrap around, after 4.1 s and 16.4 s. Only their difference is looked at, and it wraps
too, so a report long ago may seem recent.
"""

from typing import NamedTuple

import numpy as np

from tiering.engine.folios import GRANULE, NID_MASK, NID_SHIFT, SLOW
from tiering.engine.jit import loop
from tiering.engine.reports import end_run

NS_PER_MS = 1_000_000
SECTION_GRANULES = 4
"""Granules of a section of 128 MiB."""
GRANULE_AT, SLOT_AT = range(2)  # fields of a cursor


class Layout(NamedTuple):
    """Shifts and largest values of the fields, log2 of the ms of a bucket, and the mask of ready.
    The node is in the lowest bits where there is room for it."""

    freq_shift: int
    freq_max: int
    time_shift: int
    time_max: int
    bucket_shift: int
    ready: int
    node_max: int


BYTE = Layout(0, 3, 2, 31, 7, 1 << 7, 0)
PRECISE = Layout(10, 7, 13, 16_383, 0, 1 << 31, 1023)


class Rules(NamedTuple):
    """The knobs as the loops take them."""

    threshold: int
    window_ms: int


@loop
def latency_of(record, now_ms, layout):  # type: ignore[no-untyped-def]
    """ms from the time in a record to now, in whole buckets and modulo the range of the field."""
    then = (record >> layout.time_shift) & layout.time_max
    now = now_ms >> layout.bucket_shift
    return ((now - then) & layout.time_max) << layout.bucket_shift


@loop
def updated(record, now_ms, layout, rules, node):  # type: ignore[no-untyped-def]
    """A record (int64) after one more report; ready stays until the record is taken. node: of the
    CPU that accessed."""
    freq = (record >> layout.freq_shift) & layout.freq_max
    if latency_of(record, now_ms, layout) > rules.window_ms:
        freq = np.int64(1)
    else:
        freq = min(freq + 1, layout.freq_max)
    time = (now_ms >> layout.bucket_shift) & layout.time_max
    new = (freq << layout.freq_shift) | (time << layout.time_shift) | (node & layout.node_max)
    if freq >= rules.threshold:
        new |= layout.ready
    return new | (record & layout.ready)


@loop
def note(  # type: ignore[no-untyped-def]
    memory, nodes, records, ready, sections, wake, layout, rules, reports, first_run, now
):  # fmt: skip
    """Update the records of runs handed on by `now` ns, from `first_run`.

    nodes: i64[P] that records of each mm name. ready: i32[G] ready records of a granule. sections:
    u16[S] a bit for each node on which a folio of the section is ready. wake: bool[N]. Reports of
    what is on the top tier are dropped. Returns (the next run, reports recorded).
    """
    run = np.int64(first_run)
    recorded = np.int64(0)
    first = reports.ends[run - 1] if run > 0 else np.int64(0)
    while run < reports.ends.size and reports.stamps[run] <= now:
        now_ms = reports.stamps[run] // NS_PER_MS
        for i in range(first, reports.ends[run]):
            index = np.int64(reports.folios[i])
            value = memory.folio[index]
            if value & np.uint32(SLOW) == 0:
                continue
            recorded += 1
            before = np.int64(records[index])
            after = updated(before, now_ms, layout, rules, nodes[memory.mm[index // GRANULE]])
            records[index] = after
            if after & layout.ready == 0:
                continue
            granule = index // GRANULE
            if before & layout.ready == 0:
                ready[granule] += 1
            nid = np.int64((value & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT))
            sections[granule // SECTION_GRANULES] |= np.uint16(1 << nid)
            wake[nid] = True
        first = reports.ends[run]
        run += 1
    return run, recorded


@loop
def take(  # type: ignore[no-untyped-def]
    memory, records, ready, sections, layout, nid, cursor, clock, until, each_ns, most, found,
    latency, heat,
):  # fmt: skip
    """Walk the hot sections of a node from the cursor and take ready records, which are cleared.

    Goes on to the end of a section in which some were, to the `most`-th of them, or until the clock
    passes `until`. Returns (taken, runs, clock); the folios in found, the ms since their last
    reports in latency, and their frequency in heat.
    """
    n, nr_runs = np.int64(0), np.int64(0)
    bit = np.uint16(1 << nid)
    while cursor[GRANULE_AT] < memory.nr.size and clock < until and n < most:
        granule = cursor[GRANULE_AT]
        section = granule // SECTION_GRANULES
        if cursor[SLOT_AT] == 0:
            if granule % SECTION_GRANULES == 0:
                if sections[section] & bit == 0:
                    cursor[GRANULE_AT] += SECTION_GRANULES
                    continue
                sections[section] &= ~bit
            clock += np.int64(memory.nr_slow[granule] * each_ns + 0.5)
        first, slot = n, np.int64(memory.nr[granule])
        if ready[granule] > 0:
            n, slot = _take_granule(
                memory, records, ready, layout, nid, granule, cursor[SLOT_AT], clock, most, found,
                latency, heat, n,
            )  # fmt: skip
        nr_runs = end_run(found, n, nr_runs, first, clock)
        cursor[SLOT_AT] = slot
        if slot >= memory.nr[granule]:
            cursor[GRANULE_AT] += 1
            cursor[SLOT_AT] = 0
            if cursor[GRANULE_AT] % SECTION_GRANULES == 0 and n > 0:
                break
    return n, nr_runs, clock


@loop
def _take_granule(  # type: ignore[no-untyped-def]
    memory, records, ready, layout, nid, granule, slot, clock, most, found, latency, heat, n
):
    """(taken in all, slot at which to go on)."""
    tag = np.uint32(nid << NID_SHIFT)
    start = granule * GRANULE
    while slot < memory.nr[granule] and n < most:
        index = start + slot
        record = np.int64(records[index])
        if record & layout.ready and (memory.folio[index] & np.uint32(NID_MASK)) == tag:
            found.folios[n] = index
            latency[n] = latency_of(record, clock // NS_PER_MS, layout)
            heat[n] = (record >> layout.freq_shift) & layout.freq_max
            n += 1
            records[index] = 0
            ready[granule] -= 1
        slot += 1
    return n, slot
