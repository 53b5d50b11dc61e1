"""Looking at a granule: whoever looks at one folio of it latches all (docs/model.md#touches).

`begin` draws nothing yet; `touched_block` says, block by block, which folios were touched since
the last look. The caller ORs that into the accessed bits, or clears them, as its mechanism does.
"""

import numpy as np

from tiering.engine.draw import draw_block
from tiering.engine.folios import ACCESSED, GRANULE, UNTOUCHED
from tiering.engine.jit import loop
from tiering.engine.random import mix64
from tiering.engine.sweep import sweep_block
from tiering.engine.touch import BLOCK, set_thresholds

_ACCESSED_BIT = np.uint32(ACCESSED.bit_length() - 1)
_UNTOUCHED_BIT = np.uint32(UNTOUCHED.bit_length() - 1)


@loop
def tau_at(memory, pace, granule, clock):  # type: ignore[no-untyped-def]
    """Work time of the granule's owner when a thread's clock says `clock` (ns)."""
    mm = memory.mm[granule]
    tau = pace.tau[mm] + (clock - pace.at[0]) * pace.speed[mm]
    return max(min(tau, pace.work[mm]), memory.last[granule])


@loop
def begin(memory, rates, scratch, granule, tau):  # type: ignore[no-untyped-def]
    """A look at work time `tau` of the owner; returns (random key, work time of the last look)."""
    before = memory.last[granule]
    if memory.sweep[granule] < 0:
        set_thresholds(
            rates, scratch, memory.mm[granule], memory.row0[granule], memory.rows[granule],
            before, tau,
        )  # fmt: skip
    memory.looks[granule] += 1
    memory.last[granule] = tau
    return mix64(memory.key[granule] + np.uint64(memory.looks[granule])), before


@loop
def touched_block(memory, rates, scratch, granule, base, part, key, before, tau):  # type: ignore[no-untyped-def]
    """scratch.touched[i] = 1 where folio part[i], `base` folios into the granule, was touched
    between work times `before` and `tau`; thresholds are those of `begin`."""
    sweep = memory.sweep[granule]
    if sweep < 0:
        draw_block(part, memory.rows[granule], base, key, scratch)
    else:
        out = scratch.touched[: part.size]
        sweep_block(rates.sweeps, np.int64(sweep), granule, base, before, tau, out)


@loop
def latch(memory, rates, scratch, granule, tau):  # type: ignore[no-untyped-def]
    """Draw for all folios of the granule and OR the result into their accessed bits."""
    key, before = begin(memory, rates, scratch, granule, tau)
    nr = memory.nr[granule]
    start = granule * GRANULE
    for base in range(0, nr, BLOCK):
        part = memory.folio[start + base : start + min(base + BLOCK, nr)]
        touched_block(memory, rates, scratch, granule, base, part, key, before, tau)
        for i in range(part.size):
            t = scratch.touched[i]
            part[i] = (part[i] | (t << _ACCESSED_BIT)) & ~(t << _UNTOUCHED_BIT)
