"""Figures of one row of metrics: sums over processes and nodes, in fixed order."""

import numpy as np

from tiering.engine.jit import loop


@loop
def by_node(speed, share, out):  # type: ignore[no-untyped-def]
    """out: f64[N] share of all accesses by node, from f64[P] speeds and f64[N, P] shares.

    When no process runs any more, all count alike.
    """
    nr_n, nr_p = share.shape
    total = 0.0
    for p in range(nr_p):
        total += speed[p]
    for nid in range(nr_n):
        part = 0.0
        for p in range(nr_p):
            part += (speed[p] if total > 0.0 else 1.0) * share[nid, p]
        out[nid] = part / (total if total > 0.0 else nr_p)


@loop
def mean_of(weights, values):  # type: ignore[no-untyped-def]
    """Weighted mean of f64 arrays, 0 where all weights are 0."""
    total = 0.0
    part = 0.0
    for i in range(weights.size):
        total += weights[i]
        part += weights[i] * values[i]
    return part / total if total > 0.0 else 0.0


@loop
def total_of(values):  # type: ignore[no-untyped-def]
    """Sum in index order."""
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total


@loop
def observe(  # type: ignore[no-untyped-def]
    flow, memory, rates, capacity, top_tier, walk_ns, each_ns, before, ran, since, nodes,
    resident, mms,
):  # fmt: skip
    """Fill the parts of a row that are of nodes and processes.

    capacity: i64[N] pages. top_tier: bool[N]. walk_ns: f64[P]. each_ns: f64[P] time of an access
    with all memory on an idle top tier. before: f64[P] work time, ran: bool[P] who was running at
    the last row, `since` ns ago; both become those of now. nodes: f64[4, N] resident pages, access
    share, latency, utilisation. resident: f64[P, N] pages. mms: f64[3, P] accesses per second, part
    of the fixed work done, and slowdown, NaN for who did not run all the time. Returns (accesses
    per second, accesses, top-tier share, mean latency).
    """
    by_node(flow.speed, flow.share, nodes[1])
    top_share = 0.0
    for nid in range(capacity.size):
        nodes[0, nid] = capacity[nid] - memory.free[nid]
        nodes[2, nid] = flow.latency[nid]
        nodes[3, nid] = flow.utilisation[nid]
        top_share += nodes[1, nid] if top_tier[nid] else 0.0
    done = 0.0
    for p in range(before.size):
        tau = min(flow.tau[p], flow.work[p])
        mms[0, p] = (tau - before[p]) / since * 1e9
        mms[1, p] = tau / flow.work[p]
        whole = ran[p] and flow.running[p] and tau > before[p]
        mms[2, p] = since / ((tau - before[p]) * each_ns[p]) if whole else np.nan
        before[p], ran[p] = tau, flow.running[p]
        done += tau
        for nid in range(capacity.size):
            pages = 0
            for row in range(rates.row_at[p], rates.row_at[p] + rates.nr_rows[p]):
                pages += memory.resident[row, nid] * memory.pages[row]
            resident[p, nid] = pages
    mean_ns = mean_of(nodes[1], flow.latency) + mean_of(flow.speed, walk_ns)
    return total_of(mms[0]), done, top_share, mean_ns
