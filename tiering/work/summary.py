"""What a list of runs shows of one: key figures and a curve, kept small while the run goes on."""

from typing import Any

import numpy as np
import orjson

from tiering.charts.evaluate import one_series
from tiering.charts.figures import FIGURES
from tiering.model.block import Block

CURVE = "hit"
"""The figure that is drawn; a percentage."""

MOST_POINTS = 48
BLOCKS_TOGETHER = 256


class Summary:
    """Takes every block of a run, from the first on.

    dtype: of the rows. The curve has at most MOST_POINTS points, each the mean of as many rows:
    when there are more, pairs become one, and the rows to come are taken together likewise.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._pending: list[bytes] = []
        self._nr_rows = 0
        self._sums = dict.fromkeys((figure.id for figure in FIGURES), 0.0)
        self._points: list[float] = []
        self._rows_per_point = 1
        self._open: list[float] = []

    def take(self, block: Block) -> None:
        """Remember the rows of the block."""
        if block.nr_rows:
            self._pending.append(block.rows)
        if len(self._pending) >= BLOCKS_TOGETHER:
            self._fold()

    def json(self) -> str:
        """{"rows", "figures": {id: mean over the rows}, "curve": [whole percents]}; figures as in
        charts/figures.py, none where there is no number."""
        self._fold()
        means = {
            name: float(f"{total / self._nr_rows:.6g}")
            for name, total in self._sums.items()
            if self._nr_rows and np.isfinite(total)
        }
        points = [*self._points, *([float(np.mean(self._open))] if self._open else [])]
        curve = [round(point) for point in points if np.isfinite(point)]
        told = {"rows": self._nr_rows, "figures": means, "curve": curve}
        return orjson.dumps(told).decode()

    def _fold(self) -> None:
        if not self._pending:
            return
        rows = np.frombuffer(b"".join(self._pending), self._dtype)
        self._pending = []
        self._nr_rows += len(rows)
        for figure in FIGURES:
            values = one_series(figure.series, rows)
            self._sums[figure.id] += float(values.sum())
            if figure.id == CURVE:
                self._draw(values.tolist())

    def _draw(self, values: list[float]) -> None:
        for value in values:
            self._open.append(value)
            if len(self._open) < self._rows_per_point:
                continue
            self._points.append(sum(self._open) / len(self._open))
            self._open = []
            if len(self._points) == MOST_POINTS:
                pairs = zip(self._points[::2], self._points[1::2], strict=True)
                self._points = [(left + right) / 2 for left, right in pairs]
                self._rows_per_point *= 2
