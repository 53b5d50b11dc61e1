"""Ticks in which folios move: migration and reclaim by their own clocks, and the flow behind them.

While folios move, a step ends at every tick (10 ms), so that the closed loop follows. Nobody else
acts in between: whoever scans is dispatched before, up to the end of the first step.
"""

import numpy as np

from tiering.engine.books import Terms
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
from tiering.engine.migrate import drain
from tiering.engine.movers import next_mover, turn, wake
from tiering.engine.reclaim import begin_anew, is_hopeless, shrink
from tiering.engine.shares import last_turn
from tiering.engine.sink import Sink

HOPELESS_NS = 1_000_000_000
"""kswapd that found nothing to demote in two rounds looks again after this."""


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
            wake(memory, books, movers, flow.at[TIME])
        while not scans_on:
            k = next_mover(movers, end)
            if k < 0:
                break
            _run(
                memory, rates, scratch, flow, nodes, queue, terms, books, sink, sunk, movers, k, end
            )
            wake(memory, books, movers, movers.clock[k])
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
        until, waking = turn(movers, dst, end)
        dear = Terms(
            dst, terms.batch_ns * slow, terms.folio_ns * slow, rate, terms.batch_nr,
            books.reserve[dst], terms.limit, terms.refuse_shared, waking, terms.asked,
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
            begin_anew(movers.state[k])
        elif is_hopeless(movers.state[k], memory.nr.size, last_turn(sink, nid)):
            begin_anew(movers.state[k])
            clock += HOPELESS_NS
    movers.clock[k] = clock


@loop
def _drain_in_tasks(  # type: ignore[no-untyped-def]
    memory, rates, scratch, flow, nodes, queue, terms, books, sink, movers, k, end, pace
):
    """Tasks migrate what they faulted on, as many at a time as threads run, and pay for it; what
    waits is a fault that comes later, since the threads are busy with others."""
    dst = _target(memory, queue, books, np.int64(terms.dst))
    until, waking = turn(movers, dst, end)
    room = copy_room(flow, nodes, dst, sink.slow)
    threads = max(flow.cpu[APP_THREADS] * flow.cpu[APP_PART], 1.0)
    together = Terms(
        dst, terms.batch_ns / threads, terms.folio_ns / threads,
        min(terms.bytes_per_ns * threads, room), terms.batch_nr, books.reserve[dst], terms.limit,
        terms.refuse_shared, waking, terms.asked,
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
        sink.folio_ns * slow, rate, sink.again_ns, sink.shares,
    )  # fmt: skip
    if sink.mglru:
        return shrink_generations(
            memory, rates, scratch, nid, state, clock, end, pace, wanted, dear, sunk
        )
    return shrink(memory, rates, scratch, nid, state, clock, end, pace, wanted, dear, sunk)
