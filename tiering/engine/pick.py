"""The folios of a granule that reclaim looks at, in passes that the compiler makes vector code of.

A pass is over a block of the folio array. A folio is `mine` if its word under LISTED says so: it is
of that node, and on that of its lists.
"""

import numpy as np

from tiering.engine.collect import collect
from tiering.engine.folios import ACCESSED, IDLE, LIST_MASK, NID_MASK, PINNED, YOUNG
from tiering.engine.jit import loop

REFS = np.uint32(ACCESSED | YOUNG)
LISTED = np.uint32(NID_MASK | LIST_MASK)
"""What tells the node and the list of a folio."""
GROUP = 128  # folios counted at a time
_TO_IDLE = np.uint32(IDLE.bit_length() - ACCESSED.bit_length())


@loop(inline=True)
def seen(value):  # type: ignore[no-untyped-def]
    """A folio word after its references were counted: accessed and young are cleared, and idle if
    a CPU accessed it, not for young alone (folio_referenced_one)."""
    return value & ~(REFS | ((value & np.uint32(ACCESSED)) << _TO_IDLE))


@loop
def pick(part, first, mine, enough, scratch, nr):  # type: ignore[no-untyped-def]
    """Choose those of a block that are to sink: mine and not referenced, until `enough` can.

    part: the block, which begins at folio `first`. Those chosen, pinned ones among them, go to
    scratch.chosen[nr:]. Returns (folios looked at, those that can sink, the new nr).
    """
    looked, able = _until_enough(part, mine, enough)
    hit = scratch.hit[:looked]
    for i in range(looked):
        hit[i] = (part[i] & (LISTED | REFS)) == mine
    return looked, able, collect(hit, first, scratch.chosen, nr, scratch.vector)


@loop
def _until_enough(part, mine, wanted):  # type: ignore[no-untyped-def]
    """The begin of a block after which `wanted` folios can sink, all of it if fewer can.

    One can that is mine, not referenced and not pinned. Returns (folios in that
    begin, those that can sink).
    """
    wrong = LISTED | REFS | np.uint32(PINNED)
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
