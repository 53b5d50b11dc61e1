"""DAMON and DAMOS in whole runs: who moves, who pays, what never rests, what is counted."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.simulation.scenarios import composed, finished, tiny
from tests.simulation.test_checkpoint import Told
from tiering.engine.folios import GRANULE
from tiering.hotness.damon_regions import DamonRegions
from tiering.simulation.checkpoint import restore, save
from tiering.simulation.footprint import footprint
from tiering.simulation.kdamond import KdamondThread
from tiering.simulation.loop import Simulation
from tiering.simulation.scenario import Scenario
from tiering.simulation.threads import thread_names

MIB = 2**20
NODES: list[dict[str, Any]] = [
    {"name": "DRAM", "tier": 0, "capacity_mib": 64},
    {"name": "CXL", "tier": 1, "capacity_mib": 256, "latency_ns": 250.0},
]
HEAT: dict[str, Any] = {"pattern": "gaussian", "gaussian": {"mean_pct": 70.0}}


def exchanging(until_s: float = 60.0, **changes: Any) -> Scenario:
    """160 MiB on CXL with their heat in one place; quotas of 8 MiB a second."""
    app = {"threads": 2, "think_ns": 750.0, "vmas": [{"size_mib": 160.0, "node": "CXL"} | HEAT]}
    quotas = {f"damos_migrate_{one}__quota_mib": 8 for one in ("hot", "cold")}
    settings = {"preset": "damon_mtier", "damon__tuned_apply": "as_intended"}
    settings["migration__reserve"] = "none"  # min is more than the goal of a node that small
    return composed([app], NODES, until_s=until_s, **settings | quotas | changes)


def test_the_two_schemes_of_mtier_never_both_rest() -> None:
    """Once both quotas have grown, some pages rise and some sink every twenty seconds."""
    simulation, rows, _ = finished(exchanging(130.0))
    assert thread_names(simulation.scenario) == ("kdamond/0", "kdamond/1")
    at = [int(np.searchsorted(rows["time_ns"], s * 1e9)) for s in range(70, 130, 20)]
    at.append(len(rows) - 1)
    for name in ("pgpromote_success", "pgdemote_damon"):
        assert (np.diff(rows[name][at]) > 0).all(), name
    used = rows["node.resident_mib"][at[0] :, 0] / 64
    assert 0.99 < used.min() <= used.max() <= 1.0
    moved = rows["pgpromote_success"][-1] - rows["pgpromote_success"][at[0]]
    assert moved < 60 * 8 * 256 // 50, "slowly"
    assert (rows["top_tier_share"][at[0] :] > 0.98).all()


def test_books_of_the_schemes_agree_with_what_moved() -> None:
    simulation, rows, _ = finished(exchanging(90.0))
    counters = simulation.result()["counters"]
    assert counters["damos_hot_sz_applied"] == counters["pgpromote_success"] * 4096
    assert counters["damos_cold_sz_applied"] == counters["pgdemote_damon"] * 4096
    assert counters["pgdemote_kswapd"] == counters["pgdemote_direct"] == 0
    for scheme in ("hot", "cold"):
        tried = counters[f"damos_{scheme}_sz_tried"]
        assert 0 < counters[f"damos_{scheme}_sz_applied"] <= tried
        assert tried <= 90 * 8 * MIB
        assert 0 < counters[f"damos_{scheme}_nr_applied"] <= counters[f"damos_{scheme}_nr_tried"]
    sank = counters["pgdemote_damon"]
    assert counters["pgpromote_success"] - sank == rows["node.resident_mib"][-1, 0] * 256
    assert rows["thread.nr_regions"].max() <= 1000
    assert rows["thread.sample_ms"].min() >= 5
    assert rows["damos_hot_effective_bytes"].max() == 8 * MIB


def test_as_posted_no_scheme_is_applied_while_the_tuning_is_quicker_than_a_second() -> None:
    """Everything is touched all the time: samples stay at 5 ms, and steps come every 300 ms."""
    changes = {"processes__0__think_ns": 0.0, "processes__0__vmas__0__pattern": "uniform"}
    posted, rows, _ = finished(exchanging(10.0, damon__tuned_apply="as_posted", **changes))
    assert posted.result()["counters"]["damos_hot_nr_tried"] == 0
    assert (rows["thread.sample_ms"][:, 0] == 5).all()
    meant, _, _ = finished(exchanging(10.0, **changes))
    assert meant.result()["counters"]["damos_hot_nr_tried"] > 0


def test_a_kdamond_pays_for_samples_filters_and_migration() -> None:
    free = {
        "damon__paddr_check_ns": 0.0, "damos_migrate_hot__filter_ns": 0.0,
        "migration__batch_us": 0.0, "migration__folio_us": 0.0, "migration__copy_gb_s": 4.096,
    }  # fmt: skip
    simulation, rows, _ = finished(exchanging(40.0, **free))
    rose = simulation.result()["counters"]["pgpromote_success"]
    busy = rows["thread.busy_ns"][-1]
    assert rose > 1000
    assert busy[0] == pytest.approx(rose * 1000, rel=0.02), "a microsecond a copy, and no more"


def test_both_schemes_of_an_address_space_are_applied_by_one_kdamond() -> None:
    changes = {f"damos_migrate_{scheme}__goal": "none" for scheme in ("hot", "cold")}
    changes["processes__0__vmas__0__node"] = "first_touch"  # DRAM is filled first, with cold pages
    simulation, _, _ = finished(exchanging(20.0, damon__operations="vaddr", **changes))
    assert thread_names(simulation.scenario) == ("kdamond",)
    counters = simulation.result()["counters"]
    assert counters["pgpromote_success"] > 0
    assert counters["pgdemote_damon"] > 0


def test_hotness_shows_the_regions_of_each_kdamond() -> None:
    simulation, _, _ = finished(exchanging(20.0))
    hotness = simulation.filters.hotness
    assert isinstance(hotness, DamonRegions)
    assert len(hotness.regions) == 2
    shown = hotness.snapshot(0)
    assert shown[0].start == 0
    assert shown[-1].end == simulation.world.memory.nr.size * GRANULE
    assert all(left.end == right.start for left, right in itertools.pairwise(shown))
    assert max(region.nr_accesses for region in shown) > 0


def test_reports_of_damon_go_through_any_other_rooms() -> None:
    rooms = {"rooms__sources": ["damon"], "rooms__hotness": "last_report"}
    simulation, rows, _ = finished(
        tiny(**rooms, until_s=3.0, nodes__0__capacity_mib=256, damon__max_nr_regions=100)
    )
    assert 0 < rows["pgpromote_success"][-1] <= rows["damon_nr_checks"][-1]
    assert simulation.result()["metrics"]["recall"] is None


def test_knobs_of_monitoring_and_schemes_are_live() -> None:
    simulation = Simulation(exchanging(5.0), 1)
    simulation.next_block()
    for path, value in (
        ("damon.paddr_check_ns", 1000.0), ("damos_migrate_hot.quota_mib", 3),
        ("damos_migrate_cold.apply_interval_ms", 2000),
    ):  # fmt: skip
        assert simulation.set_knob(path, value)["value"] == value
    threads = [thread for thread in simulation.threads if isinstance(thread, KdamondThread)]
    assert threads[0].schemes[0].knobs.quota_mib == 3
    assert threads[1].schemes[0].knobs.apply_interval_ms == 2000


def test_processes_that_come_and_go_are_noticed_when_vaddr_looks() -> None:
    lives = {"start_s": 0.5, "lifetime_s": 1.0, "every_s": 2.0}
    app: dict[str, Any] = {"vmas": [{"size_mib": 32.0, "node": "CXL"}], "think_ns": 0.0}
    changes = {"preset": "damon_mtier", "damon__operations": "vaddr", "until_s": 6.0}
    _, rows, _ = finished(composed([app | lives], NODES, **changes, damon__update_ms=100))
    assert rows["thread.nr_regions"][rows["time_ns"] == 1.2e9, 0] > 0
    assert rows["thread.nr_regions"][rows["time_ns"] == 2e9, 0] == 0
    assert rows["thread.nr_regions"][rows["time_ns"] == 3.2e9, 0] > 0


def test_off_by_its_watermark_a_kdamond_does_not_sample() -> None:
    marks = {"watermarks": "free_mem_rate", "wmark_high": 100, "wmark_mid": 50}
    changes = {f"damos_migrate_{s}__{k}": v for s in ("hot", "cold") for k, v in marks.items()}
    simulation, _, _ = finished(exchanging(3.0, **changes))
    assert simulation.result()["counters"]["damon_nr_checks"] == 0, "half of all memory is free"


def test_host_memory_of_what_damon_remembers_is_counted() -> None:
    plain = footprint(tiny(preset="chmu", reclaim__demotion_enabled=True), {})
    needed = footprint(tiny(preset="damon_mtier"), {})
    assert needed.nr_bytes - plain.nr_bytes == needed.nr_granules * (652 + 2 * 8)


@pytest.mark.parametrize("operations", ["paddr", "vaddr"])
def test_a_run_stopped_at_every_block_says_the_same_bytes(operations: str, tmp_path: Path) -> None:
    """Applications of some ms a folio and migrations go on beyond the end of blocks."""
    scenario = exchanging(
        3.0, sample_ms=50, damon__operations=operations, damos_migrate_hot__apply_interval_ms=200,
        damos_migrate_hot__goal="none", damos_migrate_hot__filter_ns=20_000.0,
        damos_migrate_cold__goal="none", damos_migrate_cold__apply_interval_ms=200,
        migration__folio_us=20.0,
    )  # fmt: skip
    whole, parts = Told(), Told()
    end = whole.listen(Simulation(scenario, 1))
    simulation = Simulation(scenario, 1)
    applying = draining = 0
    while not simulation.done:
        parts.listen(simulation, simulation.time_ns / 1e9 + 0.05)
        threads = [thread for thread in simulation.threads if isinstance(thread, KdamondThread)]
        applying += any(thread.due for thread in threads)
        draining += len(simulation.queue) > 0
        save(simulation, tmp_path / "x")
        simulation = restore(tmp_path / "x")
    assert applying > 0
    assert draining > 0
    assert parts.rows == whole.rows
    assert parts.events == whole.events
    assert simulation.result() == end.result()


def test_the_preset_is_the_sample_module() -> None:
    """samples/damon/mtier.c, line by line."""
    scenario = tiny(preset="damon_mtier")
    one: Any = scenario
    damon, hot, cold = one.damon, one.damos_migrate_hot, one.damos_migrate_cold
    assert (damon.operations, damon.sample_us, damon.aggr_us) == ("paddr", 5000, 100_000)
    assert (damon.update_ms, damon.min_nr_regions, damon.max_nr_regions) == (60_000, 10, 1000)
    assert (damon.access_bp, damon.tune_aggrs) == (400, 3)
    assert (damon.min_sample_us, damon.max_sample_us) == (5000, 10_000_000)
    for scheme in (hot, cold):
        assert (scheme.apply_interval_ms, scheme.reset_interval_ms) == (1000, 1000)
        assert (scheme.quota_mib, scheme.quota_ms, scheme.goal_tuner) == (200, 0, "consist")
        assert (scheme.weight_nr_accesses, scheme.weight_age) == (100, 100)
        assert (scheme.min_size_kib, scheme.max_size_mib, scheme.min_age) == (4, 0, 0)
        assert scheme.watermarks == "none"
    assert (hot.min_nr_accesses, hot.young, hot.goal) == (1, "allow", "node_mem_used_bp")
    assert (cold.max_nr_accesses, cold.young, cold.goal) == (0, "reject", "node_mem_free_bp")
    assert (hot.goal_bp, cold.goal_bp) == (9970, 50)
