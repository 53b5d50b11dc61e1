"""The ceiling at this instant, worked out anew only when touch rates changed."""

import numpy as np
from numpy.typing import NDArray

from tiering.engine.accuracy import hot_rows
from tiering.engine.jit import Direct
from tiering.engine.oracle import ceiling, populated
from tiering.engine.touch import row_rates
from tiering.simulation.build import World
from tiering.simulation.progress import Progress

_row_rates = Direct(row_rates)
_ceiling = Direct(ceiling)
_hot_rows = Direct(hot_rows)
_populated = Direct(populated)


class Optimum:
    """Share of the touches that the best placement would serve from the top tier.

    hot: bool[R], rows of the hottest folios that fit; ties all count. flat: True if all folios that
    are touched are alike, so that there is nothing to find.
    """

    def __init__(self, world: World, progress: Progress) -> None:
        self._world, self._progress = world, progress
        self._capacity = int(world.capacity[world.top_tier].sum())
        self._alone = np.ones(1) if world.work.size == 1 else None
        self._rates: NDArray[np.float64] = np.full(world.nr_folios.size, -1.0)
        self._folios: NDArray[np.int64] = np.full_like(world.nr_folios, -1)
        self._share = 1.0
        self.hot: NDArray[np.bool_] = np.zeros(world.nr_folios.size, np.bool_)
        self.flat = True

    def share(self) -> float:
        """0..1; the speed of a process that is alone scales all rates alike and is left out."""
        world, flow = self._world, self._progress.flow
        speed = flow.speed if self._alone is None else self._alone
        others = _row_rates(world.rates, flow.tau, speed, self._rates)
        moved = _populated(world.memory.resident, self._folios)
        if others or moved:
            pages, there, rates = world.memory.pages, self._folios, self._rates
            self._share, threshold = _ceiling(there, rates, pages, self._capacity)
            self.flat = not _hot_rows(there, rates, pages, threshold, self.hot)
        return self._share
