"""Precision and recall of a source against the optimum (docs/model.md#accuracy)."""

import numpy as np
from numpy.typing import NDArray

from tiering.engine.accuracy import judge
from tiering.engine.jit import Direct
from tiering.engine.reports import Reports
from tiering.simulation.build import World
from tiering.simulation.optimum import Optimum

_judge = Direct(judge)


class Judge:
    """counts: i64[4] reported, hot among them; in full scans: hot reported, hot there."""

    def __init__(
        self, world: World, optimum: Optimum, slow: NDArray[np.uint8], nr_sources: int
    ) -> None:
        self._world, self._optimum, self._slow = world, optimum, slow
        self.counts = np.zeros(4, np.int64)
        self._taken = np.zeros(4, np.int64)
        self._ignored = np.zeros(4, np.int64)
        self._open = np.zeros((nr_sources, world.work.size, 2), np.int64)
        self._open[..., 1] = -1

    def take(self, source: int, reports: Reports, passes: NDArray[np.int64]) -> None:
        """Judge what one of the sources reported, before anything of it moves.

        Nothing of it counts while all folios that are touched are alike.
        """
        world, rates = self._world, self._world.rates
        counts = self._ignored if self._optimum.flat else self.counts
        _judge(
            world.memory, self._optimum.hot, rates.row_at, rates.nr_rows, self._slow, reports,
            passes, self._open[source], counts,
        )  # fmt: skip

    def forget(self, mm: int) -> None:
        """The full scan of a process that exits does not go on in its next life."""
        self._open[:, mm] = 0, -1

    def since_last(self) -> tuple[float, float]:
        """(precision, recall) since the last call, NaN where there is no value."""
        new = self.counts - self._taken
        self._taken = self.counts.copy()
        return self._shares(new)

    def so_far(self) -> tuple[float | None, float | None]:
        """(precision, recall) of the whole run, None where there is no value."""
        precision, recall = self._shares(self.counts)
        return _known(precision), _known(recall)

    @staticmethod
    def _shares(counts: NDArray[np.int64]) -> tuple[float, float]:
        reported, hot, found, there = counts.tolist()
        return hot / reported if reported else np.nan, found / there if there else np.nan


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
