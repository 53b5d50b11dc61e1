"""The ceiling at this instant, worked out anew only when touch rates changed."""

import numpy as np

from tiering.engine.oracle import best_share
from tiering.engine.touch import row_rates
from tiering.simulation.build import World
from tiering.simulation.progress import Progress


class Optimum:
    """Share of the touches that the best placement would serve from the top tier."""

    def __init__(self, world: World, progress: Progress) -> None:
        self._world, self._progress = world, progress
        self._capacity = int(world.capacity[world.top_tier].sum())
        self._alone = np.ones(1) if world.work.size == 1 else None
        self._rates = np.zeros(world.nr_folios.size)
        self._share = -1.0

    def share(self) -> float:
        """0..1; the speed of a process that is alone scales all rates alike and is left out."""
        world, progress = self._world, self._progress
        speed = progress.throughput if self._alone is None else self._alone
        rates = np.zeros(world.nr_folios.size)
        row_rates(world.rates, progress.tau, speed, rates)
        if self._share < 0 or not np.array_equal(rates, self._rates):
            self._share = best_share(world.nr_folios, rates, self._capacity)
            self._rates = rates
        return self._share
