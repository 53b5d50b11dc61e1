"""Young and old, as DAMON has it: by the accessed bit and the idle flag (docs/model.md#damon).

Mirrors damon_folio_young and damon_folio_mkold. Whoever else finds the accessed bit set takes the
idle flag away, and DAMON leaves the young flag behind for reclaim, so that neither loses an access
to the other.
"""

import numpy as np

from tiering.engine.folios import ACCESSED, GRANULE, IDLE, YOUNG
from tiering.engine.jit import loop


@loop
def is_young(memory, index):  # type: ignore[no-untyped-def]
    """Whether a folio was accessed since it was made old; the caller has looked at it."""
    value = memory.folio[index]
    if memory.unmapped[index // GRANULE] == 0 and value & np.uint32(ACCESSED):
        return True
    return value & np.uint32(IDLE) == 0


@loop
def make_old(memory, index):  # type: ignore[no-untyped-def]
    """Clear the accessed bit, and remember for reclaim that it was set."""
    value = memory.folio[index] | np.uint32(IDLE)
    if memory.unmapped[index // GRANULE] == 0 and value & np.uint32(ACCESSED):
        value = (value | np.uint32(YOUNG)) & ~np.uint32(ACCESSED)
    memory.folio[index] = value
