"""Promoted and never touched: who rose for nothing (docs/model.md#accuracy)."""

import numpy as np

from tiering.engine.folios import GRANULE, UNTOUCHED
from tiering.engine.jit import loop
from tiering.engine.look import touched_block
from tiering.engine.random import mix64
from tiering.engine.touch import BLOCK, set_thresholds


@loop
def untouched_pages(memory, rates, scratch, tau, first, end):  # type: ignore[no-untyped-def]
    """Pages of granules [first, end) not touched since their promotion, up to work times tau.

    tau: f64[P]. Draws as the next look would, but changes nothing: asking does not change the run.
    """
    total = np.int64(0)
    for granule in range(first, end):
        nr = memory.nr[granule]
        start = granule * GRANULE
        waiting = 0
        for index in range(start, start + nr):
            waiting += (memory.folio[index] & np.uint32(UNTOUCHED)) != 0
        if waiting == 0:
            continue
        now = max(tau[memory.mm[granule]], memory.last[granule])
        before = memory.last[granule]
        if memory.sweep[granule] < 0:
            set_thresholds(
                rates, scratch, memory.mm[granule], memory.row0[granule], memory.rows[granule],
                before, now,
            )  # fmt: skip
        key = mix64(memory.key[granule] + np.uint64(memory.looks[granule] + 1))
        still = 0
        for base in range(0, nr, BLOCK):
            part = memory.folio[start + base : start + min(base + BLOCK, nr)]
            touched_block(memory, rates, scratch, granule, base, part, key, before, now)
            for i in range(part.size):
                if part[i] & np.uint32(UNTOUCHED) and scratch.touched[i] == 0:
                    still += 1
        total += still * memory.pages[memory.row0[granule]]
    return total
