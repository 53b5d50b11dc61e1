import numpy as np

from tests.charts.rows import columns, rows, shape
from tiering.charts.chart import Chart, Reference, Series
from tiering.report.plot import chart_plot

OF = shape("a", "b")


def chart(*series: Series, **more: object) -> Chart:
    known = {"id": "c", "title": "T", "question": "Q?", "unit": "GiB", "range": "zero"}
    return Chart(**(known | {"series": series} | more))  # type: ignore[arg-type]


def test_a_chart_of_a_run_becomes_curves_over_seconds() -> None:
    table = rows(OF, 3)
    table["throughput"] = [1e6, 2e6, 3e6]
    plot = chart_plot(chart(Series("rate", "throughput", scale=1e-6, dash="dot")), table)
    (curve,) = plot.curves
    assert curve.x.tolist() == [0.1, 0.2, 0.3]
    assert curve.y.tolist() == [1.0, 2.0, 3.0]
    assert (curve.mark, curve.dash) == ("line", "dot")
    assert (plot.title, plot.subtitle, plot.y.unit, plot.x.unit) == ("T", "Q?", "GiB", "s")


def test_areas_are_stacked_in_their_order() -> None:
    table = rows(OF, 2)
    table["node.resident_mib"] = [[1, 10], [2, 20]]
    areas = [Series(str(n), "node.resident_mib", (n,), style="area") for n in (0, 1)]
    low, high = chart_plot(chart(*areas), table).curves
    assert (low.base.tolist(), low.y.tolist()) == ([0, 0], [1, 2])
    assert (high.base.tolist(), high.y.tolist()) == ([1, 2], [11, 22])


def test_a_band_lies_between_its_edges_and_hover_is_not_drawn() -> None:
    table = rows(OF, 1)
    table["mm.scan_period_ms"] = [[400, 5000]]
    edges = [
        Series("least", "mm.scan_period_ms", style="band_low", reduce="min"),
        Series("most", "mm.scan_period_ms", style="band_high", reduce="max"),
        Series("told", "mm.scan_period_ms", style="hover", reduce="max"),
        Series("median", "mm.scan_period_ms", style="step", reduce="median"),
    ]
    low, high, median = chart_plot(chart(*edges, range="log"), table).curves
    assert (high.mark, high.base.tolist(), high.y.tolist()) == ("area", [400], [5000])
    assert low.mark == "line"
    assert median.mark == "step"


def test_ranges_references_and_words_are_kept() -> None:
    made = chart(references=(Reference("most", 5.0),), note="n", empty="e")
    plot = chart_plot(made, rows(OF, 0))
    assert (plot.levels[0].name, plot.levels[0].value) == ("most", 5.0)
    assert (plot.note, plot.empty, plot.y.log, plot.y.high) == ("n", "e", False, None)
    assert chart_plot(chart(range="percent"), rows(OF, 0)).y.high == 100.0
    log = chart_plot(chart(Series("x", "throughput"), range="log"), rows(OF, 2))
    assert log.y.log
    assert np.isnan(log.curves[0].y).all(), "0 has no place on a logarithmic axis"
    assert columns(OF)["row_bytes"] > 0
