"""Looking at a granule: whoever looks at one folio of it latches all (docs/model.md#touches).

`begin` draws nothing yet; `touched_block` says, block by block, which folios were touched since
the last look. The caller ORs that into the accessed bits, or clears them, as its mechanism does.

Page cache that nobody maps has no PTE and no accessed bit: each read() of a folio is a
mark_accessed, and a look catches up on them (docs/model.md#page-cache).
"""

import numpy as np

from tiering.engine.draw import draw_block
from tiering.engine.folios import (
    ACCESSED,
    FAULTED,
    GRANULE,
    HINT,
    UNTOUCHED,
)
from tiering.engine.jit import loop
from tiering.engine.own import has_own
from tiering.engine.own_draw import settle_own
from tiering.engine.page_cache import mark_accessed, reads_that_matter
from tiering.engine.random import mix64
from tiering.engine.sweep import read_block, sweep_block
from tiering.engine.touch import BLOCK, set_thresholds

_ACCESSED_BIT = np.uint32(ACCESSED.bit_length() - 1)
_UNTOUCHED_BIT = np.uint32(UNTOUCHED.bit_length() - 1)
_HINT_BIT = np.uint32(HINT.bit_length() - 1)
_FAULTED_BIT = np.uint32(FAULTED.bit_length() - 1)


@loop
def tau_at(memory, pace, granule, clock):  # type: ignore[no-untyped-def]
    """Work time of the granule's owner when a thread's clock says `clock` (ns)."""
    mm = memory.mm[granule]
    tau = pace.tau[mm] + (clock - pace.at[0]) * pace.speed[mm]
    return max(min(tau, pace.work[mm]), memory.last[granule])


@loop(inline=True)
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


@loop(inline=True)
def drawn_block(memory, rates, scratch, granule, base, part, key, before, tau):  # type: ignore[no-untyped-def]
    """As `touched_block`, of a granule of which no folio has a time of its own."""
    sweep = memory.sweep[granule]
    if sweep < 0:
        draw_block(part, memory.rows[granule], base, key, scratch)
    else:
        out = scratch.touched[: part.size]
        sweep_block(rates.sweeps, np.int64(sweep), granule, base, before, tau, out)


@loop
def touched_block(memory, rates, scratch, granule, base, part, key, before, tau):  # type: ignore[no-untyped-def]
    """scratch.touched[i] = 1 where folio part[i], `base` folios into the granule, was touched
    between work times `before` and `tau`; thresholds are those of `begin`."""
    drawn_block(memory, rates, scratch, granule, base, part, key, before, tau)
    if has_own(memory.own, granule):
        out = scratch.touched[: part.size]
        settle_own(memory, rates, granule, base, key, before, tau, 1, out)


@loop
def latch(memory, rates, scratch, granule, tau):  # type: ignore[no-untyped-def]
    """Draw for all folios of the granule and OR the result into their accessed bits.

    Folios that nobody maps are marked accessed instead, as often as they were read. The touch of a
    folio that is marked for NUMA balancing is a hint fault: a mark and a touch in one window.
    """
    if memory.unmapped[granule] != 0:
        _catch_up(memory, rates, scratch, granule, tau)
        return
    key, before = begin(memory, rates, scratch, granule, tau)
    nr = memory.nr[granule]
    start = granule * GRANULE
    for base in range(0, nr, BLOCK):
        part = memory.folio[start + base : start + min(base + BLOCK, nr)]
        touched_block(memory, rates, scratch, granule, base, part, key, before, tau)
        for i in range(part.size):
            t = scratch.touched[i]
            part[i] = (part[i] | (t << _ACCESSED_BIT)) & ~(t << _UNTOUCHED_BIT)
        if memory.hinted[granule] > 0:
            for i in range(part.size):
                fault = scratch.touched[i] & (part[i] >> _HINT_BIT)
                part[i] |= (fault & np.uint32(1)) << _FAULTED_BIT


@loop
def _catch_up(memory, rates, scratch, granule, tau):  # type: ignore[no-untyped-def]
    """mark_accessed for every read since the last look.

    Pass n draws who was read n times or more, with the random numbers of the first pass, so that
    the number of reads of a folio has the right law. None are left where a pass found nobody.
    """
    key, before = begin(memory, rates, scratch, granule, tau)
    nr = memory.nr[granule]
    start = granule * GRANULE
    sweep = np.int64(memory.sweep[granule])
    for least in range(1, reads_that_matter(memory, granule) + 1):
        read = np.uint32(0)
        if least > 1 and sweep < 0:
            set_thresholds(
                rates, scratch, memory.mm[granule], memory.row0[granule], memory.rows[granule],
                before, tau, least,
            )  # fmt: skip
        for base in range(0, nr, BLOCK):
            part = memory.folio[start + base : start + min(base + BLOCK, nr)]
            out = scratch.touched[: part.size]
            if sweep < 0:
                draw_block(part, memory.rows[granule], base, key, scratch)
            else:
                read_block(rates.sweeps, sweep, granule, base, before, tau, least, out)
            if has_own(memory.own, granule):
                settle_own(memory, rates, granule, base, key, before, tau, least, out)
            for i in range(part.size):
                read |= out[i]
                if out[i]:
                    mark_accessed(memory, start + base + i)
        if read == 0:
            break
