"""Engine and naive twin: promotion and demotion in closed loop, by both ways to tell who is old."""

from functools import cache
from typing import Any

import pytest

from tests.naive.twin import Wrong
from tests.simulation.test_twin import KNOBS
from tests.simulation.twins import CXL, DRAM, FILLER, Pair, app, filler, host

HOT = {"size_mib": 0.75, "pattern": "hot_set", "hot_set": {"hot_size_pct": 25.0}}
WINDOW = {"hot_size_pct": 25.0, "step_pct": 12.5, "phase_accesses": 300.0}
MOVING = {"size_mib": 0.75, "pattern": "moving_hot_set", "moving_hot_set": WINDOW}
STILL = {"pattern": "sequential", "sequential": {"burst": 4096}}  # one page in all of the run
QUIET = FILLER | {"vmas": [STILL | {"size_mib": 0.5, "node": "DRAM"}]}
DEMOTING = {
    "reclaim__demotion_enabled": True,
    "reclaim__min_free_kbytes": 128,
    "reclaim__watermark_scale_factor": 300,
}
LONG = {
    "phases": {"hot_size_pct": 12.5, "phase_accesses": 150.0},
    "growing": {"step_accesses": 70.0, "steps": 12},
}
FIGURES = [
    "pgpromote_success", "pgdemote_kswapd", "reclaim_scanned", "demote_untouched", "ping_pong",
    "untouched", "hit_share",
]  # fmt: skip


@cache
def loop(lru: str, pattern: str) -> Pair:
    """What is promoted pushes out what was: a hot set, or a window that moves on once a second."""
    vma = HOT if pattern == "hot_set" else MOVING
    return Pair(host(filler(0.5), app(5e6, vma), reclaim__lru=lru, **DEMOTING))


LRUS = ["active_inactive", "mglru"]


@pytest.mark.parametrize("pattern", ["hot_set", "moving_hot_set"])
@pytest.mark.parametrize("lru", LRUS)
def test_promotion_and_demotion_agree_in_closed_loop(lru: str, pattern: str) -> None:
    loop(lru, pattern).check(*FIGURES, "recall")
    assert loop(lru, pattern).fast["pgdemote_kswapd"].min() > 100


@pytest.mark.parametrize("pattern", sorted(set(KNOBS) - {"hot_set", "moving_hot_set"}))
@pytest.mark.parametrize("lru", LRUS)
def test_every_other_pattern_agrees_in_closed_loop(lru: str, pattern: str) -> None:
    vma = {"size_mib": 0.75, "pattern": pattern, pattern: LONG.get(pattern, {})}
    pair = Pair(host(filler(0.5), app(5e6, vma), reclaim__lru=lru, **DEMOTING), runs=30)
    pair.check("pgpromote_success", "pgdemote_kswapd", "reclaim_scanned", "untouched", "recall")


@pytest.mark.parametrize("lru", LRUS)
def test_a_migration_thread_and_kswapd_agree_in_closed_loop(lru: str) -> None:
    thread = {"migration__owner": "thread", "migration__batch_nr": 8, "reclaim__lru": lru}
    pair = Pair(host(filler(0.5), app(3e6, HOT), **thread, **DEMOTING), runs=40)
    pair.check("pgpromote_success", "pgdemote_kswapd", "reclaim_scanned", "untouched", "hit_share")


@pytest.mark.parametrize("lru", LRUS)
@pytest.mark.parametrize(("stride", "burst", "think_ns"), [(7, 3, 2e6), (13, 1, 1e6)])
def test_a_sweep_in_closed_loop_is_the_same_to_the_last_demotion(
    lru: str, stride: int, burst: int, think_ns: float
) -> None:
    """All touch times are known, so everything that follows from them must be equal."""
    sweep = {"pattern": "sequential", "sequential": {"stride_pages": stride, "burst": burst}}
    process = app(think_ns, sweep | {"size_mib": 0.75})
    scenario = host(QUIET, process, reclaim__lru=lru, **DEMOTING)
    assert Pair(scenario).equal()["pgdemote_kswapd"] > 250


@pytest.mark.parametrize("lru", LRUS)
def test_the_comparison_tells_a_demotion_that_ignores_the_accessed_bit(lru: str) -> None:
    loop(lru, "moving_hot_set").differs(Wrong(ignorant=True), "reclaim_scanned")


@pytest.mark.parametrize("lru", LRUS)
def test_the_comparison_tells_a_hand_that_never_moves(lru: str) -> None:
    loop(lru, "hot_set").differs(Wrong(stuck=True), "pgdemote_kswapd")


def test_a_process_runs_faster_as_its_memory_rises() -> None:
    """Latency is all of an access, ten times as long on CXL, so touches follow placement."""
    nodes = [DRAM | {"latency_ns": 1e4}, CXL | {"latency_ns": 1e5}]
    process = app(0.0, HOT, mlp=0.02)
    pair = Pair(host(filler(0.5), process, nodes=nodes, **DEMOTING), runs=40)
    pair.check(*FIGURES[:4], "accesses")


def test_a_thread_that_tests_high_never_wakes_kswapd() -> None:
    changes = {"migration__owner": "thread", "migration__reserve": "high"}
    pair = Pair(host(filler(0.5), app(5e6, HOT), **changes, **DEMOTING), runs=40)
    pair.check("migrate_no_room", "untouched", "hit_share")


def test_the_head_room_of_tpp_agrees() -> None:
    changes = {"reclaim__tiering_mode": True, "reclaim__demote_scale_factor": 1000}
    pair = Pair(host(filler(0.5), app(5e6, HOT), **changes, **DEMOTING), runs=40)
    pair.check(*FIGURES)


@pytest.mark.parametrize("lru", LRUS)
def test_what_sinks_from_a_middle_tier_agrees(lru: str) -> None:
    """Two kswapds; the far node takes what the middle one, on which a process grows, has no room
    for."""
    far = {"name": "FAR", "tier": 2, "capacity_mib": 16, "latency_ns": 900.0}
    nodes = [DRAM, CXL | {"capacity_mib": 1}, far]
    growing = {"step_accesses": 40.0, "steps": 12}
    old = app(1e7, {"size_mib": 0.5, "pattern": "growing", "growing": growing}, name="old")
    process = app(5e6, HOT)
    scenario = host(filler(0.75), old, process, nodes=nodes, reclaim__lru=lru, **DEMOTING)
    pair = Pair(scenario, runs=40)
    pair.check(*FIGURES[:-1], "free_2")
    assert pair.fast["free_2"].max() < 16 * 256, "some came to the far node"


@pytest.mark.parametrize("lru", LRUS)
def test_pinned_folios_and_page_cache_sink_as_they_do_in_the_twin(lru: str) -> None:
    """A file that is read and never mapped, folios that cannot move, and large ones."""
    read = {"size_mib": 0.5, "kind": "page_cache", "node": "DRAM", "share_pct": 60.0}
    pinned = HOT | {"pinned_pct": 25.0, "share_pct": 30.0}
    large: dict[str, Any] = {"size_mib": 2.0, "order": 4, "node": "DRAM", "share_pct": 10.0}
    nodes = [DRAM | {"capacity_mib": 3}, CXL]
    process = app(5e6, read, pinned, large)
    pair = Pair(host(filler(0.25), process, nodes=nodes, reclaim__lru=lru, **DEMOTING), runs=40)
    pair.check("pgpromote_success", "pgdemote_kswapd", "migrate_pinned", "reclaim_scanned")
