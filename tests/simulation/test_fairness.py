"""Slowdown of a process and Jain's index, worked by hand."""

from typing import Any

import numpy as np
import pytest

from tests.simulation.scenarios import composed, finished
from tiering.simulation.fairness import jain, slowdowns
from tiering.simulation.loop import Simulation
from tiering.simulation.outcome import metrics

QUIET: dict[str, Any] = {"preset": "none", "until_s": 1.0, "machine__fault_us": 0.0}


def heap(node: str) -> list[dict[str, Any]]:
    return [{"name": "heap", "size_mib": 8.0, "node": node, "pattern": "uniform"}]


def run(processes: list[dict[str, Any]], **changes: Any) -> Simulation:
    """Nodes of 100 and 250 ns, 1,000 GB/s, so that load is next to nothing; 750 ns to think."""
    simulation, *_ = finished(composed(processes, **(QUIET | changes)))
    return simulation


@pytest.mark.parametrize(
    ("speeds", "index"),
    [
        ([1.0], 1.0),
        ([1.0, 1.0, 1.0, 1.0], 1.0),
        ([1.0, 0.5], 1.5**2 / (2 * 1.25)),
        ([1.0, 1e-12], 0.5),
    ],
)
def test_the_index_is_one_for_equals_and_one_over_n_for_one_that_has_all(
    speeds: list[float], index: float
) -> None:
    assert jain(1.0 / np.array(speeds)) == pytest.approx(index)


def test_processes_that_made_no_access_do_not_count() -> None:
    assert jain(np.array([1.0, np.nan])) == 1.0
    assert jain(np.array([np.nan])) is None


def test_a_process_on_the_slow_node_is_slower_by_its_latency() -> None:
    simulation = run([{"vmas": heap("DRAM")}, {"name": "far", "vmas": heap("CXL")}])
    assert slowdowns(simulation) == pytest.approx([1.0, (750 + 250) / (750 + 100)], rel=1e-3)
    figures = metrics(simulation)
    assert list(figures["mm_slowdown"]) == ["app", "far"]
    assert "classes" not in figures


def test_only_the_time_of_its_lives_and_its_work_counts() -> None:
    lives = {"name": "short", "start_s": 0.1, "lifetime_s": 0.2, "every_s": 0.4}
    workers = [
        {"name": f"for-{work}", "work_accesses": float(work)} for work in (100_000, 1_000_000)
    ]
    simulation = run([one | {"vmas": heap("DRAM")} for one in (lives, *workers)] + [LATE])
    assert slowdowns(simulation)[:3] == pytest.approx([1.0, 1.0, 1.0], rel=1e-3)
    assert np.isnan(slowdowns(simulation)[3])
    assert metrics(simulation)["mm_slowdown"]["late"] is None


LATE: dict[str, Any] = {"name": "late", "start_s": 5.0, "vmas": heap("DRAM")}


def test_figures_by_class_add_up_what_its_processes_hold() -> None:
    near = {"name": "near", "class": "latency_critical", "count": 2, "vmas": heap("DRAM")}
    simulation = run([near, {"name": "far", "vmas": heap("CXL")}])
    by_class = metrics(simulation)["classes"]
    assert by_class["latency_critical"]["processes"] == 2
    assert by_class["latency_critical"]["top_tier_mib"] == 16.0
    assert by_class["default"]["top_tier_mib"] == 0.0
    assert by_class["default"]["mean_slowdown"] == pytest.approx(1000 / 850, rel=1e-3)


def test_ptes_are_counted_against_promotions_that_were_touched() -> None:
    """Every folio is promoted and touched again: as many scans as PTEs looked at, divided by it."""
    simulation = run(
        [{"vmas": heap("CXL")}], preset="kmmscand_v0", pte_scan__scan_delay_ms=0,
        pte_scan__scan_period_ms=100, until_s=2.0,
    )  # fmt: skip
    figures = metrics(simulation)
    useful = 2048 * (1 - figures["promoted_untouched_share"])
    assert figures["promoted_mib"] == 8.0
    assert figures["scans_per_useful_promotion"] == pytest.approx(figures["nr_scanned"] / useful)
