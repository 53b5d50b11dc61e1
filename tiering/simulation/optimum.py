"""The ceiling at this instant, worked out anew only when touch rates changed."""

import numpy as np
from numpy.typing import NDArray

from tiering.engine.accuracy import hot_rows
from tiering.engine.jit import Direct
from tiering.engine.oracle import ceiling
from tiering.engine.touch import row_rates
from tiering.simulation.build import World
from tiering.simulation.progress import Progress

_row_rates = Direct(row_rates)
_ceiling = Direct(ceiling)


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
        self._folios: NDArray[np.int64] = np.zeros_like(world.nr_folios)
        self._share = 1.0
        self.hot: NDArray[np.bool_] = np.zeros(world.nr_folios.size, np.bool_)
        self.flat = True

    def share(self) -> float:
        """0..1; the speed of a process that is alone scales all rates alike and is left out."""
        world, flow = self._world, self._progress.flow
        speed = flow.speed if self._alone is None else self._alone
        rates = np.zeros(world.nr_folios.size)
        _row_rates(world.rates, flow.tau, speed, rates)
        there = world.memory.resident[:, 0].copy()
        for nid in range(1, world.capacity.size):  # numpy's sum over an axis of 2 is slow
            there += world.memory.resident[:, nid]
        if not (np.array_equal(rates, self._rates) and np.array_equal(there, self._folios)):
            pages = world.memory.pages
            self._share, threshold = _ceiling(there, rates, pages, self._capacity)
            self.flat = not hot_rows(np.where(there > 0, rates, 0.0), pages, threshold, self.hot)
            self._rates, self._folios = rates, there
        return self._share
