"""Sums over processes and nodes for one row of metrics, in fixed order."""

from tiering.engine.jit import loop


@loop
def by_node(throughput, share, out):  # type: ignore[no-untyped-def]
    """out: f64[N] share of all accesses by node, from f64[P] speeds and f64[N, P] shares.

    When no process runs any more, all count alike.
    """
    nr_n, nr_p = share.shape
    total = 0.0
    for p in range(nr_p):
        total += throughput[p]
    for nid in range(nr_n):
        part = 0.0
        for p in range(nr_p):
            part += (throughput[p] if total > 0.0 else 1.0) * share[nid, p]
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
def resident_by_mm(memory, row_at, nr_rows, out):  # type: ignore[no-untyped-def]
    """out: f64[P, N] pages of each process on each node."""
    for p in range(row_at.size):
        for nid in range(memory.resident.shape[1]):
            pages = 0
            for row in range(row_at[p], row_at[p] + nr_rows[p]):
                pages += memory.resident[row, nid] * memory.pages[row]
            out[p, nid] = pages
