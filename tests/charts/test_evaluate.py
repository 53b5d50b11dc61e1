import numpy as np

from tests.charts.rows import rows, shape
from tiering.charts.chart import Chart, Series
from tiering.charts.evaluate import evaluate


def chart(*series: Series, axis: str = "zero") -> Chart:
    return Chart("x", "X", "Why?", "ms", axis, series)  # type: ignore[arg-type]


def test_time_is_in_simulated_seconds() -> None:
    assert evaluate(chart(), rows(shape(), 3))["t_s"].tolist() == [0.1, 0.2, 0.3]


def test_the_scale_is_applied() -> None:
    made = rows(shape(), 1)
    made["top_tier_share"] = 0.25
    assert evaluate(chart(Series("hit", "top_tier_share", scale=100)), made)["hit"] == 25


def test_all_mms_become_one_number() -> None:
    made = rows(shape("a", "b", "c"), 2)
    made["mm.scan_period_ms"] = [[400, 600, 5000], [1, 2, 9]]
    line = Series("m", "mm.scan_period_ms", reduce="median")
    assert evaluate(chart(line), made)["m"].tolist() == [600, 2]


def test_nothing_is_drawn_for_zero_on_a_logarithmic_axis() -> None:
    made = rows(shape(), 2)
    made["mm.scan_interval_ms"] = [[0], [2000]]
    line = Series("i", "mm.scan_interval_ms", (0,))
    values = evaluate(chart(line, axis="log"), made)["i"]
    assert np.isnan(values[0])
    assert values[1] == 2000
