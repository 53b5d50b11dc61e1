"""The folios of a granule that reclaim looks at, in passes that the compiler makes vector code of.

A pass is over a block of the folio array. Folios are told by their word under a mask: those of a
node, or of one of its lists.
"""

import numpy as np

from tiering.engine.folios import ACCESSED, IDLE, PINNED, YOUNG
from tiering.engine.jit import loop

REFS = np.uint32(ACCESSED | YOUNG)
GROUP = 128  # folios counted at a time
_TO_IDLE = np.uint32(IDLE.bit_length() - ACCESSED.bit_length())


@loop(inline=True)
def seen(value):  # type: ignore[no-untyped-def]
    """A folio word after its references were counted: accessed and young are cleared, and idle if
    a CPU accessed it, not for young alone (folio_referenced_one)."""
    return value & ~(REFS | ((value & np.uint32(ACCESSED)) << _TO_IDLE))


@loop
def until_enough(part, mask, mine, wanted):  # type: ignore[no-untyped-def]
    """The begin of a block after which `wanted` folios can sink, all of it if fewer can.

    One can that is `mine` under `mask`, not referenced and not pinned. Returns (folios in that
    begin, those that can sink).
    """
    wrong = mask | REFS | np.uint32(PINNED)
    left = wanted
    for first in range(0, part.size, GROUP):
        end = min(first + GROUP, part.size)
        able = np.uint32(0)
        for i in range(first, end):
            able += np.uint32((part[i] & wrong) == mine)
        if able >= left:
            for i in range(first, end):
                left -= np.int64((part[i] & wrong) == mine)
                if left == 0:
                    return i + 1, wanted
        left -= able
    return part.size, wanted - left


@loop
def not_referenced(part, mask, mine, hit):  # type: ignore[no-untyped-def]
    """hit[i] = 1 for a folio that is `mine` under `mask` and not referenced, else 0."""
    for i in range(part.size):
        hit[i] = (part[i] & (mask | REFS)) == mine
