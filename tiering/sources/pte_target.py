"""Where the candidates of an mm go: the top-tier node of which a visit saw most pages.

kmmscand V1 and kscand V2 count the top-tier pages walked, kscand V3 those found accessed in this
window and the one before (docs/model.md#pte-scan). A visit that saw none leaves the default.
"""

import numpy as np

from tiering.engine.folios import ACCESSED, GRANULE, IDLE, NID_MASK, NID_SHIFT, SLOW, YOUNG, flagged
from tiering.engine.jit import loop
from tiering.engine.look import latch

DEFAULT, MOST_SCANNED, MOST_ACCESSED = range(3)


@loop
def count_granule(memory, rates, scratch, granule, tau, rules, seen):  # type: ignore[no-untyped-def]
    """Add the pages of a granule's top-tier folios to seen (i64[N]) that count by the rules.

    MOST_ACCESSED clears their accessed bits, as of slow ones.
    """
    if memory.nr_slow[granule] == memory.nr[granule]:
        return
    pages = memory.pages[memory.row0[granule]]
    asks = rules.target == MOST_ACCESSED
    if asks:
        latch(memory, rates, scratch, granule, tau)
    first = granule * GRANULE
    for index in range(first, first + memory.nr[granule]):
        value = memory.folio[index]
        if value & np.uint32(SLOW | rules.skip) != 0:
            continue
        nid = (value & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT)
        if not asks:
            seen[nid] += pages
        elif value & np.uint32(ACCESSED) == 0:
            memory.folio[index] = flagged(value, IDLE, 0)
        else:
            seen[nid] += np.int64(value & np.uint32(IDLE) == 0) * pages
            memory.folio[index] = flagged(value, YOUNG, ACCESSED | IDLE)


@loop
def most_seen(seen, default):  # type: ignore[no-untyped-def]
    """The first node of which most pages were seen."""
    chosen, most = default, np.int64(0)
    for nid in range(seen.size):
        if seen[nid] > most:
            chosen, most = np.int64(nid), seen[nid]
    return chosen
