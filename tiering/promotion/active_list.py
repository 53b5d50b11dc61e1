"""Only what is active may rise, as TPP promotes at hint faults (docs/model.md#promotion).

A folio that was inactive when it was seen is put onto the active list instead, so it rises at the
second time, unless reclaim has deactivated it meanwhile. By generations, active are the two
youngest of its node. Mirrors TPP as posted in November 2021; no threshold and no rate limit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import (
    ACTIVE,
    AS_IT_IS,
    GRANULE,
    LIST_MASK,
    LIST_SHIFT,
    NID_MASK,
    NID_SHIFT,
    SLOW,
    Memory,
)
from tiering.engine.jit import Direct, loop
from tiering.engine.reports import UNCOUNTED, Reports, end_run, reports
from tiering.engine.still_hot import IS_ACTIVE, is_still_hot


@loop
def pass_active(memory, hot, out):  # type: ignore[no-untyped-def]
    """Copy active folios to out and activate the others; returns (folios, runs, activated)."""
    n, nr_runs, first, activated = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    for run in range(hot.ends.size):
        before = n
        for i in range(first, hot.ends[run]):
            index = np.int64(hot.folios[i])
            value = memory.folio[index]
            if is_still_hot(value, memory.entry, IS_ACTIVE):
                out.folios[n] = hot.folios[i]
                n += 1
            elif value & np.uint32(SLOW) != 0:
                _activate(memory, index, value)
                activated += 1
        first = hot.ends[run]
        nr_runs = end_run(out, n, nr_runs, before, hot.stamps[run])
    return n, nr_runs, activated


@loop
def _activate(memory, index, value):  # type: ignore[no-untyped-def]
    """Put a folio of a slow node onto its active list, or into its youngest generation."""
    nid = np.int64((value & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT))
    here = np.int64((value & np.uint32(LIST_MASK)) >> np.uint32(LIST_SHIFT))
    there = np.int64(ACTIVE) if memory.entry[nid] == AS_IT_IS else np.int64(memory.entry[nid])
    pages = memory.pages[memory.row0[index // GRANULE]]  # folios of a granule are of one order
    memory.on_list[nid, here] -= pages
    memory.on_list[nid, there] += pages
    memory.folio[index] = (value & ~np.uint32(LIST_MASK)) | np.uint32(there << LIST_SHIFT)


_pass_active = Direct(pass_active)


class ActiveList:
    """A Promotion."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._activated = 0

    @property
    def counters(self) -> dict[str, int]:
        """See Promotion."""
        return {"promote_inactive": self._activated}

    def choose(
        self,
        hot: Reports,
        latency_ms: NDArray[np.int64],  # noqa: ARG002 - the list decides
        now: int,  # noqa: ARG002
        heat: NDArray[np.int64] = UNCOUNTED,  # noqa: ARG002
    ) -> Reports:
        """See Promotion."""
        out = reports(hot.folios.size, hot.ends.size)
        n, runs, activated = _pass_active(self._memory, hot, out)
        self._activated += int(activated)
        return out.first(int(n), int(runs))

    def retune(self, name: str, value: Any) -> None:
        """There are no knobs."""
