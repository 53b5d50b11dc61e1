"""Deadlines, latency, threads, queue, accuracy, tenants and what sources count."""

import numpy as np
import pytest

from tests.charts.rows import columns, rows, shape
from tests.charts.setting import setting
from tiering.charts.accuracy import hotness_accuracy
from tiering.charts.chart import as_json
from tiering.charts.colours import process_colour
from tiering.charts.evaluate import evaluate, figures
from tiering.charts.latency import latency
from tiering.charts.occupancy import node_occupancy
from tiering.charts.promotion import promotion_rate
from tiering.charts.scan_deadline import scan_deadline
from tiering.charts.scan_period import scan_period, scan_size
from tiering.charts.source_counts import source_counts
from tiering.charts.table import lab_charts
from tiering.charts.tenants import tenants
from tiering.charts.threads import kernel_threads, migration_queue

NOTHING = {"machine.tlb_entries": 1}


def names(count: int) -> tuple[str, ...]:
    return tuple(f"p{nr}" for nr in range(count))


def test_the_deadline_of_one_mm_has_wanted_measured_and_full_scan() -> None:
    chart = scan_deadline(columns(shape()), setting())
    assert [s.name for s in chart.series] == ["measured interval", "wanted period", "full scan"]
    assert [one.how for one in chart.told[:3]] == ["spread"] * 3


@pytest.mark.parametrize("make", [scan_period, scan_deadline, tenants, scan_size])
def test_above_eight_mms_there_is_a_band_and_what_was_picked(make) -> None:  # type: ignore[no-untyped-def]
    few = make(columns(shape(*names(8))), setting())
    assert not any(s.style.startswith("band") for s in few.series)
    many = make(columns(shape(*names(9))), setting(picked=(7, 2)))
    assert [s.style for s in many.series[:2]] == ["band_low", "band_high"]
    assert [(s.picked, s.index) for s in many.series if s.picked >= 0] == [(0, (7,)), (1, (2,))]
    assert many.note == "9 mms: band of the middle 80 %, median, and those picked"


def test_a_picked_mm_can_be_told_from_its_json() -> None:
    of = columns(shape(*names(9)))
    told = as_json(scan_period(of, setting(picked=(4,))), of)["series"][-1]
    assert (told["picked"], told["mm"], told["stride"]) == (0, 4, 1)


def test_missed_deadlines_are_a_share_of_all_visits() -> None:
    made = rows(shape(), 2)
    made["mm.nr_visits"], made["mm.missed_deadlines"] = [[4], [8]], [[1], [2]]
    told = {one.name: one for one in scan_deadline(columns(shape()), setting()).told}
    assert figures(told["missed by more than a tenth"], made, 0.0, 1.0) == {"value": 25.0}
    assert figures(told["visits"], made, 0.0, 1.0) == {"value": 8}


def test_of_tasks_that_mark_the_full_scan_alone_is_known() -> None:
    chart = scan_deadline(columns(shape()), setting({"hint_fault.scan_period_min_ms": 1000}))
    assert [s.name for s in chart.series] == ["full scan"]
    assert [one.name for one in chart.told] == ["full scan"]


def test_a_size_without_effect_says_so() -> None:
    why = {"pte_scan.scan_size_mib": "No effect here: one VMA."}
    assert scan_size(columns(shape()), setting(notes=why)).note == "No effect here: one VMA."
    assert scan_size(columns(shape()), setting()).hidden


def test_watermarks_lie_below_the_capacity_of_the_top_tier() -> None:
    marks = [("low watermark", 512.0), ("high watermark", 1024.0)]
    lines = node_occupancy(columns(shape()), setting(watermarks=marks)).references
    assert [line.value for line in lines] == [4.0, 3.5, 3.0]


def test_a_rate_limit_is_drawn_and_follows_its_knob() -> None:
    knobs = {"migration.rate_limit_mib_s": 190}
    (limit,) = promotion_rate(columns(shape()), setting(knobs)).references
    assert (limit.value, limit.knob) == (190.0, "migration.rate_limit_mib_s")
    assert (
        promotion_rate(columns(shape()), setting({"migration.rate_limit_mib_s": 0})).references
        == ()
    )


def test_each_node_has_its_latency_and_its_bandwidth_in_use() -> None:
    made = rows(shape(), 1)
    made["node.latency_ns"], made["mean_latency_ns"] = [[90, 250]], 120
    made["node.utilisation"] = [[0.5, 0.25]]
    values = evaluate(latency(columns(shape()), setting()), made)
    assert (values["DRAM"][0], values["CXL"][0]) == (90, 250)
    assert values["CXL bandwidth in use"][0] == 25
    assert values["mean of all accesses"][0] == 120


def test_threads_are_drawn_one_by_one_up_to_eight() -> None:
    of = shape(threads=("a", "b"))
    made = rows(of, 1)
    made["thread.busy_share"] = [[0.25, 0.5]]
    values = evaluate(kernel_threads(columns(of), setting()), made)
    assert (values["a"][0], values["b"][0], values["all together"][0]) == (25, 50, 75)
    many = kernel_threads(columns(shape(threads=names(9))), setting())
    assert [s.name for s in many.series] == ["median", "busiest", "all together"]


def test_accuracy_holds_its_last_value_under_the_ceiling_of_the_oracle() -> None:
    made = rows(shape(), 2)
    made["precision"], made["recall"], made["oracle_share"] = [0.8, np.nan], np.nan, 0.9
    values = evaluate(hotness_accuracy(columns(shape()), setting()), made)
    assert values["precision"].tolist() == [80, 80]
    assert values["oracle"].tolist() == [90, 90]
    assert np.isnan(values["recall"]).all()


def test_processes_of_a_class_are_shades_of_its_colour_and_have_a_mean() -> None:
    of = shape("a", "b", "c")
    made = rows(of, 1)
    made["mm.slowdown"] = [[1, 2, 4]]
    classes = {"critical": (0,), "tolerant": (1, 2)}
    chart = tenants(columns(of), setting(classes=classes))
    values = evaluate(chart, made)
    assert (values["critical, mean"][0], values["tolerant, mean"][0]) == (1, 3)
    assert [s.colour for s in chart.series[:2]] == [process_colour(0), process_colour(1)]
    period = scan_period(columns(of), setting(classes=classes))
    assert [s.colour for s in period.series] == [s.colour for s in chart.series[:3]]


def test_each_source_tells_what_it_counts_and_loses() -> None:
    made = rows(shape(), 2)
    made["chmu_lost"] = [0, 30]
    chart = source_counts(columns(shape()), setting({"chmu.epoch_ms": 10}))
    assert [s.name for s in chart.series] == ["hot-list entries", "entries lost"]
    assert evaluate(chart, made)["entries lost"][1] == pytest.approx(0.3)
    damon = source_counts(columns(shape()), setting({"damon.x": 1}))
    assert "regions" in [s.name for s in damon.series]


def test_what_a_run_has_nothing_of_comes_last_and_says_why() -> None:
    of = columns(shape(threads=()))
    charts = lab_charts(of, setting(NOTHING, notices={}))
    empty = [bool(chart.empty) for chart in charts]
    assert empty == sorted(empty)
    told = {chart.id: chart.empty for chart in charts if chart.empty}
    assert set(told) == {
        "scan_period", "promotion", "scan_deadline", "threads", "queue", "accuracy", "source",
        "scan_size",
    }  # fmt: skip
    assert told["scan_period"].endswith("nobody notices touches.")
    assert all(chart.series == () for chart in charts if chart.empty)


def test_a_run_without_periods_says_who_notices_touches() -> None:
    made = setting({"chmu.epoch_ms": 10}, notices={"chmu": "the device counts accesses"})
    assert scan_period(columns(shape()), made).empty == (
        "No thread scans with a period in this run: the device counts accesses."
    )


def test_every_chart_asks_a_question_and_has_a_unit() -> None:
    for chart in lab_charts(columns(shape()), setting()):
        assert chart.question.endswith("?")
        assert chart.unit
    assert migration_queue(columns(shape()), setting()).series
