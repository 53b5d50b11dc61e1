"""Promotion rate: how fast memory comes home, and what fails."""

from collections.abc import Mapping
from typing import Any

from tiering.charts.chart import Chart, Series
from tiering.charts.colours import NEUTRAL, tier_colour


def promotion_rate(schema: dict[str, Any], knobs: Mapping[str, Any]) -> Chart:
    """MiB/s promoted; failures and the queue are told under the cursor.

    knobs: values by path; without `migration` among them nobody migrates, and the chart says so.
    """
    migrates = any(path.startswith("migration.") for path in knobs) and bool(schema["threads"])
    series = (
        Series("promoted", "promote_mib_s", style="area", colour=tier_colour(0)),
        Series("queued folios", "queue_len", style="hover", colour=NEUTRAL, unit="folios"),
        Series("failed folios", "pgmigrate_fail", style="hover", colour=NEUTRAL, unit="folios"),
    )
    return Chart(
        id="promotion",
        title="Promotion rate",
        question="How fast does memory come home?",
        unit="MiB/s",
        range="zero",
        series=series if migrates else (),
        empty="" if migrates else "No kernel thread migrates in this run, so nothing is promoted.",
        decimals=0,
    )
