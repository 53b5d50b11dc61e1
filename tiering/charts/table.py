"""The charts of the Lab, in their order on the page."""

from typing import Any

from tiering.charts.access_mix import access_mix
from tiering.charts.accuracy import hotness_accuracy
from tiering.charts.chart import Chart
from tiering.charts.latency import latency
from tiering.charts.occupancy import node_occupancy
from tiering.charts.promotion import promotion_rate
from tiering.charts.scan_deadline import scan_deadline
from tiering.charts.scan_period import scan_period, scan_size
from tiering.charts.setting import Setting
from tiering.charts.source_counts import source_counts
from tiering.charts.tenants import tenants
from tiering.charts.threads import kernel_threads, migration_queue


def lab_charts(schema: dict[str, Any], setting: Setting) -> tuple[Chart, ...]:
    """All charts of a run. schema: of its rows. What a run has nothing of is last and says why."""
    charts = (
        node_occupancy(schema, setting),
        scan_period(schema, setting),
        promotion_rate(schema, setting),
        access_mix(schema, setting.nodes),
        scan_deadline(schema, setting),
        latency(schema, setting),
        kernel_threads(schema, setting),
        migration_queue(schema, setting),
        hotness_accuracy(schema, setting),
        tenants(schema, setting),
        source_counts(schema, setting),
        scan_size(schema, setting),
    )
    return tuple(sorted(charts, key=lambda chart: bool(chart.empty)))
