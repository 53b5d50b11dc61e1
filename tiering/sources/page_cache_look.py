"""Reads of hot page cache that nobody maps, compiled (docs/model.md#page-cache-access).

A look catches up on the reads of a granule (engine/look.py), which flags those of folios that were
active and referenced already; here they get their times and become reports.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.first_touch import expected, swept_at, time_of
from tiering.engine.folios import (
    CLASS_MASK,
    GRANULE,
    READ_AGAIN,
    READ_HOT,
    TIMED,
)
from tiering.engine.jit import loop
from tiering.engine.look import latch, tau_at
from tiering.engine.poisson import first_touch
from tiering.engine.random import mix64, uniform_of
from tiering.engine.reports import end_run
from tiering.sources.hint_touch import clock_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NS_PER_MS = 1_000_000
LONGEST_MS = 2**21 - 1
"""Latency of a folio of which no time is remembered: the field of 21 bits holds -1."""
CURSOR, NEXT, FOUND, TESTS, WAS_ON = range(5)  # fields of `at`
NR_AT = 5
_CLASS = np.uint32(CLASS_MASK)
_FIRST, _SECOND, _LAST, _MORE = 6, 7, 8, 9  # streams of the key of a look


class Rules(NamedTuple):
    """The knobs as the loops take them. timed: a latency is told; list_pages: see the knob."""

    timed: bool
    list_pages: int
    read_pages: int
    check_ns: float
    look_ns: int


class Reads(NamedTuple):
    """State of G granules, F folios, S sweeps, M mms; ns of simulated time.

    at: i64[NR_AT] granule that is looked at (-1: none), time of the next look, reports since
    somebody was last told to hand on what there is, reads that asked so far, whether the switch was
    on at the last look. seen: f64[G] work time up to which reads are known, seen_ns: i64[G].
    tested_ms: u32[F] when a read of the folio last asked. call, listed: i64[S] the read() that goes
    on, counted from the begin of the run, and pages on the list that it fills. charge: f64[M] ns
    that tasks have to pay for, of the run.
    """

    at: Ints
    seen: Floats
    seen_ns: Ints
    tested_ms: NDArray[np.uint32]
    call: Ints
    listed: Ints
    expected: Floats
    charge: Floats


def reads(nr_granules: int, nr_sweeps: int, charge: Floats) -> Reads:
    """Nobody has read anything."""
    at = np.zeros(NR_AT, np.int64)
    at[CURSOR] = -1
    return Reads(
        at, np.zeros(nr_granules), np.zeros(nr_granules, np.int64),
        np.zeros(nr_granules * GRANULE, np.uint32), np.full(nr_sweeps, -1, np.int64),
        np.zeros(nr_sweeps, np.int64), np.zeros(256), charge,
    )  # fmt: skip


@loop
def look_at_reads(memory, rates, scratch, one, rules, granule, clock, pace, found, n, nr_runs):  # type: ignore[no-untyped-def]
    """Report what was read hot in a granule since the last look. `found` must have room.

    Reads before the switch was on are forgotten. Returns (n, runs, ns that it cost the tasks).
    """
    mm = np.int64(memory.mm[granule])
    tau = tau_at(memory, pace, granule, clock)
    cost = 0.0
    if memory.nr_slow[granule] > 0 and tau > one.seen[granule]:
        latch(memory, rates, scratch, granule, tau)
        first_found = n
        n, tests = _tests(memory, rates, one, rules, granule, clock, tau, pace, found, n)
        nr_runs = end_run(found, n, nr_runs, first_found, clock)
        one.at[TESTS] += tests
        cost = tests * rules.check_ns
        one.charge[mm] += cost
    one.seen[granule], one.seen_ns[granule] = tau, clock
    return n, nr_runs, cost


@loop
def _tests(memory, rates, one, rules, granule, clock, tau, pace, found, n):  # type: ignore[no-untyped-def]
    """Take the flags of what was read hot, and report it with latencies: (n, reads that asked)."""
    mm, row0 = np.int64(memory.mm[granule]), np.int64(memory.row0[granule])
    before, start = one.seen[granule], granule * GRANULE
    pages = memory.pages[row0]
    sweep = np.int64(memory.sweep[granule])
    if sweep < 0:
        for c in range(memory.rows[granule]):
            one.expected[c] = expected(rates, mm, row0 + c, before, tau)
    key = mix64(memory.key[granule] + np.uint64(memory.looks[granule]))
    tests = np.int64(0)
    for index in range(start, start + memory.nr[granule]):
        folio = memory.folio[index]
        if folio & np.uint32(READ_HOT) == 0:
            continue
        memory.folio[index] = folio & ~np.uint32(READ_HOT | READ_AGAIN)
        again, timed = folio & np.uint32(READ_AGAIN) != 0, folio & np.uint32(TIMED) != 0
        nr = 2.0 if again else 1.0
        if sweep >= 0:
            first = swept_at(rates.sweeps, sweep, granule, index - start, before, tau)
            if not _has_place(one, rules, rates.sweeps, sweep, first, pages):
                continue
            lap = rates.sweeps.nr_pages[sweep] * rates.sweeps.burst[sweep]
            second = first + lap / rates.sweeps.part[sweep] if again else first
            last = second
        else:
            if rules.list_pages == 0:
                continue
            row = np.int64(folio & _CLASS)
            x, offset = one.expected[row], index - start
            y, z, end = _places(x, key, offset, again)
            first = time_of(rates, mm, row0 + row, before, tau, y) if y > 0.0 else tau
            second = time_of(rates, mm, row0 + row, before, tau, z) if again else first
            last = time_of(rates, mm, row0 + row, before, tau, end) if again else first
            if again:  # all reads ask of a folio that was refused before, else one does
                nr = max(2.0, np.floor(x + uniform_of(key, _MORE, offset))) if timed else 1.0
        if one.at[WAS_ON] == 0:
            continue
        at_ms = clock_of(one, granule, mm, min(first, tau), clock, pace) // NS_PER_MS
        late = at_ms - np.int64(one.tested_ms[index]) if timed else np.int64(LONGEST_MS)
        last_ms = at_ms
        if again:
            next_ms = clock_of(one, granule, mm, min(second, tau), clock, pace) // NS_PER_MS
            late = min(late, next_ms - at_ms)
            last_ms = clock_of(one, granule, mm, min(last, tau), clock, pace) // NS_PER_MS
        one.tested_ms[index] = last_ms
        memory.folio[index] |= np.uint32(TIMED)
        found.folios[n] = index
        found.latency_ms[n] = min(late, LONGEST_MS) if rules.timed else 0
        tests += np.int64(nr)
        n += 1
    return n, tests


@loop
def _places(x, key, offset, again):  # type: ignore[no-untyped-def]
    """Coordinates (engine/poisson.py) of the first, the second and the last hot read of a window of
    x: of one read anywhere in it, of more by the gaps from either end."""
    u = uniform_of(key, _FIRST, offset)
    if not again or x <= 0.0:
        return x * u, x * u, x * u
    first = first_touch(x, u)
    left = x - first
    second = first + first_touch(left, uniform_of(key, _SECOND, offset)) if left > 0.0 else x
    return first, second, max(second, x - first_touch(x, uniform_of(key, _LAST, offset)))


@loop
def _has_place(one, rules, sweeps, sweep, tau, pages):  # type: ignore[no-untyped-def]
    """Put a folio that a sweep reads at `tau` on the list of its read(), unless that is full."""
    if one.at[WAS_ON] == 0:
        return True
    came = np.floor(np.floor(sweeps.part[sweep] * tau + 0.5) / sweeps.burst[sweep])
    call = np.int64(came // rules.read_pages)
    if call != one.call[sweep]:
        one.call[sweep], one.listed[sweep] = call, 0
    if one.listed[sweep] >= rules.list_pages:
        return False
    one.listed[sweep] += pages
    return True
