"""A plot with all its numbers: what an SVG is written from, whatever they come from."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tiering.charts.chart import Chart, Dash, Reference
from tiering.charts.evaluate import evaluate

Mark = Literal["line", "step", "points", "area"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """label and unit are written at the axis. low, high: its range; None = from the values."""

    label: str
    unit: str = ""
    log: bool = False
    zero: bool = True
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Curve:
    """x, y: f64[n]; NaN is a gap. base: f64[n], the lower edge of an area. "points" have a line."""

    name: str
    x: Floats
    y: Floats
    colour: str
    mark: Mark = "line"
    dash: Dash = "solid"
    width: float = 1.5
    base: Floats = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class Plot:
    """empty: what is written where there is nothing to draw."""

    title: str
    subtitle: str
    x: Axis
    y: Axis
    curves: tuple[Curve, ...]
    levels: tuple[Reference, ...] = ()
    note: str = ""
    empty: str = ""


def chart_plot(chart: Chart, rows: np.ndarray[Any, Any]) -> Plot:
    """A chart of a run over simulated time, as the page draws it; rows: structured, of its run."""
    values = evaluate(chart, rows)
    time_s = np.asarray(values["t_s"], np.float64)
    curves, stack, low = [], np.zeros(time_s.size), np.zeros(0)
    for series in chart.series:
        y = values[series.name]
        one = Curve(series.name, time_s, y, series.colour, "line", series.dash, series.width)
        if series.style == "area":
            base, stack = stack, stack + y
            one = Curve(series.name, time_s, stack, series.colour, "area", base=base)
        elif series.style == "band_low":
            low = y
        elif series.style == "band_high":
            one = Curve(series.name, time_s, y, series.colour, "area", base=low)
        elif series.style == "step":
            one = Curve(
                series.name, time_s, y, series.colour, "step", series.dash, series.width
            )  # fmt: skip
        if series.style != "hover":
            curves.append(one)
    percent = chart.range == "percent"
    return Plot(
        chart.title,
        chart.question,
        Axis("simulated time", "s", low=0.0),
        Axis("", chart.unit, chart.range == "log", high=100.0 if percent else None),
        tuple(curves),
        chart.references,
        chart.note,
        chart.empty,
    )
