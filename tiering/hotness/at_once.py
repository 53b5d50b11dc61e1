"""What memories have in common that give back at once what a report makes hot.

Reports of what is on the top tier are dropped, as in pghot. State is by folio, in arrays as long as
the folio array, and goes when the folio is freed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import GRANULE, Memory
from tiering.engine.reports import UNCOUNTED, Reports, reports
from tiering.hotness.hotness import Hot

NS_PER_MS = 1_000_000


def state_of(memory: Memory, kind: type[np.generic]) -> NDArray[Any]:
    """Zeros, one a folio; written now, so that no page of it has to come while the run is on."""
    state: NDArray[Any] = np.empty(memory.folio.size, kind)
    state.fill(0)
    return state


def clear(memory: Memory, mm: int, state: NDArray[Any]) -> None:
    """The folios of a process are freed."""
    for granule in np.flatnonzero(memory.mm == mm).tolist():
        state[granule * GRANULE : (granule + 1) * GRANULE] = 0


class Room:
    """What one call finds hot: folios, latency_ms and heat, i64[n] of as many as were reported."""

    def __init__(self, some: Reports) -> None:
        nr = some.folios.size
        self.folios = reports(nr, some.ends.size)
        self.latency_ms = np.zeros(nr, np.int64)
        self.heat = np.zeros(nr, np.int64)

    def first(self, nr: int, runs: int, timed: bool, counted: bool) -> Hot:
        """What was found. timed, counted: whether somebody knows latencies and numbers."""
        return Hot(
            self.folios.first(nr, runs),
            self.latency_ms[:nr] if timed else UNCOUNTED,
            self.heat[:nr] if counted else UNCOUNTED,
        )
