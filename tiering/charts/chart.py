"""What a chart is: pure data that says which columns of a row to draw, and how.

A `Chart` knows nothing of a drawing library. The page draws its JSON form, and `evaluate` gives the
same numbers as arrays, for exports and tests.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, Literal, Protocol

Style = Literal["line", "step", "area", "band_low", "band_high", "hover"]
Range = Literal["zero", "log", "percent"]
Reduce = Literal["", "sum", "min", "median", "max"]
Dash = Literal["solid", "dash", "dot"]

NS_PER_S = 1_000_000_000


class NodeLike(Protocol):
    """What charts need to know of a memory node."""

    @property
    def name(self) -> str: ...
    @property
    def tier(self) -> int: ...
    @property
    def capacity_mib(self) -> int: ...


@dataclass(frozen=True)
class Series:
    """One line or area.

    field: column of the row (see model/metrics.py); index: place inside its sub-array, () for a
    scalar; reduce: how to make one number of the whole sub-array instead. The value times `scale`
    has the chart's unit. Areas stack in the order of the list; "hover" is told, not drawn.
    """

    name: str
    field: str
    index: tuple[int, ...] = ()
    scale: float = 1.0
    style: Style = "line"
    colour: str = "#868e96"
    dash: Dash = "solid"
    reduce: Reduce = ""
    unit: str = ""  # only where it differs from the chart's
    width: float = 1.5


@dataclass(frozen=True)
class Reference:
    """A horizontal line, e.g. a capacity or a bound."""

    name: str
    value: float


@dataclass(frozen=True)
class Chart:
    """id: stable name. question: the subtitle. empty: why there is nothing to draw, if so."""

    id: str
    title: str
    question: str
    unit: str
    range: Range
    series: tuple[Series, ...] = ()
    references: tuple[Reference, ...] = ()
    note: str = ""
    empty: str = ""
    decimals: int = 1


def series_json(series: Series, schema: dict[str, Any]) -> dict[str, Any]:
    """A series with its column resolved: `at` is its first float64 in a row, `count` how many."""
    column = schema["columns"][series.field]
    shape = column["shape"]
    at, count = column["offset"], 1
    if series.reduce:
        count = prod(shape)
    else:
        if len(series.index) != len(shape):
            raise ValueError(f"{series.name}: {series.field} has shape {shape}, not {series.index}")
        for place, extent in zip(series.index, shape, strict=True):
            if not 0 <= place < extent:
                raise ValueError(f"{series.name}: {series.field}{series.index} of {shape}")
        at += sum(place * prod(shape[depth + 1 :]) for depth, place in enumerate(series.index))
    return {
        "name": series.name,
        "at": at,
        "count": count,
        "reduce": series.reduce,
        "scale": series.scale,
        "style": series.style,
        "colour": series.colour,
        "dash": series.dash,
        "width": series.width,
        "unit": series.unit,
        "meaning": column["meaning"],
    }


def as_json(chart: Chart, schema: dict[str, Any]) -> dict[str, Any]:
    """JSON-ready form of the chart for a run whose rows have that schema."""
    return {
        "id": chart.id,
        "title": chart.title,
        "question": chart.question,
        "unit": chart.unit,
        "range": chart.range,
        "note": chart.note,
        "empty": chart.empty,
        "decimals": chart.decimals,
        "series": [series_json(series, schema) for series in chart.series],
        "references": [{"name": r.name, "value": r.value} for r in chart.references],
    }
