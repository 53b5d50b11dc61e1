"""Ticks in which folios move: migration and reclaim by their own clocks, and the flow behind them.

While folios move, a step ends at every tick (10 ms), so that the closed loop follows. Nobody else
acts in between: whoever scans is dispatched before, up to the end of the first step.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.chunks import END, FIRST, GRANULE_OF, STAMP, WAITING
from tiering.engine.flow import (
    APP_PART,
    APP_THREADS,
    BORDER,
    CPUS,
    KERNEL_BUSY,
    TICK_NS,
    TIME,
    Pace,
    account_copies,
    advance,
    charge_cpu,
    copy_room,
    copying,
    next_tick,
    settle,
    sink_room,
    slowdown,
    stalled,
)
from tiering.engine.folios import FOLIO_BYTES
from tiering.engine.generations import shrink_generations
from tiering.engine.jit import loop
from tiering.engine.migrate import Terms, drain
from tiering.engine.reclaim import IDLE_STEPS, shrink
from tiering.engine.sink import Sink

HOPELESS_NS = 1_000_000_000
"""kswapd that found nothing to demote in two rounds looks again after this."""


class Movers(NamedTuple):
    """Threads that move folios, K of them: those that drain the queue, then kswapd of some nodes.

    clock: i64[K] ns. busy: i64[K] CPU time used, ns. nid: i64[K] node of a kswapd, -1 for one that
    drains. awake: bool[K]. state: i64[K, NR_STATE] of kswapd. weight: f64[K] 1024 at nice 0.
    wanted, low: i64[N] free pages at which kswapd sleeps and wakes. sleep_ns: i64[1] of the
    migration thread between drains, 0 if the scanner drains inline. scanning: i64[2] CPU time of
    scanning threads in this step (ns) and their number. paid: i64[2] 1 if those who drain are
    tasks, who pay themselves; ns so far.
    """

    clock: NDArray[np.int64]
    busy: NDArray[np.int64]
    nid: NDArray[np.int64]
    awake: NDArray[np.bool_]
    state: NDArray[np.int64]
    weight: NDArray[np.float64]
    wanted: NDArray[np.int64]
    low: NDArray[np.int64]
    sleep_ns: NDArray[np.int64]
    scanning: NDArray[np.int64]
    paid: NDArray[np.int64]


@loop
def carry(memory, rates, scratch, flow, nodes, queue, terms, books, sink, sunk, movers, end, stop):  # type: ignore[no-untyped-def]
    """Go on to `end`, and from there tick by tick to `stop` as long as folios move, until their
    copies are over, or stalls are paid.

    Stops at a border of the flow, which the caller settles, and where a scanner is done with its
    migration before the end of a step, so that it scans on. Returns whether either goes on.
    """
    while True:
        duration = end - flow.at[TIME]
        paying = stalled(flow)
        scans_on = False
        busy = movers.scanning[0]
        movers.scanning[0] = 0
        busy -= total(movers.busy) - movers.paid[1]
        if flow.at[TIME] > 0:  # before, nobody has touched anything
            _wake(memory, books, movers, flow.at[TIME])
        while not scans_on:
            k = _next(movers, end)
            if k < 0:
                break
            _run(
                memory, rates, scratch, flow, nodes, queue, terms, books, sink, sunk, movers, k, end
            )
            _wake(memory, books, movers, movers.clock[k])
            scans_on = movers.nid[k] < 0 and not movers.awake[k] and movers.clock[k] < end
            scans_on = scans_on and movers.paid[0] == 0
        busy += total(movers.busy) - movers.paid[1]
        if scans_on:
            movers.scanning[0] = busy
            return True
        advance(flow, end)
        paying = _owe(flow, books.spent) or paying
        nr_kernel = movers.clock.size + movers.scanning[1]
        charge_cpu(flow, busy, duration, nr_kernel)
        changed = account_copies(flow, books.from_nid, books.to_nid, sunk, duration)
        may_move = moving(memory, queue, books, movers, end) or stalled(flow) or copying(flow)
        if end >= flow.at[BORDER]:
            return may_move
        if changed or flow.dirty.any() or _short_of_cpus(flow) or paying:
            settle(flow, rates, memory, nodes)
        if end >= stop or not may_move:
            return may_move
        end = min(next_tick(end), stop)


@loop
def _owe(flow, spent):  # type: ignore[no-untyped-def]
    """What tasks spent in the step stalls them from here on; True if there was anything."""
    owing = False
    for p in range(spent.size):
        if spent[p] > 0.0:
            flow.stall_ns[p] += spent[p] if flow.running[p] else 0.0
            spent[p] = 0.0
            owing = True
    return owing


@loop
def moving(memory, queue, books, movers, now):  # type: ignore[no-untyped-def]
    """Whether folios may move in the tick after `now`: candidates with room, or a kswapd."""
    if queue.at[WAITING] > 0:
        nid = _target(memory, queue, books, np.int64(0))
        if memory.free[nid] > books.reserve[nid]:
            return True
    for k in range(movers.nid.size):
        if movers.nid[k] >= 0 and movers.awake[k] and movers.clock[k] < now + TICK_NS:
            return True
    return False


@loop
def _target(memory, queue, books, default):  # type: ignore[no-untyped-def]
    """Node to which the candidates go that are next; the default if there are none."""
    if queue.at[FIRST] == queue.at[END]:
        return default
    return books.target[memory.mm[queue.head[queue.at[FIRST], GRANULE_OF]]]


@loop
def _short_of_cpus(flow):  # type: ignore[no-untyped-def]
    cpus = flow.cpu[CPUS]
    short = flow.cpu[APP_THREADS] + flow.cpu[KERNEL_BUSY] > cpus
    return cpus > 0.0 and (short or flow.cpu[APP_PART] < 1.0)


@loop
def total(values):  # type: ignore[no-untyped-def]
    """Sum of whole numbers."""
    summed = np.int64(0)
    for value in values:
        summed += value
    return summed


@loop
def _turn(movers, nid, end):  # type: ignore[no-untyped-def]
    """(ns, free pages): how far and how low a thread may fill a node until its kswapd is next."""
    for k in range(movers.nid.size):
        if movers.nid[k] == nid:
            if movers.awake[k]:
                return min(end, movers.clock[k] + 1), np.int64(-1)
            return end, movers.low[nid]
    return end, np.int64(-1)


@loop
def _next(movers, end):  # type: ignore[no-untyped-def]
    """The thread whose turn it is: the earliest that is awake and has not come to `end`; or -1."""
    chosen = -1
    for k in range(movers.clock.size):
        if not movers.awake[k] or movers.clock[k] >= end:
            continue
        if chosen < 0 or movers.clock[k] < movers.clock[chosen]:
            chosen = k
    return chosen


@loop
def _wake(memory, books, movers, now):  # type: ignore[no-untyped-def]
    """kswapd wakes when its node falls below low, or a promotion found no room there."""
    for k in range(movers.nid.size):
        nid = movers.nid[k]
        if nid >= 0 and not movers.awake[k]:
            refused = books.refused[nid] and memory.free[nid] < movers.wanted[nid]
            if memory.free[nid] < movers.low[nid] or refused:
                movers.awake[k] = True
                movers.clock[k] = max(movers.clock[k], now)
    books.refused[:] = False


@loop
def _run(memory, rates, scratch, flow, nodes, queue, terms, books, sink, sunk, movers, k, end):  # type: ignore[no-untyped-def]
    """Let one thread work until its clock passes `end`, or that of the next if that has waited.

    A kswapd gives way after each granule to threads whose clock is behind its own; a thread that
    drains, to the kswapd of the node it fills: after a batch with which that wakes, or is next.
    """
    pace = Pace(flow.at, flow.tau, flow.speed, flow.work)
    nid = movers.nid[k]
    slow = slowdown(flow, movers.weight[k], movers.clock.size + movers.scanning[1])
    clock = movers.clock[k]
    if nid < 0 and movers.paid[0] > 0:
        _drain_in_tasks(
            memory, rates, scratch, flow, nodes, queue, terms, books, sink, movers, k, end, pace
        )
        return
    if nid < 0:
        dst = _target(memory, queue, books, np.int64(terms.dst))
        rate = min(terms.bytes_per_ns / slow, copy_room(flow, nodes, dst, sink.slow))
        until, wake = _turn(movers, dst, end)
        dear = Terms(
            dst, terms.batch_ns * slow, terms.folio_ns * slow, rate, terms.batch_nr,
            books.reserve[dst], terms.limit, terms.refuse_shared, wake, terms.asked,
        )  # fmt: skip
        begin = clock
        clock = drain(memory, rates, scratch, queue, clock, until, pace, dear, books)
        movers.busy[k] += np.int64((clock - begin) / slow)
        while movers.sleep_ns[0] > 0 and clock < end and not _arrived(queue, clock):
            clock += movers.sleep_ns[0]
        movers.awake[k] = movers.sleep_ns[0] > 0 or _arrived(queue, clock)
    else:
        begin = clock
        below = _below(memory, sink, nid)
        rate = min(sink.bytes_per_ns / slow, sink_room(flow, nodes, nid, below))
        until = min(end, clock + 1) if movers.clock.size > 1 else end
        clock = _reclaim(
            memory, rates, scratch, nid, movers.state[k], clock, until, pace, movers.wanted[nid],
            sink, sunk, slow, rate,
        )  # fmt: skip
        movers.busy[k] += np.int64((clock - begin) / slow)
        if memory.free[nid] >= movers.wanted[nid]:
            movers.awake[k] = False
            movers.state[k, IDLE_STEPS] = 0
        elif movers.state[k, IDLE_STEPS] >= 2 * memory.nr.size:
            movers.state[k, IDLE_STEPS] = 0
            clock += HOPELESS_NS
    movers.clock[k] = clock


@loop
def _drain_in_tasks(  # type: ignore[no-untyped-def]
    memory, rates, scratch, flow, nodes, queue, terms, books, sink, movers, k, end, pace
):
    """Tasks migrate what they faulted on, as many at a time as threads run, and pay for it; what
    waits is a fault that comes later, since the threads are busy with others."""
    dst = _target(memory, queue, books, np.int64(terms.dst))
    until, wake = _turn(movers, dst, end)
    room = copy_room(flow, nodes, dst, sink.slow)
    threads = max(flow.cpu[APP_THREADS] * flow.cpu[APP_PART], 1.0)
    together = Terms(
        dst, terms.batch_ns / threads, terms.folio_ns / threads,
        min(terms.bytes_per_ns * threads, room), terms.batch_nr, books.reserve[dst], terms.limit,
        terms.refuse_shared, wake, terms.asked,
    )  # fmt: skip
    clock = drain(memory, rates, scratch, queue, movers.clock[k], until, pace, together, books)
    each = terms.batch_ns / terms.batch_nr + terms.folio_ns
    for p in range(books.tried.size):
        ns = books.tried[p] * each + books.copied[p] * FOLIO_BYTES / min(terms.bytes_per_ns, room)
        books.spent[p] += ns
        movers.paid[1] += np.int64(ns + 0.5)
        movers.busy[k] += np.int64(ns + 0.5)
        books.tried[p] = books.copied[p] = 0
    waits = queue.at[FIRST] < queue.at[END]
    movers.awake[k] = waits
    movers.clock[k] = max(clock, queue.head[queue.at[FIRST], STAMP]) if waits else clock


@loop
def _arrived(queue, clock):  # type: ignore[no-untyped-def]
    at = queue.at
    return at[FIRST] < at[END] and queue.head[at[FIRST], STAMP] <= clock


@loop
def _below(memory, sink, nid):  # type: ignore[no-untyped-def]
    """The node to which folios of `nid` sink at present; `nid` itself if they cannot."""
    for target in sink.targets[nid]:
        if target >= 0 and memory.free[target] > sink.reserve[target]:
            return target
    return nid


@loop
def _reclaim(memory, rates, scratch, nid, state, clock, end, pace, wanted, sink, sunk, slow, rate):  # type: ignore[no-untyped-def]
    dear = Sink(
        sink.targets, sink.reserve, sink.slow, sink.mglru, sink.rmap_ns * slow, sink.age_ns * slow,
        sink.folio_ns * slow, rate, sink.again_ns,
    )  # fmt: skip
    if sink.mglru:
        return shrink_generations(
            memory, rates, scratch, nid, state, clock, end, pace, wanted, dear, sunk
        )
    return shrink(memory, rates, scratch, nid, state, clock, end, pace, wanted, dear, sunk)
