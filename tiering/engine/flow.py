"""The flow of accesses between two instants: work time, speeds, and the closed loop behind them.

Work time is linear between two solutions. The loop is solved anew when placement, copies or load
changed: `settle`. What is shared with others (dirty, pages moved) is taken over by it and cleared.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.closed_loop import Load, Room, node_shares, room, solve
from tiering.engine.folios import FOLIO_BYTES
from tiering.engine.jit import loop
from tiering.engine.touch import next_border

TICK_NS = 10_000_000
FAR = 2**62
TIME, BORDER = range(2)  # fields of `at`
CPUS, APP_THREADS, KERNEL_BUSY, APP_PART, OWED_NS = range(5)  # fields of `cpu`
Floats = NDArray[np.float64]


class Flow(NamedTuple):
    """Shapes: P processes, N nodes. f64 unless said.

    Given: threads, outstanding (threads x mlp), fixed_ns, write_share, work: [P], work infinite if
    endless. State: running: bool[P]; tau: [P] accesses done; speed: [P] accesses per ns; share:
    [N, P] of a process's accesses by node; stall_ns: [P] time its threads still have to lose;
    latency, utilisation, copy_read, copy_write: [N]; at: i64[2] time and grid point of the next
    phase border or end of work, ns; cpu: [5] CPUs of the machine (0 = plenty), application threads,
    CPUs that kernel threads take in this step, part of its time that an application thread gets,
    CPU time that kernel threads used and have not taken yet; dirty: bool[P] processes whose
    placement changed. asked, solver: working arrays.
    """

    threads: Floats
    outstanding: Floats
    fixed_ns: Floats
    write_share: Floats
    work: Floats
    running: NDArray[np.bool_]
    tau: Floats
    speed: Floats
    share: Floats
    stall_ns: Floats
    latency: Floats
    utilisation: Floats
    copy_read: Floats
    copy_write: Floats
    at: NDArray[np.int64]
    cpu: Floats
    dirty: NDArray[np.bool_]
    asked: Floats
    solver: Room


class Pace(NamedTuple):
    """Work time of all processes as a function of a thread's clock; arrays of the Flow.

    at: i64[2], its first the time in ns. tau, speed, work: f64[P].
    """

    at: NDArray[np.int64]
    tau: Floats
    speed: Floats
    work: Floats


def flow(
    threads: Floats, outstanding: Floats, fixed_ns: Floats, write_share: Floats, work: Floats,
    idle_ns: Floats, cpus: float, dirty: NDArray[np.bool_],
) -> Flow:  # fmt: skip
    """At time 0, with no process running yet; `dirty` is shared with whoever moves folios."""
    nr_p, nr_n = threads.size, idle_ns.size
    share = np.zeros((nr_n, nr_p))
    share[-1] = 1.0  # as of a process without memory: an access takes some time
    return Flow(
        threads=threads,
        outstanding=outstanding,
        fixed_ns=fixed_ns,
        write_share=write_share,
        work=work,
        running=np.zeros(nr_p, np.bool_),
        tau=np.zeros(nr_p),
        speed=np.zeros(nr_p),
        share=share,
        stall_ns=np.zeros(nr_p),
        latency=idle_ns.copy(),
        utilisation=np.zeros(nr_n),
        copy_read=np.zeros(nr_n),
        copy_write=np.zeros(nr_n),
        at=np.array([0, FAR], np.int64),
        cpu=np.array([cpus, 0.0, 0.0, 1.0, 0.0]),
        dirty=dirty,
        asked=np.zeros(nr_p),
        solver=room(nr_p),
    )


@loop(inline=True)
def next_tick(now):  # type: ignore[no-untyped-def]
    """The first grid point after `now` ns."""
    return (now // TICK_NS + 1) * TICK_NS


@loop
def advance(flow, end):  # type: ignore[no-untyped-def]
    """Go on to `end` ns at the present speeds; work that ends before is overshot a little."""
    duration = end - flow.at[TIME]
    for p in range(flow.tau.size):
        flow.tau[p] += flow.speed[p] * duration
    for p in range(flow.tau.size):
        if flow.stall_ns[p] > 0.0 and flow.running[p]:
            paid = _stalled_part(flow, p) * flow.threads[p] * duration
            flow.stall_ns[p] = max(flow.stall_ns[p] - paid, 0.0)
    flow.at[TIME] = end


@loop
def _stalled_part(flow, p):  # type: ignore[no-untyped-def]
    """Part of the process's thread time that its stalls take until they are paid."""
    return min(flow.stall_ns[p] / (flow.threads[p] * TICK_NS), 1.0)


@loop
def stalled(flow):  # type: ignore[no-untyped-def]
    """Whether a process still has stalls to pay, so that steps must end at ticks."""
    owed = 0.0
    for p in range(flow.stall_ns.size):
        owed += flow.stall_ns[p] if flow.running[p] else 0.0
    return owed > 0.0


@loop
def copying(flow):  # type: ignore[no-untyped-def]
    """Whether the loop was solved with copies, which a step longer than a tick would go on with."""
    rates = 0.0
    for nid in range(flow.copy_read.size):
        rates += flow.copy_read[nid] + flow.copy_write[nid]
    return rates > 0.0


@loop
def account_copies(flow, pages_from, pages_to, sunk, duration):  # type: ignore[no-untyped-def]
    """Bandwidth of the copies of a step in bytes per ns; True if it changed. Clears what it takes.

    pages_from, pages_to: i64[N] promoted from each node and to it; sunk: what was demoted.
    """
    changed = False
    for nid in range(pages_from.size):
        reads = (pages_from[nid] + sunk.from_nid[nid]) * np.float64(FOLIO_BYTES) / duration
        pages = sunk.to_nid[nid] + pages_to[nid]
        writes = pages * np.float64(FOLIO_BYTES) / duration
        changed = changed or reads != flow.copy_read[nid] or writes != flow.copy_write[nid]
        flow.copy_read[nid], flow.copy_write[nid] = reads, writes
    for nid in range(pages_from.size):
        pages_from[nid] = 0
        pages_to[nid] = 0
        sunk.from_nid[nid] = 0
        sunk.to_nid[nid] = 0
    return changed


@loop
def settle(flow, rates, memory, nodes):  # type: ignore[no-untyped-def]
    """Take over the placement of dirty processes, solve the closed loop, find the next border."""
    node_shares(rates, memory, flow.tau, flow.dirty, flow.share)
    for p in range(flow.dirty.size):
        flow.dirty[p] = False
    _share_cpus(flow)
    for p in range(flow.asked.size):
        flow.asked[p] = 0.0
        if flow.running[p]:
            flow.asked[p] = (
                flow.outstanding[p] * flow.cpu[APP_PART] * (1.0 - _stalled_part(flow, p))
            )
    load = Load(
        flow.asked, flow.fixed_ns, flow.write_share, flow.share, flow.copy_read, flow.copy_write
    )
    solve(nodes, load, flow.latency, flow.utilisation, flow.speed, flow.solver)
    left = next_border(rates, flow.tau, flow.speed, flow.work)
    flow.at[BORDER] = FAR
    if left < FAR / 2:
        tick = -(-(flow.at[TIME] + np.int64(np.ceil(left))) // TICK_NS)
        flow.at[BORDER] = max(tick * TICK_NS, next_tick(flow.at[TIME]))


@loop
def charge_cpu(flow, busy, duration, nr_kernel):  # type: ignore[no-untyped-def]
    """After a step of `duration` ns: what kernel threads take in the next one, no more than a CPU
    each. busy: CPU time they used in this one, ns. Steps differ in length, so what was used and
    what was taken are balanced in the long run."""
    owed = flow.cpu[OWED_NS] + busy - flow.cpu[KERNEL_BUSY] * duration
    flow.cpu[OWED_NS] = owed
    flow.cpu[KERNEL_BUSY] = min(max(owed, 0.0) / duration, np.float64(nr_kernel))


@loop
def _share_cpus(flow):  # type: ignore[no-untyped-def]
    """Kernel threads run on idle CPUs first; what is missing is taken from the application."""
    threads = 0.0
    for p in range(flow.threads.size):
        threads += flow.threads[p] if flow.running[p] else 0.0
    flow.cpu[APP_THREADS] = threads
    flow.cpu[APP_PART] = 1.0
    cpus = flow.cpu[CPUS]
    if cpus > 0.0 and threads > 0.0:
        left = max(cpus - flow.cpu[KERNEL_BUSY], 0.0)
        flow.cpu[APP_PART] = min(left / threads, 1.0)


@loop
def slowdown(flow, weight, nr_kernel):  # type: ignore[no-untyped-def]
    """ns of a kernel thread's clock for a ns of its CPU time, by fair sharing of a busy CPU.

    weight: of the thread, 1024 at nice 0; nr_kernel: kernel threads of the machine.
    """
    cpus, threads = flow.cpu[CPUS], flow.cpu[APP_THREADS]
    if cpus <= 0.0 or threads + nr_kernel <= cpus:
        return 1.0
    rivals = min(threads / cpus, threads)
    return 1.0 + rivals * 1024.0 / weight


@loop
def sink_room(flow, nodes, nid, target):  # type: ignore[no-untyped-def]
    """GB/s that the read side of node `nid` and the write side of `target` leave for copies."""
    reads = (1.0 - flow.utilisation[nid]) * nodes.read_gb_s[nid] + flow.copy_read[nid]
    writes = (1.0 - flow.utilisation[target]) * nodes.write_gb_s[target] + flow.copy_write[target]
    return max(min(reads, writes), 0.001)


@loop
def copy_room(flow, nodes, target, slow):  # type: ignore[no-untyped-def]
    """GB/s that the target's write side and the slow nodes' read side leave for copies.

    slow: u8[N], 1 for a node that is not top tier.
    """
    free = 1.0 - flow.utilisation[target]
    room = free * nodes.write_gb_s[target] + flow.copy_write[target]
    for nid in range(slow.size):
        if slow[nid]:
            reads = (1.0 - flow.utilisation[nid]) * nodes.read_gb_s[nid] + flow.copy_read[nid]
            room = min(room, reads)
    return max(room, 0.001)
