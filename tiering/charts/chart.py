"""What a chart is: pure data that says which columns of a row to draw, and how.

A `Chart` knows nothing of a drawing library. The page draws its JSON form, and `evaluate` gives the
same numbers as arrays, for exports and tests.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, Literal, Protocol

Style = Literal["line", "step", "area", "band_low", "band_high", "hover"]
Range = Literal["zero", "log", "percent"]
Reduce = Literal["", "sum", "mean", "min", "p10", "median", "p90", "max"]
Dash = Literal["solid", "dash", "dot"]
How = Literal["spread", "rise", "share", "top"]

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
    scalar; reduce: how to make one number of the whole sub-array instead, or of its `members`, by
    their place in it; what has no value is left out. per_s: the rise since the row before, per
    simulated second. hold: where a row has no value, that of the last one that had. The value times
    `scale` has the chart's unit. Areas stack in the order of the list; "hover" is told, not drawn.
    picked: its place among the mms that the user picked, where the chart has too many for all.
    """

    name: str
    field: str
    index: tuple[int, ...] = ()
    scale: float = 1.0
    style: Style = "line"
    colour: str = "#868e96"
    dash: Dash = "solid"
    reduce: Reduce = ""
    members: tuple[int, ...] = ()
    per_s: bool = False
    hold: bool = False
    picked: int = -1
    unit: str = ""  # only where it differs from the chart's
    width: float = 1.5


@dataclass(frozen=True)
class Reference:
    """A horizontal line, e.g. a capacity or a bound. knob: path of the knob that it follows, ""
    where it stays. quiet: named in the legend alone, where a label would cover another."""

    name: str
    value: float
    knob: str = ""
    quiet: bool = False


@dataclass(frozen=True)
class Told:
    """Figures beside a chart, of the range of time that it shows.

    how: "spread" is number, least, mean, 99th percentile and most of a field, one value each time
    that the field `counter`, of the same shape, rises (by how much it rises), values of 0 left out;
    "rise" how much a counter rose; "share" that over the rise of another, `over`; "top" the largest
    value.
    """

    name: str
    how: How
    series: Series
    counter: str = ""
    over: Series | None = None
    unit: str = ""
    decimals: int = 0


@dataclass(frozen=True)
class Chart:
    """id: stable name. question: the subtitle. empty: why there is nothing to draw in this run, if
    so. nothing: what to say as long as no row has a value. hidden: shown on demand. wide: takes a
    row of its own."""

    id: str
    title: str
    question: str
    unit: str
    range: Range
    series: tuple[Series, ...] = ()
    references: tuple[Reference, ...] = ()
    told: tuple[Told, ...] = ()
    note: str = ""
    empty: str = ""
    nothing: str = ""
    decimals: int = 1
    hidden: bool = False
    wide: bool = False


def series_json(series: Series, schema: dict[str, Any]) -> dict[str, Any]:
    """A series with its column resolved: `at` is its first float64 in a row, `count` how many;
    `stride` from one mm to the next."""
    column = schema["columns"][series.field]
    shape = column["shape"]
    at, count = column["offset"], 1
    if series.reduce:
        count = prod(shape)
        if any(not 0 <= place < count for place in series.members):
            raise ValueError(f"{series.name}: {series.field}{series.members} of {shape}")
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
        "stride": prod(shape[1:]),
        "reduce": series.reduce,
        "members": list(series.members),
        "per_s": series.per_s,
        "hold": series.hold,
        "picked": series.picked,
        "mm": series.index[0] if series.picked >= 0 else -1,
        "scale": series.scale,
        "style": series.style,
        "colour": series.colour,
        "dash": series.dash,
        "width": series.width,
        "unit": series.unit,
        "meaning": f"{column['meaning']} ({series.field})",
    }


def told_json(told: Told, schema: dict[str, Any]) -> dict[str, Any]:
    """Figures with their columns resolved; of a spread the field is taken whole."""
    columns = schema["columns"]
    shape = columns[told.series.field]["shape"]
    if told.how == "spread" and columns[told.counter]["shape"] != shape:
        raise ValueError(f"{told.name}: {told.counter} has not the shape {shape}")
    return {
        "name": told.name,
        "how": told.how,
        "series": None if told.how == "spread" else series_json(told.series, schema),
        "over": series_json(told.over, schema) if told.over else None,
        "at": columns[told.series.field]["offset"],
        "count": prod(shape),
        "counter": columns[told.counter]["offset"] if told.counter else -1,
        "scale": told.series.scale,
        "unit": told.unit,
        "decimals": told.decimals,
        "meaning": f"{columns[told.series.field]['meaning']} ({told.series.field})",
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
        "nothing": chart.nothing,
        "decimals": chart.decimals,
        "hidden": chart.hidden,
        "wide": chart.wide,
        "series": [series_json(series, schema) for series in chart.series],
        "told": [told_json(told, schema) for told in chart.told],
        "references": [
            {"name": r.name, "value": r.value, "knob": r.knob, "quiet": r.quiet}
            for r in chart.references
        ],
    }
