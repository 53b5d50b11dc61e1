"""Moving folios from a queue, paid by somebody's clock (docs/model.md#migration).

    t(batch of n folios of size s) = a + n (b + s / c)

a: per-batch cost with its TLB shootdown, b: per-folio cost, c: copy rate of one CPU, or what the
bandwidth of the two nodes leaves if that is less.
"""

import numpy as np

from tiering.engine.folios import SLOW, move
from tiering.engine.jit import loop

MOVED, STALE, NO_ROOM = 0, 1, 2  # what became of a candidate: index into `outcome`


@loop
def drain(memory, queue, head, tail, clock, until, dst, batch_nr, cost, outcome, from_nid):  # type: ignore[no-untyped-def]
    """Migrate queue[head:tail] (u32 folio indices) to node `dst` until the clock passes `until`.

    cost: (a, b, copy) in ns for a batch, a folio, the copy of a folio. A candidate that is not on
    the slow tier any more is stale; without room on `dst` it fails; both cost b and no copy.
    outcome: i64[3] counts, added to. from_nid: i64[N] folios taken from each node, added to.
    Returns (head, clock).
    """
    a_ns, b_ns, copy_ns = cost
    while head < tail and clock < until:
        stop = min(head + batch_nr, tail)
        spent = a_ns
        for i in range(head, stop):
            index = np.int64(queue[i])
            spent += b_ns
            value = memory.folio[index]
            if value & np.uint32(SLOW) == 0:
                outcome[STALE] += 1
            elif memory.free[dst] <= 0:
                outcome[NO_ROOM] += 1
            else:
                from_nid[np.int64((value >> np.uint32(8)) & np.uint32(15))] += 1
                move(memory, index, dst, 0)
                outcome[MOVED] += 1
                spent += copy_ns
        head = stop
        clock += np.int64(spent + 0.5)
    return head, clock
