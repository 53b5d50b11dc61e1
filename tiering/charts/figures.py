"""The key figures above the charts: single numbers of the newest row."""

from dataclasses import dataclass
from typing import Any

from tiering.charts.chart import Series, series_json


@dataclass(frozen=True)
class Figure:
    """One number. delta: whether its change since the last knob move is worth showing.
    zero_is_none: whether 0 means that there is nothing of the kind in the run."""

    id: str
    title: str
    unit: str
    series: Series
    decimals: int = 1
    delta: bool = True
    zero_is_none: bool = False


FIGURES: tuple[Figure, ...] = (
    Figure("hit", "top-tier hits", "%", Series("hit", "top_tier_share", scale=100.0)),
    Figure("throughput", "throughput", "M/s", Series("throughput", "throughput", scale=1e-6)),
    Figure("promoted", "promoted", "MiB/s", Series("promoted", "promote_mib_s"), decimals=0),
    Figure(
        "cpu", "kernel thread CPU", "%",
        Series("busy", "thread.busy_share", scale=100.0, reduce="sum"),
    ),
    Figure(
        "period", "scan period", "ms",
        Series("period", "mm.scan_period_ms", reduce="median"), decimals=0, delta=False,
        zero_is_none=True,
    ),
)  # fmt: skip


def figures_json(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """JSON-ready figures for a run whose rows have that schema."""
    return [
        {
            "id": figure.id,
            "title": figure.title,
            "unit": figure.unit,
            "decimals": figure.decimals,
            "delta": figure.delta,
            "zero_is_none": figure.zero_is_none,
            "series": series_json(figure.series, schema),
        }
        for figure in FIGURES
    ]
