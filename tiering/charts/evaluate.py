"""The numbers of a chart, as arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiering.charts.chart import NS_PER_S, Chart, Series

Rows = np.ndarray[Any, Any]
REDUCE: dict[str, Callable[..., Any]] = {
    "sum": np.sum,
    "min": np.min,
    "median": np.median,
    "max": np.max,
}


def evaluate(chart: Chart, rows: Rows) -> dict[str, NDArray[np.float64]]:
    """f64[nr_rows] by series name, and "t_s" (simulated seconds); rows: a structured array.

    On a logarithmic chart a value that is not positive becomes NaN: there is nothing to draw.
    """
    values = {"t_s": rows["time_ns"] / NS_PER_S}
    for series in chart.series:
        column = one_series(series, rows)
        if chart.range == "log":
            column = np.where(column > 0, column, np.nan)
        values[series.name] = column
    return values


def one_series(series: Series, rows: Rows) -> NDArray[np.float64]:
    """f64[nr_rows] of one series, in the unit of its chart."""
    column = rows[series.field]
    if series.reduce:
        flat = column.reshape(len(rows), -1)
        result: NDArray[np.float64] = REDUCE[series.reduce](flat, axis=1) * series.scale
        return result
    place: Any = (slice(None), *series.index)
    picked: NDArray[np.float64] = column[place] * series.scale
    return picked
