"""Whether a candidate is still hot when its turn to migrate has come (docs/model.md#migration)."""

import numpy as np

from tiering.engine.folios import (
    ACTIVE,
    AS_IT_IS,
    IDLE,
    LIST_MASK,
    LIST_SHIFT,
    NID_MASK,
    NID_SHIFT,
    NR_LISTS,
    REFERENCED,
    YOUNG,
)
from tiering.engine.jit import loop

NOT_ASKED, IS_ACTIVE, NOT_IDLE = range(3)
"""What migration asks of a folio."""


@loop
def is_still_hot(value, entry, asked):  # type: ignore[no-untyped-def]
    """value: folio word. entry: u8[N], see Memory; by generations that is the youngest of a node.

    IS_ACTIVE: on the active list, or in one of the two youngest generations. NOT_IDLE: and
    referenced or young.
    """
    if asked == NOT_IDLE:
        return value & np.uint32(IDLE) == 0 and value & np.uint32(REFERENCED | YOUNG) != 0
    if asked == IS_ACTIVE:
        youngest = np.int64(entry[(value & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT)])
        here = np.int64((value & np.uint32(LIST_MASK)) >> np.uint32(LIST_SHIFT))
        if youngest == AS_IT_IS:
            return here == ACTIVE
        return here == youngest or here == (youngest + NR_LISTS - 1) % NR_LISTS
    return True
