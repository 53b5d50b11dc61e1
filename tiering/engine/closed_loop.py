"""Throughput of all processes in one closed loop with loaded latency (docs/model.md#throughput).

    X_p = n_p mlp_p / (z_p + W_p + sum_node f_p,node L_node)
    L_node = L0 (1 + a u^b / (1 - u)),  u = reads / read bandwidth + writes / write bandwidth < 1

u includes migration copies. For one node L rises with u while the demand falls with L, so the
excess of demand over u has slope -1 or steeper: from any u its only root lies within that excess.
Nodes are searched in turn until all of them rest.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.jit import loop
from tiering.engine.touch import phase_of

LINE_BYTES = 64.0
_STEPS = 80
_CLOSE = 1e-13
_FULL = 1.0 - 1e-12  # utilisation stays below 1
_SWEEPS = 64
_REST = 1e-11
_LANES = 8  # partial sums: a fixed order that still fills vector registers


class Nodes(NamedTuple):
    """f64[N] each, b i64[N]: idle latency ns, curve a and b, bandwidths in GB/s = bytes/ns."""

    idle_ns: NDArray[np.float64]
    curve_a: NDArray[np.float64]
    curve_b: NDArray[np.int64]
    read_gb_s: NDArray[np.float64]
    write_gb_s: NDArray[np.float64]


class Load(NamedTuple):
    """Who asks. f64[P]: outstanding (threads x mlp, less what stalls and kernel threads take),
    fixed_ns (think + page walk), write_share; share: f64[N, P] of the accesses by node; copy_read,
    copy_write: f64[N] bytes/ns of migration."""

    outstanding: NDArray[np.float64]
    fixed_ns: NDArray[np.float64]
    write_share: NDArray[np.float64]
    share: NDArray[np.float64]
    copy_read: NDArray[np.float64]
    copy_write: NDArray[np.float64]


class Room(NamedTuple):
    """Working arrays of the solver, f64[P]; contents mean nothing between calls."""

    rest_ns: NDArray[np.float64]
    use: NDArray[np.float64]
    part: NDArray[np.float64]


def room(nr_processes: int) -> Room:
    """Fresh working arrays."""
    return Room(np.zeros(nr_processes), np.zeros(nr_processes), np.zeros(nr_processes))


@loop
def loaded_latency(nodes, nid, u):  # type: ignore[no-untyped-def]
    """Latency in ns of node `nid` at utilisation u in [0, 1)."""
    power = 1.0
    for _ in range(nodes.curve_b[nid]):
        power *= u
    return nodes.idle_ns[nid] * (1.0 + nodes.curve_a[nid] * power / (1.0 - u))


@loop
def _sum(values):  # type: ignore[no-untyped-def]
    """Sum in a fixed order, eight partial sums at a time."""
    whole = values.size - values.size % _LANES
    total = 0.0
    if whole > 0:
        a, b, c, d, e, f, g, h = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(0, whole, _LANES):
            a += values[i]
            b += values[i + 1]
            c += values[i + 2]
            d += values[i + 3]
            e += values[i + 4]
            f += values[i + 5]
            g += values[i + 6]
            h += values[i + 7]
        total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for i in range(whole, values.size):
        total += values[i]
    return total


@loop
def _excess(nodes, load, nid, u, room, base):  # type: ignore[no-untyped-def]
    """Demand less utilisation of node `nid` at utilisation u.

    room.rest_ns: time of an access spent elsewhere; room.use: bandwidth use of one access per ns.
    """
    latency = loaded_latency(nodes, nid, u)
    share = load.share[nid]
    for p in range(share.size):
        room.part[p] = room.use[p] / (room.rest_ns[p] + share[p] * latency)
    return base + _sum(room.part) - u


@loop
def _balance(nodes, load, nid, u, room):  # type: ignore[no-untyped-def]
    """The utilisation at which demand and latency of node `nid` agree, others held fixed.

    From the bracket that one look gives: regula falsi (Illinois), with a bisection in every fourth
    step for the steep end of the curve.
    """
    base = load.copy_read[nid] / nodes.read_gb_s[nid] + load.copy_write[nid] / nodes.write_gb_s[nid]
    excess = _excess(nodes, load, nid, u, room, base)
    if abs(excess) < _CLOSE:
        return u
    lo, hi = (u, min(u + excess, _FULL)) if excess > 0.0 else (max(u + excess, 0.0), u)
    over = excess if excess > 0.0 else _excess(nodes, load, nid, lo, room, base)
    under = excess if excess < 0.0 else _excess(nodes, load, nid, hi, room, base)
    if over <= 0.0:
        return lo
    if under >= 0.0:
        return hi
    side = 0
    for step in range(_STEPS):
        u = 0.5 * (lo + hi) if step & 3 == 3 else (hi * over - lo * under) / (over - under)
        excess = _excess(nodes, load, nid, u, room, base)
        if excess > 0.0:
            lo, over = u, excess
            under = 0.5 * under if side > 0 else under
            side = 1
        else:
            hi, under = u, excess
            over = 0.5 * over if side < 0 else over
            side = -1
        if hi - lo < _CLOSE or abs(excess) < _CLOSE:
            return u
    return lo


@loop
def solve(nodes, load, latency, utilisation, throughput, room):  # type: ignore[no-untyped-def]
    """Solve the loop in place: latency ns and utilisation (f64[N], also the start values) and
    throughput in accesses per ns (f64[P])."""
    nr_n, nr_p = load.share.shape
    for _ in range(_SWEEPS):
        moved = 0.0
        for nid in range(nr_n):
            _prepare(nodes, load, nid, latency, room)
            u = _balance(nodes, load, nid, utilisation[nid], room)
            solved = loaded_latency(nodes, nid, u)
            moved = max(moved, abs(solved - latency[nid]) / solved)
            latency[nid] = solved
            utilisation[nid] = u
        if moved < _REST:
            break
    for p in range(nr_p):
        throughput[p] = load.fixed_ns[p]
    for nid in range(nr_n):
        for p in range(nr_p):
            throughput[p] += load.share[nid, p] * latency[nid]
    for p in range(nr_p):
        throughput[p] = load.outstanding[p] / throughput[p]


@loop
def _prepare(nodes, load, nid, latency, room):  # type: ignore[no-untyped-def]
    """What does not depend on the latency of node `nid`."""
    nr_n, nr_p = load.share.shape
    read = LINE_BYTES / nodes.read_gb_s[nid]
    write = LINE_BYTES / nodes.write_gb_s[nid]
    for p in range(nr_p):
        room.rest_ns[p] = load.fixed_ns[p]
        lines = load.outstanding[p] * load.share[nid, p]
        room.use[p] = lines * (read + write * load.write_share[p])
    for other in range(nr_n):
        if other != nid:
            for p in range(nr_p):
                room.rest_ns[p] += load.share[other, p] * latency[other]


@loop
def node_shares(rates, memory, tau, dirty, share):  # type: ignore[no-untyped-def]
    """share[nid, p] = part of the touches of each process p with dirty[p] that go to the node.

    At work time tau[p]. Without touches in the present phase: by residence; without memory: 0 on
    all nodes but the last.
    """
    nr_n = share.shape[0]
    for p in range(dirty.size):
        if not dirty[p]:
            continue
        _, phase, _ = phase_of(rates, p, tau[p])
        at = rates.share_at[p] + phase * rates.nr_rows[p]
        total = 0.0
        folios = 0.0
        for nid in range(nr_n):
            from_touch = 0.0
            resident = 0.0
            for r in range(rates.nr_rows[p]):
                here = memory.resident[rates.row_at[p] + r, nid]
                from_touch += rates.share[at + r] * here
                resident += here
            share[nid, p] = from_touch
            total += from_touch
            folios += resident
        for nid in range(nr_n):
            if total > 0.0:
                share[nid, p] /= total
            else:
                _by_residence(rates, memory, p, nid, folios, share)


@loop
def _by_residence(rates, memory, p, nid, folios, share):  # type: ignore[no-untyped-def]
    here = 0.0
    for r in range(rates.nr_rows[p]):
        here += memory.resident[rates.row_at[p] + r, nid]
    if folios > 0.0:
        share[nid, p] = here / folios
    else:
        share[nid, p] = 1.0 if nid == share.shape[0] - 1 else 0.0
