"""The numbers of a chart, as arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiering.charts.chart import NS_PER_S, Chart, Series, Told

Rows = np.ndarray[Any, Any]
Values = NDArray[np.float64]


def quantile(ordered: Values, part: float) -> float:
    """Of sorted values; between two of them in proportion."""
    place = part * (ordered.size - 1)
    low = int(place)
    high = min(low + 1, ordered.size - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))


REDUCE: dict[str, Callable[[Values], float]] = {
    "sum": lambda ordered: float(np.cumsum(ordered)[-1]),
    "mean": lambda ordered: float(np.cumsum(ordered)[-1]) / ordered.size,
    "min": lambda ordered: float(ordered[0]),
    "p10": lambda ordered: quantile(ordered, 0.1),
    "median": lambda ordered: quantile(ordered, 0.5),
    "p90": lambda ordered: quantile(ordered, 0.9),
    "max": lambda ordered: float(ordered[-1]),
}
"""Of sorted values, at least one."""


def evaluate(chart: Chart, rows: Rows) -> dict[str, Values]:
    """f64[nr_rows] by series name, and "t_s" (simulated seconds); rows: a structured array.

    On a logarithmic chart a value that is not positive becomes NaN: there is nothing to draw.
    """
    positive = chart.range == "log"
    values = {"t_s": rows["time_ns"] / NS_PER_S}
    for series in chart.series:
        values[series.name] = one_series(series, rows, positive)
    return values


def one_series(series: Series, rows: Rows, positive: bool = False) -> Values:
    """f64[nr_rows] of one series, in the unit of its chart; positive: other values are none."""
    column = _raw(series, rows, positive and not series.per_s)
    if series.per_s:
        seconds = np.diff(rows["time_ns"] / NS_PER_S, prepend=0.0)
        column = np.diff(column, prepend=0.0) / seconds
    column = column * series.scale
    if positive:
        column = np.where(column > 0, column, np.nan)
    return _held(column) if series.hold else column


def _raw(series: Series, rows: Rows, positive: bool) -> Values:
    column = rows[series.field]
    if not series.reduce:
        place: Any = (slice(None), *series.index)
        picked: Values = column[place].astype(np.float64)
        return picked
    flat = column.reshape(len(rows), -1)
    if series.members:
        flat = flat[:, list(series.members)]
    made = np.full(len(rows), np.nan)
    for row, values in enumerate(flat):
        told = np.sort(values[(values > 0) if positive else np.isfinite(values)])
        if told.size:
            made[row] = REDUCE[series.reduce](told)
    return made


def _held(column: Values) -> Values:
    last = np.maximum.accumulate(np.where(np.isnan(column), -1, np.arange(column.size)))
    return np.where(last >= 0, column[np.maximum(last, 0)], np.nan)


def figures(told: Told, rows: Rows, from_s: float, to_s: float) -> dict[str, float]:
    """Figures of the rows in (from_s, to_s]: those of a spread by their name, else "value".

    Nothing where there is nothing to tell of.
    """
    t = rows["time_ns"] / NS_PER_S
    first, end = (int(np.searchsorted(t, edge, "right")) for edge in (from_s, to_s))
    if told.how == "spread":
        return spread(events(told, rows)[first:end])
    column = one_series(told.series, rows)
    if told.how == "top":
        seen = column[first:end][np.isfinite(column[first:end])]
        return {"value": float(seen.max())} if seen.size else {}
    rose = _rise(column, first, end)
    if told.over is None:
        return {"value": rose}
    whole = _rise(one_series(told.over, rows), first, end)
    return {"value": 100.0 * rose / whole} if whole > 0 else {}


def _rise(column: Values, first: int, end: int) -> float:
    if end <= first:
        return 0.0
    return float(column[end - 1] - (column[first - 1] if first else 0.0))


def events(told: Told, rows: Rows) -> list[list[tuple[float, int]]]:
    """(value, how often) of each row, see Told."""
    values = rows[told.series.field].reshape(len(rows), -1) * told.series.scale
    times = np.diff(rows[told.counter].reshape(len(rows), -1), axis=0, prepend=0)
    return [
        [(float(v), int(n)) for v, n in zip(row, nr, strict=True) if n > 0 and v > 0]
        for row, nr in zip(values, times, strict=True)
    ]


def spread(found: list[list[tuple[float, int]]]) -> dict[str, float]:
    """Number, least, mean, 99th percentile (the least value that 99 % do not exceed) and most."""
    ordered = sorted(one for row in found for one in row)
    nr = sum(times for _, times in ordered)
    if not nr:
        return {}
    repeated = [value for value, times in ordered for _ in range(times)]
    p99 = repeated[-(-99 * nr // 100) - 1]
    mean = sum(value * times for value, times in ordered) / nr
    return {"nr": nr, "min": ordered[0][0], "mean": mean, "p99": p99, "max": ordered[-1][0]}
