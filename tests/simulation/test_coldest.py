"""Pro-active demotion in whole runs."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.simulation.scenarios import composed, finished
from tests.simulation.test_random_scenarios import some_nodes, some_process
from tiering.simulation.checkpoint import restore, save
from tiering.simulation.coldest import ColdestThread
from tiering.simulation.load import ScenarioError, load_file
from tiering.simulation.loop import Simulation
from tiering.simulation.scenario import Scenario

NODES = [
    {"name": "DRAM", "tier": 0, "capacity_mib": 64},
    {"name": "CXL", "tier": 1, "capacity_mib": 256, "latency_ns": 250.0},
]
QUICK: dict[str, Any] = {
    "preset": "memtierd_age", "coldest_first__interval_ms": 500, "coldest_first__idle_ms": 1000,
    "coldest_first__rate_mib_s": 0, "pte_scan__scan_enabled": False, "until_s": 4.0,
}  # fmt: skip


def idle_and_busy(**changes: Any) -> Scenario:
    """40 MiB on DRAM of which nobody touches half, ever."""
    heap = {"size_mib": 40.0, "node": "DRAM", "pattern": "hot_set"}
    hot = {"hot_size_pct": 50.0, "hot_access_pct": 100.0, "layout": "contiguous"}
    return composed([{"vmas": [heap | {"hot_set": hot}]}], NODES, **QUICK | changes)


def test_what_nobody_touches_for_the_idle_time_sinks_in_the_walk_after_it() -> None:
    """Looked at first at 0.5 s, when nothing is known; idle for 1 s at the third look, 1.5 s."""
    simulation, rows, _ = finished(idle_and_busy())
    at = dict(zip((rows["time_ns"] // 10**6).tolist(), rows["pgdemote_proactive"], strict=True))
    assert (at[1500], at[1600]) == (0, 20 * 256)
    assert rows["pgdemote_proactive"][-1] == 20 * 256
    assert rows["pgdemote_kswapd"][-1] == rows["pgdemote_direct"][-1] == 0
    assert simulation.shape.threads == ("memtierd", "coldest0", "migration")
    assert rows["node.resident_mib"][-1].tolist() == [20.0, 20.0]


def test_a_walk_costs_a_look_at_every_folio_of_the_node() -> None:
    simulation, _, _ = finished(idle_and_busy(until_s=1.4, coldest_first__look_ns=1000.0))
    thread = simulation.threads[-1]
    assert isinstance(thread, ColdestThread)
    assert thread.busy_ns == 2 * 40 * 256 * 1000


def test_with_a_small_head_room_no_more_sinks_than_it_takes() -> None:
    """24 of 64 MiB are free; half are 8 MiB more."""
    _, rows, _ = finished(idle_and_busy(coldest_first__head_room_pct=50.0))
    assert rows["pgdemote_proactive"][-1] == 8 * 256
    _, rows, _ = finished(idle_and_busy(coldest_first__head_room_pct=30.0))
    assert rows["pgdemote_proactive"][-1] == 0


def test_o6_no_more_sinks_in_a_second_than_its_limit() -> None:
    _, rows, _ = finished(idle_and_busy(coldest_first__rate_mib_s=4, until_s=8.0))
    by_second = rows[rows["time_ns"] % 10**9 == 0]["pgdemote_proactive"]
    assert (np.diff(by_second) <= 4 * 256 + 8192).all(), "a granule's folios sink at once"
    assert rows["pgdemote_proactive"][-1] == 20 * 256
    reached = rows["time_ns"][np.argmax(rows["pgdemote_proactive"] > 0)]
    assert reached >= 1500 * 10**6


def test_live_knobs_reach_the_thread() -> None:
    simulation = Simulation(idle_and_busy(coldest_first__idle_ms=60_000), 1)
    while simulation.time_ns < 2 * 10**9:
        simulation.next_block()
    assert simulation.coldest is not None
    assert simulation.coldest.pages[0] == 0
    simulation.set_knob("coldest_first.idle_ms", 500)
    while not simulation.done:
        simulation.next_block()
    assert simulation.coldest.pages[0] == 20 * 256


@pytest.mark.parametrize("preset", ["memtierd_age", "hemem"])
def test_a_run_stopped_at_every_second_says_the_same_bytes(preset: str, tmp_path: Path) -> None:
    hot = {"size_mib": 40.0, "node": "CXL", "pattern": "hot_set"}
    old = {"name": "old", "think_ns": 1e8, "vmas": [{"size_mib": 40.0, "node": "DRAM"}]}
    changes: dict[str, Any] = {
        "pte_scan__scan_enabled": True, "pte_scan__scan_period_ms": 400, "sample_ms": 500,
        "pte_scan__scan_period_min_ms": 400, "pte_scan__scan_period_max_ms": 400,
        "two_windows__window_ms": 450, "hw_sample__sample_period": 500, "preset": preset,
        "coldest_first__rate_mib_s": 8,
    }  # fmt: skip
    scenario = composed([{"vmas": [hot]}, old], NODES, **QUICK | changes)
    whole, parts = Simulation(scenario, 1), Simulation(scenario, 1)
    said, again = b"", b""
    while not whole.done:
        said += whole.next_block().rows
    file = tmp_path / "run.checkpoint"
    while not parts.done:
        again += parts.next_block().rows
        save(parts, file)
        parts = restore(file)
    assert again == said
    assert whole.result() == parts.result()
    assert whole.queue.counters["pgpromote_success"] > 0
    assert (whole.coldest is not None and whole.coldest.pages[0] > 0) == (preset != "hemem")


def test_whatever_machine_it_runs_on_the_books_balance() -> None:
    ran = 0
    for seed in range(30):
        one = random.Random(seed)
        nodes = some_nodes(one)
        names = [node["name"] for node in nodes]
        processes = [some_process(one, nr, names) for nr in range(one.randint(1, 3))]
        processes[0]["think_ns"] = 1e8
        changes: dict[str, Any] = QUICK | {
            "pte_scan__scan_enabled": True, "pte_scan__scan_period_ms": 50,
            "pte_scan__scan_period_min_ms": 50, "pte_scan__scan_period_max_ms": 50,
            "two_windows__window_ms": 100, "coldest_first__interval_ms": 100, "until_s": 0.8,
            "coldest_first__idle_ms": one.choice([100, 200]),
            "coldest_first__head_room_pct": one.choice([20.0, 100.0]),
            "coldest_first__rate_mib_s": one.choice([0, 10]),
            "reclaim__demotion_enabled": one.choice([False, True]),
        }  # fmt: skip
        try:
            simulation, rows, _ = finished(composed(processes, nodes, **changes), seed)
        except ScenarioError:  # it does not fit
            continue
        ran += int(rows["pgdemote_proactive"][-1] > 0)
        late = [t.clock for t in simulation.threads if not t.draining]
        assert all(clock >= simulation.time_ns - 10**7 for clock in late), "no thread lags behind"
    assert ran > 5


def result_of(name: str, **changes: Any) -> dict[str, Any]:
    simulation = Simulation(load_file(name, changes), 1)
    while not simulation.done:
        simulation.next_block()
    return simulation.result()


def test_a_daemon_by_age_has_the_hot_set_in_place_within_half_a_minute() -> None:
    daemon = result_of("daemon-by-age")
    found = daemon["metrics"]
    assert found["top_tier_share"] > 0.98 * found["oracle_share"]
    assert 10.0 < found["time_to_90_s"] < 35.0
    assert daemon["counters"]["pgdemote_proactive"] > 800 * 256
    alone = result_of("daemon-by-age", preset="kscand_v3")["metrics"]
    assert alone["top_tier_share"] < 0.5 * alone["oracle_share"], "nobody makes room"


def test_eight_samples_move_a_fraction_of_what_one_does_and_serve_more() -> None:
    counted = result_of("counted-samples")["metrics"]
    first = result_of("counted-samples", preset="hw_sample")["metrics"]
    assert counted["promoted_mib"] < 0.3 * first["promoted_mib"]
    assert counted["top_tier_share"] > 0.95 * counted["oracle_share"]
    assert first["top_tier_share"] < 0.9 * first["oracle_share"]
