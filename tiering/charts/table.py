"""The charts of the Lab, in their order on the page."""

from collections.abc import Mapping, Sequence
from typing import Any

from tiering.charts.access_mix import access_mix
from tiering.charts.chart import Chart, NodeLike
from tiering.charts.occupancy import node_occupancy
from tiering.charts.promotion import promotion_rate
from tiering.charts.scan_period import scan_period


def lab_charts(
    schema: dict[str, Any], nodes: Sequence[NodeLike], knobs: Mapping[str, Any]
) -> tuple[Chart, ...]:
    """All charts of a run. schema: of its rows; knobs: values by path."""
    return (
        node_occupancy(schema, nodes),
        scan_period(schema, knobs, nodes),
        promotion_rate(schema, knobs),
        access_mix(schema, nodes),
    )
