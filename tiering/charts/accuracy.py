"""Hotness accuracy: is it the hot set that the source finds?"""

from typing import Any

from tiering.charts.chart import Chart, Series
from tiering.charts.colours import INK, tier_colour
from tiering.charts.setting import Setting


def hotness_accuracy(schema: dict[str, Any], setting: Setting) -> Chart:
    """Precision and recall against the hottest folios that the top tier could hold."""
    judged = bool(schema["threads"]) and bool(setting.notices)
    series = (
        Series("precision", "precision", scale=100.0, style="step", colour="#7b5fc7", hold=True),
        Series("recall", "recall", scale=100.0, style="step", colour="#1b9e77", hold=True),
        Series("top-tier hits", "top_tier_share", scale=100.0, colour=tier_colour(0)),
        Series("oracle", "oracle_share", scale=100.0, colour=INK, dash="dash", width=2.0),
    )
    return Chart(
        id="accuracy",
        title="Hotness accuracy",
        question="Is what the source reports what is hot?",
        unit="%",
        range="percent",
        series=series if judged else (),
        note="\u2013: nothing reported, or all folios alike" if judged else "",
        empty="" if judged else "Nobody notices touches in this run, so there is nothing to judge.",
    )
