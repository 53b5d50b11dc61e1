"""Hint faults of a granule, compiled (docs/model.md#hint-faults).

The first touch after the mark is a fault. A look says which marked folios were touched since the
last one; the work time of the fault is a first touch in that window (engine/poisson.py), and the
latency is the time of the fault less that of the mark, in ms as the kernel keeps it.
"""

import numpy as np

from tiering.engine.first_touch import expected, swept_at, time_of
from tiering.engine.flow import TICK_NS, TIME
from tiering.engine.folios import (
    CLASS_MASK,
    FAULTED,
    GRANULE,
    HINT,
    NID_MASK,
    NID_SHIFT,
    REMEMBERED,
    SLOW,
)
from tiering.engine.jit import loop
from tiering.engine.look import latch, tau_at
from tiering.engine.poisson import first_touch
from tiering.engine.random import mix64, uniform_of
from tiering.engine.reports import end_run
from tiering.sources.hint_state import (
    FAULTS,
    FAULTS_LOCAL,
    LOCAL,
    NS_PER_MS,
    PRIVATE,
    REMOTE,
    SHARED_FAULTS,
)

FINENESS = 16
"""Faults are handed on within this part of the time since the mark, or within a tick."""
_CLASS = np.uint32(CLASS_MASK)
_STREAM, _WHO = 3, 4


@loop
def fault_granule(memory, rates, scratch, one, rules, granule, clock, pace, found, n, nr_runs):  # type: ignore[no-untyped-def]
    """Look at a granule at `clock`: report the faults since the last look. `found` must have room.

    Returns (n, runs, ns that the faults cost).
    """
    mm = np.int64(memory.mm[granule])
    tau = tau_at(memory, pace, granule, clock)
    latch(memory, rates, scratch, granule, tau)
    first_found, faults = n, np.int64(0)
    if memory.hinted[granule] > 0:
        n, faults = _faults(memory, rates, one, rules, granule, clock, tau, pace, found, n)
    one.seen[granule], one.seen_ns[granule] = tau, clock
    memory.hinted[granule] -= faults
    one.at[FAULTS] += faults
    cost = faults * rules.fault_ns
    one.charge[mm] += cost
    nr_runs = end_run(found, n, nr_runs, first_found, clock)
    wait = max(TICK_NS, (clock - one.marked_ns[granule]) // FINENESS)
    one.look_ns[granule] = (clock + wait) // TICK_NS * TICK_NS
    return n, nr_runs, cost


@loop
def _faults(memory, rates, one, rules, granule, clock, tau, pace, found, n):  # type: ignore[no-untyped-def]
    """Take the marks of folios that faulted and report those on the slow tier: (n, faults)."""
    mm, row0 = np.int64(memory.mm[granule]), np.int64(memory.row0[granule])
    before, start = one.seen[granule], granule * GRANULE
    swept = memory.sweep[granule] >= 0
    if not swept:
        for c in range(memory.rows[granule]):
            one.expected[c] = expected(rates, mm, row0 + c, before, tau)
    key = mix64(memory.key[granule] + np.uint64(memory.looks[granule]))
    faults = np.int64(0)
    for index in range(start, start + memory.nr[granule]):
        folio = memory.folio[index]
        if folio & np.uint32(FAULTED) == 0:
            continue
        faults += 1
        memory.folio[index] = folio & ~np.uint32(FAULTED | HINT)
        if folio & np.uint32(SLOW) == 0:
            _count(memory, one, granule, mm, index, key)
            continue
        if swept:
            sweep = np.int64(memory.sweep[granule])
            when = swept_at(rates.sweeps, sweep, granule, index - start, before, tau)
        else:
            row = np.int64(folio & _CLASS)
            x = one.expected[row]
            when = tau
            if x > 0.0:
                y = first_touch(x, uniform_of(key, _STREAM, index - start))
                when = time_of(rates, mm, row0 + row, before, tau, y)
        at_ms = clock_of(one, granule, mm, min(when, tau), clock, pace) // NS_PER_MS
        late = (at_ms - np.int64(one.marked_ms[index])) & rules.mask
        found.folios[n] = index
        found.latency_ms[n] = late
        n += 1
    return n, faults


@loop
def _count(memory, one, granule, mm, index, key):  # type: ignore[no-untyped-def]
    """A fault on a page of the top tier, by a thread drawn evenly: that of the last or not."""
    value = memory.folio[index]
    pages = memory.pages[memory.row0[granule]]  # folios of a granule are of one order
    local = np.int64((value & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT)) == one.home[mm]
    own = value & np.uint32(REMEMBERED) == 0
    own = own or uniform_of(key, _WHO, index % GRANULE) * one.threads[mm] <= 1.0
    memory.folio[index] = value | np.uint32(REMEMBERED)
    one.counted[mm, LOCAL if local else REMOTE] += pages
    one.counted[mm, PRIVATE if own else SHARED_FAULTS] += pages
    one.at[FAULTS_LOCAL] += np.int64(local)


@loop
def clock_of(one, granule, mm, tau, clock, pace):  # type: ignore[no-untyped-def]
    """Time (ns) of a work time since the last look: exact in this step, linear before it."""
    now, here = pace.at[TIME], pace.tau[mm]
    before, before_ns = one.seen[granule], one.seen_ns[granule]
    if tau >= here or before >= here or before_ns >= now:
        speed = pace.speed[mm]
        at = now + (tau - here) / speed if speed > 0.0 else np.float64(clock)
    else:
        at = before_ns + (tau - before) / (here - before) * (now - before_ns)
    return min(max(np.int64(at), before_ns), clock)
