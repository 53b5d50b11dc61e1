"""What each chart of the Lab draws, and what it says when there is nothing to draw."""

import numpy as np
import pytest

from tests.charts.rows import CXL, DRAM, NODES, SCANS, SomeNode, columns, rows, shape
from tests.charts.setting import setting
from tiering.charts.access_mix import access_mix
from tiering.charts.colours import shade, tier_colour
from tiering.charts.evaluate import evaluate
from tiering.charts.occupancy import node_occupancy
from tiering.charts.promotion import promotion_rate
from tiering.charts.scan_deadline import scan_deadline
from tiering.charts.scan_period import scan_period


def test_occupancy_stacks_the_top_tier_below_the_rest() -> None:
    chart = node_occupancy(columns(shape("a", "b")), setting(nodes=[CXL, DRAM]))
    assert [s.name for s in chart.series] == ["DRAM a", "DRAM b", "CXL a", "CXL b"]
    assert chart.series[0].colour == tier_colour(0)
    assert chart.series[2].colour == tier_colour(1)


def test_occupancy_is_in_gib_and_adds_up() -> None:
    of = shape("a", "b")
    made = rows(of, 1)
    made["mm_node.resident_mib"] = [[[1024, 512], [256, 256]]]
    values = evaluate(node_occupancy(columns(of), setting()), made)
    assert values["DRAM a"][0] == 1
    assert sum(values[s][0] for s in ("DRAM a", "DRAM b", "CXL a", "CXL b")) == 2


def test_occupancy_draws_the_capacity_of_the_top_tier() -> None:
    lines = node_occupancy(columns(shape()), setting()).references
    assert [(line.name, line.value) for line in lines] == [("DRAM capacity", 4.0)]


def test_many_processes_become_one_area_per_node() -> None:
    chart = node_occupancy(columns(shape(*(f"p{i}" for i in range(9)))), setting())
    assert [s.name for s in chart.series] == ["DRAM", "CXL"]
    assert "9 processes" in chart.note


def test_the_period_has_a_step_per_mm() -> None:
    chart = scan_period(columns(shape("a", "b")), setting())
    assert [s.name for s in chart.series] == ["a", "b"]
    assert chart.range == "log"
    assert [line.value for line in chart.references] == [400, 5000]


def test_of_tasks_that_mark_the_wanted_period_alone_is_drawn() -> None:
    marks = {"hint_fault.scan_period_min_ms": 1000}
    assert [s.name for s in scan_period(columns(shape("a", "b")), setting(marks)).series] == [
        "a",
        "b",
    ]
    assert [s.name for s in scan_period(columns(shape("a")), setting(marks)).series] == [
        "wanted period"
    ]
    many = scan_period(columns(shape(*(f"p{i}" for i in range(9)))), setting(marks))
    assert "median measured" not in [s.name for s in many.series]
    assert many.references == ()
    assert many.empty == ""


def test_the_same_process_has_one_colour() -> None:
    series = scan_period(columns(shape("a", "b")), setting()).series
    deadline = scan_deadline(columns(shape("a", "b")), setting()).series
    assert [s.name for s in deadline] == ["a measured", "b measured", "a wanted", "b wanted"]
    assert series[0].colour == deadline[0].colour == deadline[2].colour != series[1].colour


def test_many_mms_become_a_band_and_the_first_few() -> None:
    of = shape(*(f"p{i}" for i in range(1000)))
    made = rows(of, 1)
    made["mm.scan_period_ms"] = np.arange(1000) + 1
    chart = scan_period(columns(of), setting())
    values = evaluate(chart, made)
    assert [values[s][0] for s in ("10 %", "median", "90 %")] == pytest.approx(
        [100.9, 500.5, 900.1]
    )
    assert [s.name for s in chart.series[-3:]] == ["p0", "p1", "p2"]
    assert "1000 mms" in chart.note


def test_a_physical_scan_has_its_lines_per_slow_node() -> None:
    of, physical = shape("a", "b"), SCANS | {"pte_scan.walk": "physical"}
    made = rows(of, 1)
    made["node.scan_period_ms"] = [[0, 700]]
    made["mm.scan_period_ms"] = 0
    chart = scan_period(columns(of), setting(physical))
    assert chart.title == "Scan period per node"
    assert [s.name for s in chart.series] == ["wanted period"]
    assert evaluate(chart, made)["wanted period"][0] == 700
    two = scan_period(columns(of), setting(physical, nodes=[*NODES, SomeNode("CXL1", 1, 4096)]))
    assert [s.name for s in two.series] == ["CXL", "CXL1"]


@pytest.mark.parametrize("chart", [scan_period, promotion_rate])
def test_without_a_kernel_thread_a_chart_says_why_it_is_empty(chart) -> None:  # type: ignore[no-untyped-def]
    made = chart(columns(shape(threads=())), setting({"machine.tlb_entries": 1}))
    assert made.series == ()
    assert made.empty.startswith("No ")


def test_failures_are_told_beside_the_promotion_rate() -> None:
    chart = promotion_rate(columns(shape()), setting())
    told = {s.field for s in chart.series if s.style == "hover"}
    assert told == {"pgmigrate_fail"}
    assert "migrate_no_room" in [one.series.field for one in chart.told]


def test_the_access_mix_stacks_to_the_whole_and_draws_the_ceiling() -> None:
    made = rows(shape(), 1)
    made["node.access_share"] = [[0.25, 0.75]]
    made["oracle_share"] = 0.9
    chart = access_mix(columns(shape()), NODES)
    values = evaluate(chart, made)
    assert values["DRAM"] + values["CXL"] == 100
    assert values["oracle, top tier"] == 90
    assert chart.range == "percent"


def test_two_nodes_of_a_tier_are_shades_of_one_colour() -> None:
    nodes = [DRAM, SomeNode("DRAM1", 0, 4096)]
    series = access_mix(columns(shape()), nodes).series
    assert series[0].colour == tier_colour(0)
    assert series[1].colour == shade(tier_colour(0), 1, 2) != tier_colour(0)


def test_nodes_that_are_not_those_of_the_rows_are_an_error() -> None:
    with pytest.raises(ValueError, match="rows have 2 nodes, the scenario has 1"):
        access_mix(columns(shape()), [DRAM])


def test_shades_stay_colours() -> None:
    made = [shade("#2b7bba", nr, 8) for nr in range(8)]
    assert made[0] == "#2b7bba"
    assert len(set(made)) == 8
    assert all(len(colour) == 7 and int(colour[1:], 16) <= 0xFFFFFF for colour in made)
