"""Throughput of all processes in one closed loop with loaded latency (docs/model.md#throughput).

    X_p = n_p mlp_p / (z_p + W_p + O_p + sum_node f_p,node L_node)
    L_node = L0 (1 + a u^b / (1 - u)),  u = reads / read bandwidth + writes / write bandwidth < 1

u includes migration copies. For one node L rises with u while the demand falls with L, so a
bracketed search on u finds the only solution; nodes are swept until all of them rest.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.jit import loop
from tiering.engine.touch import phase_of

LINE_BYTES = 64.0
_STEPS = 80
_CLOSE = 1e-14
_FULL = 1.0 - 1e-12  # utilisation stays below 1
_SWEEPS = 64
_REST = 1e-12


class Nodes(NamedTuple):
    """f64[N] each, b i64[N]: idle latency ns, curve a and b, bandwidths in GB/s = bytes/ns."""

    idle_ns: NDArray[np.float64]
    curve_a: NDArray[np.float64]
    curve_b: NDArray[np.int64]
    read_gb_s: NDArray[np.float64]
    write_gb_s: NDArray[np.float64]


class Load(NamedTuple):
    """Who asks. f64[P]: outstanding (threads x mlp), fixed_ns (think + page walk + overhead),
    write_share; share: f64[P, N] of the accesses by node; copy_read, copy_write: f64[N] bytes/ns
    of migration."""

    outstanding: NDArray[np.float64]
    fixed_ns: NDArray[np.float64]
    write_share: NDArray[np.float64]
    share: NDArray[np.float64]
    copy_read: NDArray[np.float64]
    copy_write: NDArray[np.float64]


@loop
def loaded_latency(nodes, nid, u):  # type: ignore[no-untyped-def]
    """Latency in ns of node `nid` at utilisation u in [0, 1)."""
    power = 1.0
    for _ in range(nodes.curve_b[nid]):
        power *= u
    return nodes.idle_ns[nid] * (1.0 + nodes.curve_a[nid] * power / (1.0 - u))


@loop
def _demand(nodes, load, nid, latency, rest_ns):  # type: ignore[no-untyped-def]
    """Utilisation of node `nid` if its latency were `latency`; rest_ns: f64[P] time elsewhere."""
    reads = load.copy_read[nid]
    writes = load.copy_write[nid]
    for p in range(load.outstanding.size):
        if load.outstanding[p] > 0.0 and load.share[p, nid] > 0.0:
            rate = load.outstanding[p] / (rest_ns[p] + load.share[p, nid] * latency)
            lines = rate * load.share[p, nid] * LINE_BYTES
            reads += lines
            writes += lines * load.write_share[p]
    return reads / nodes.read_gb_s[nid] + writes / nodes.write_gb_s[nid]


@loop
def _balance(nodes, load, nid, rest_ns):  # type: ignore[no-untyped-def]
    """The utilisation at which demand and latency of node `nid` agree, others held fixed.

    The excess of demand falls with u, so its root is bracketed: regula falsi (Illinois), with a
    bisection in every fourth step for the steep end of the curve.
    """
    lo, hi = 0.0, _FULL
    over = _demand(nodes, load, nid, loaded_latency(nodes, nid, lo), rest_ns) - lo
    under = _demand(nodes, load, nid, loaded_latency(nodes, nid, hi), rest_ns) - hi
    if over <= 0.0:
        return lo
    if under >= 0.0:
        return hi
    side = 0
    for step in range(_STEPS):
        u = 0.5 * (lo + hi) if step & 3 == 3 else (hi * over - lo * under) / (over - under)
        excess = _demand(nodes, load, nid, loaded_latency(nodes, nid, u), rest_ns) - u
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
def solve(nodes, load, latency, utilisation, throughput, rest_ns):  # type: ignore[no-untyped-def]
    """Solve the loop in place: latency ns and utilisation (f64[N], also the start values) and
    throughput in accesses per ns (f64[P]). rest_ns: f64[P] scratch."""
    nr_p, nr_n = load.share.shape
    for _ in range(_SWEEPS):
        moved = 0.0
        for nid in range(nr_n):
            for p in range(nr_p):
                rest_ns[p] = load.fixed_ns[p]
                for other in range(nr_n):
                    if other != nid:
                        rest_ns[p] += load.share[p, other] * latency[other]
            u = _balance(nodes, load, nid, rest_ns)
            solved = loaded_latency(nodes, nid, u)
            moved = max(moved, abs(solved - latency[nid]) / solved)
            latency[nid] = solved
            utilisation[nid] = u
        if moved < _REST:
            break
    for p in range(nr_p):
        ns = load.fixed_ns[p]
        for nid in range(nr_n):
            ns += load.share[p, nid] * latency[nid]
        throughput[p] = load.outstanding[p] / ns if load.outstanding[p] > 0.0 else 0.0


@loop
def node_shares(rates, memory, tau, done, share):  # type: ignore[no-untyped-def]
    """share[p, nid] = part of process p's touches that go to the node, at work time tau[p].

    Rows without touches in the present phase leave the shares as they are by residence.
    """
    from_touch = 0.0
    nr_p, nr_n = share.shape
    for p in range(nr_p):
        if done[p]:
            continue
        _, phase, _ = phase_of(rates, p, tau[p])
        at = rates.share_at[p] + phase * rates.nr_rows[p]
        total = 0.0
        for nid in range(nr_n):
            from_touch = 0.0
            for r in range(rates.nr_rows[p]):
                from_touch += rates.share[at + r] * memory.resident[rates.row_at[p] + r, nid]
            share[p, nid] = from_touch
            total += from_touch
        if total > 0.0:
            for nid in range(nr_n):
                share[p, nid] /= total
        else:
            _residence_shares(rates, memory, p, share)


@loop
def _residence_shares(rates, memory, p, share):  # type: ignore[no-untyped-def]
    total = 0.0
    for nid in range(share.shape[1]):
        folios = 0.0
        for r in range(rates.nr_rows[p]):
            folios += memory.resident[rates.row_at[p] + r, nid]
        share[p, nid] = folios
        total += folios
    for nid in range(share.shape[1]):
        share[p, nid] /= max(total, 1.0)
