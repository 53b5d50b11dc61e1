"""The folios of a granule that reclaim has to look at one by one, found in a pass over all."""

import numpy as np

from tiering.engine.collect import collect
from tiering.engine.folios import GRANULE
from tiering.engine.jit import loop
from tiering.engine.touch import BLOCK


@loop
def pick(memory, scratch, granule, mask, value):  # type: ignore[no-untyped-def]
    """Indices of the populated folios whose word under `mask` is `value`, both u32, in order.

    Returns their number; they are in scratch.found.
    """
    nr = memory.nr[granule]
    start = granule * GRANULE
    n = np.int64(0)
    for base in range(0, nr, BLOCK):
        first = start + base
        part = memory.folio[first : first + min(BLOCK, nr - base)]
        hit = scratch.hit[: part.size]
        for i in range(part.size):
            hit[i] = np.uint32(part[i] & mask) == value
        n = collect(hit, first, scratch.found, n, scratch.vector)
    return n
