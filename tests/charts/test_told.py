"""Figures beside a chart, of the range of time that it shows."""

import numpy as np
import pytest

from tests.charts.rows import columns, rows, shape
from tiering.charts.chart import Series, Told, told_json
from tiering.charts.evaluate import figures, one_series, spread

INTERVAL = Told("i", "spread", Series("", "mm.scan_interval_ms"), "mm.nr_visits")


def test_a_spread_takes_a_value_each_time_its_counter_rises() -> None:
    made = rows(shape("a", "b"), 4)
    made["mm.scan_interval_ms"] = [[0, 0], [500, 0], [500, 700], [900, 700]]
    made["mm.nr_visits"] = [[1, 0], [2, 1], [2, 2], [4, 2]]
    found = figures(INTERVAL, made, 0.0, 1.0)
    assert found == {"nr": 4, "min": 500, "mean": 750, "p99": 900, "max": 900}


def test_figures_are_those_of_the_time_that_is_shown() -> None:
    made = rows(shape(), 4)
    made["mm.scan_interval_ms"] = [[100], [200], [300], [400]]
    made["mm.nr_visits"] = [[1], [2], [3], [4]]
    assert figures(INTERVAL, made, 0.1, 0.3)["mean"] == 250
    assert figures(INTERVAL, made, 0.4, 9.0) == {}


def test_the_99th_percentile_is_not_exceeded_by_99_of_100() -> None:
    assert spread([[(float(n), 1)] for n in range(1, 101)])["p99"] == 99
    assert spread([[(1.0, 99), (50.0, 1)]])["p99"] == 1
    assert spread([[(1.0, 98), (50.0, 2)]])["p99"] == 50


def test_a_share_is_of_two_rises() -> None:
    late = Series("", "mm.missed_deadlines", reduce="sum")
    told = Told("missed", "share", late, over=Series("", "mm.nr_visits", reduce="sum"))
    made = rows(shape("a", "b"), 3)
    made["mm.nr_visits"] = [[10, 10], [20, 20], [30, 30]]
    made["mm.missed_deadlines"] = [[5, 0], [6, 4], [6, 4]]
    assert figures(told, made, 0.1, 0.2) == {"value": 25.0}
    assert figures(told, made, 0.3, 0.4) == {}, "nobody was visited"


def test_the_largest_value_and_the_rise_of_a_counter() -> None:
    made = rows(shape(), 3)
    made["migrate_pinned"] = [2, 5, 11]
    made["mm.longest_visit_ms"] = [[3], [9], [9]]
    assert figures(Told("p", "rise", Series("", "migrate_pinned")), made, 0.1, 0.3) == {"value": 9}
    assert figures(Told("p", "rise", Series("", "migrate_pinned")), made, 0.0, 0.3) == {"value": 11}
    longest = Told("l", "top", Series("", "mm.longest_visit_ms", reduce="max"))
    assert figures(longest, made, 0.0, 0.1) == {"value": 3}


def test_a_counter_of_another_shape_is_an_error() -> None:
    with pytest.raises(ValueError, match="has not the shape"):
        told_json(Told("x", "spread", Series("", "mm.full_scan_ms"), "accesses"), columns(shape()))


def test_a_rate_is_the_rise_since_the_row_before_per_second() -> None:
    made = rows(shape(), 3)
    made["numa_hint_faults"] = [5, 5, 25]
    found = one_series(Series("f", "numa_hint_faults", per_s=True), made)
    assert found == pytest.approx([50, 0, 200])


def test_what_is_held_goes_on_until_there_is_another_value() -> None:
    made = rows(shape(), 5)
    made["precision"] = [np.nan, 0.5, np.nan, np.nan, 1.0]
    found = one_series(Series("p", "precision", scale=100.0, hold=True), made)
    assert np.isnan(found[0])
    assert found[1:].tolist() == [50, 50, 50, 100]


def test_members_alone_are_reduced_and_what_has_no_value_is_left_out() -> None:
    made = rows(shape("a", "b", "c"), 2)
    made["mm.slowdown"] = [[1, 5, 3], [np.nan, 5, 3]]
    line = Series("m", "mm.slowdown", reduce="mean", members=(0, 2))
    assert one_series(line, made).tolist() == [2, 3]
