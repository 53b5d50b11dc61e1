"""Draws for single folios that have a time of their own (own.py)."""

import numpy as np

from tiering.engine.first_touch import expected
from tiering.engine.folios import CLASS_MASK, GRANULE
from tiering.engine.jit import loop
from tiering.engine.poisson import at_least
from tiering.engine.random import uniform_of
from tiering.engine.sweep import read_block, sweep_block

_STREAM = 4  # of the key of a look
_CLASS = np.uint32(CLASS_MASK)


@loop
def touched_alone(memory, rates, granule, slot, before, tau, least, u, out):  # type: ignore[no-untyped-def]
    """out[0] = 1 if a folio was touched `least` times or more in the window (before, tau], else 0.

    u: uniform random number of the window; out: u32[1].
    """
    out[0] = 0
    if tau <= before:
        return
    sweep = np.int64(memory.sweep[granule])
    if sweep < 0:
        row = memory.row0[granule] + np.int64(memory.folio[granule * GRANULE + slot] & _CLASS)
        x = expected(rates, np.int64(memory.mm[granule]), row, before, tau)
        out[0] = np.uint32(x > 0.0 and u <= at_least(x, least))
    elif memory.unmapped[granule] != 0:
        read_block(rates.sweeps, sweep, granule, slot, before, tau, least, out)
    else:
        sweep_block(rates.sweeps, sweep, granule, slot, before, tau, out)


@loop
def settle_own(memory, rates, granule, base, key, before, tau, least, touched):  # type: ignore[no-untyped-def]
    """After a draw for the folios from `base` on of a granule, whose window begins at `before`:
    those that were looked at since then are drawn again, from that time on. touched: u32[]."""
    own = memory.own
    for i in range(own.nr[granule]):
        slot, since = np.int64(own.slot[granule, i]), own.tau[granule, i]
        place = slot - base
        if since > before and 0 <= place < touched.size:
            touched_alone(
                memory, rates, granule, slot, since, tau, least, uniform_of(key, _STREAM, slot),
                touched[place : place + 1],
            )  # fmt: skip
