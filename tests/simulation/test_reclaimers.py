from typing import Any

import numpy as np
import pytest

from tests.simulation.scenarios import composed, finished
from tiering.engine.carry import HOPELESS_NS
from tiering.simulation.loop import Simulation

S = 1_000_000_000
MIB = 256  # pages
SMALL: dict[str, Any] = {
    "preset": "none", "reclaim__demotion_enabled": True, "reclaim__min_free_kbytes": 800,
    "nodes__0__capacity_mib": 16, "nodes__1__capacity_mib": 64, "sample_ms": 10, "until_s": 1.0,
    "machine__fault_us": 0.0,
}  # fmt: skip
"""DRAM of 4,096 pages: min 40, gap 10, low 50, high 60, promo 70."""
COLD = {"threads": 1, "think_ns": 1e9}


def vma(pages: int, **more: Any) -> dict[str, Any]:
    return {"size_mib": pages / MIB} | more


def grown(by: int, **changes: Any) -> tuple[Simulation, Any]:
    """4,000 cold pages on DRAM, and `by` more at 0.5 s, first touched wherever there is room."""
    base = COLD | {"name": "base", "vmas": [vma(4000, node="DRAM")]}
    more = COLD | {"name": "more", "start_s": 0.5, "vmas": [vma(by)]}
    simulation, rows, _ = finished(composed([base, more], **SMALL | changes))
    return simulation, rows


def free(rows: Any) -> list[int]:
    """Free pages of DRAM in each row."""
    return [int(pages) for pages in 4096 - rows["node.resident_mib"][:, 0] * MIB]


def test_the_marks_of_the_small_machine() -> None:
    simulation = Simulation(composed([COLD | {"vmas": [vma(10)]}], **SMALL), 1)
    marks = simulation.world.marks
    assert [int(one[0]) for one in (marks.least, marks.low, marks.high, marks.promo)] == [
        40, 50, 60, 70,
    ]  # fmt: skip


@pytest.mark.parametrize("lru", ["active_inactive", "mglru"])
@pytest.mark.parametrize(("tiering_mode", "until"), [(False, 60), (True, 70)])
def test_kswapd_works_from_below_low_until_high_or_promo(
    lru: str, tiering_mode: bool, until: int
) -> None:
    """41 pages more find DRAM at 96 free and CXL with plenty: DRAM goes down to low, not below."""
    changes = {"reclaim__lru": lru, "reclaim__tiering_mode": tiering_mode}
    _, rows = grown(46, **changes)
    assert set(free(rows)) == {96, 50}, "at low nobody wakes"
    bound = {"name": "bound", "start_s": 0.5, "vmas": [vma(47, node="DRAM")]}
    base = COLD | {"name": "base", "vmas": [vma(4000, node="DRAM")]}
    simulation, rows, _ = finished(composed([base, COLD | bound], **SMALL | changes))
    assert free(rows)[48] == 96
    assert free(rows)[-1] == until, "one page below low it did"
    counters = simulation.result()["counters"]
    assert counters["pgdemote_kswapd"] == until - 49
    assert counters["pgdemote_direct"] == 0
    assert simulation.shape.threads == ("kswapd0",)


@pytest.mark.parametrize("sample_ms", [10, 500])
def test_kswapd_wakes_when_memory_is_taken_however_rows_are_sampled(sample_ms: int) -> None:
    base = COLD | {"name": "base", "vmas": [vma(4000, node="DRAM")]}
    bound = COLD | {"name": "bound", "start_s": 0.5, "vmas": [vma(50, node="DRAM")]}
    changes = SMALL | {"sample_ms": sample_ms, "reclaim__demote_us": 100.0}
    simulation, rows, _ = finished(composed([base, bound], **changes))
    (clock,) = simulation.movers.clock
    work_ns = 14 * (100_000 + 250 + 4096 / 10.6)
    assert simulation.queue.counters["pgpromote_success"] == 0
    assert clock == pytest.approx(0.5 * S + work_ns, rel=1e-3)
    assert rows["thread.busy_ns"][-1, 0] == pytest.approx(work_ns, rel=0.01)


@pytest.mark.parametrize("sample_ms", [10, 500])
def test_a_node_below_low_at_the_begin_is_relieved_after_the_first_tick(sample_ms: int) -> None:
    base = COLD | {"vmas": [vma(4050, node="DRAM")]}
    simulation, _, _ = finished(composed([base], **SMALL | {"sample_ms": sample_ms}))
    (clock,) = simulation.movers.clock
    assert simulation.result()["counters"]["pgdemote_kswapd"] == 14
    assert 0.01 * S < clock < 0.011 * S


def test_kswapd_pays_for_each_page_it_looks_at_and_moves() -> None:
    """TPP: 8 % of DRAM is 327 pages, 231 more than are free; every page costs 100 us."""
    knobs = {"reclaim__demote_scale_factor": 800, "reclaim__demote_us": 100.0}
    simulation, rows = grown(1, **knobs)
    assert free(rows)[-1] == 327
    moved = simulation.result()["counters"]["pgdemote_kswapd"]
    each = 100_000 + 250 + 4096 / 10.6
    busy = simulation.busy_ns()[0]
    assert busy == pytest.approx(moved * each, rel=0.01)
    assert simulation.result()["counters"]["reclaim_scanned"] == moved
    assert rows["thread.busy_share"].max() == pytest.approx(1.0, abs=0.02)


def test_tpp_keeps_its_head_room_from_the_begin() -> None:
    """As soon as less than 2 % of DRAM is free: 81 pages, above high and promo."""
    simulation, rows = grown(60, reclaim__demote_scale_factor=200)
    assert simulation.world.marks.wake[0] == simulation.world.marks.wanted[0] == 81
    assert free(rows)[-1] == 81


@pytest.mark.parametrize("lru", ["active_inactive", "mglru"])
def test_a_kswapd_without_hope_looks_again_once_a_second(lru: str) -> None:
    """All of DRAM is pinned: each look is two rounds, and then it sleeps."""
    base = COLD | {"name": "base", "vmas": [vma(4000, node="DRAM", pinned_pct=100.0)]}
    more = COLD | {
        "name": "more", "start_s": 0.5, "vmas": [vma(50, node="DRAM", pinned_pct=100.0)],
    }  # fmt: skip
    changes = SMALL | {"until_s": 5.0, "reclaim__lru": lru}
    simulation, _, _ = finished(composed([base, more], **changes))
    counters = simulation.result()["counters"]
    looks = 5  # at 0.5 s, 1.5 s ...
    assert counters["pgdemote_kswapd"] == 0
    assert counters["demote_fail"] == pytest.approx(looks * 2 * 4050, abs=2 * 4050)
    (clock,) = simulation.movers.clock
    assert clock > 5 * S
    assert clock - 5 * S < HOPELESS_NS


@pytest.mark.parametrize("lru", ["active_inactive", "mglru"])
def test_an_allocation_that_finds_nothing_above_min_reclaims_directly(lru: str) -> None:
    """56 pages down to min, 144 more by demoting as many; the task pays 100 us for each."""
    work = {"threads": 1, "think_ns": 750.0}
    base = COLD | {"name": "base", "vmas": [vma(4000, node="DRAM")]}
    more = work | {"name": "more", "start_s": 0.5, "vmas": [vma(200, node="DRAM")]}
    changes = SMALL | {"reclaim__lru": lru, "machine__tlb_entries": 10**6}
    lost, speed = {}, {}
    for demote_us in (0.0, 100.0):
        scenario = composed([base, more], **changes, reclaim__demote_us=demote_us)
        simulation, rows, events = finished(scenario)
        assert simulation.result()["counters"]["pgdemote_direct"] == 144
        assert rows["mm_node.resident_mib"][-1, 1].sum() * MIB == 200.0
        assert not [text for text in events if "memory" in text]
        speed[demote_us] = rows["mm.throughput"][-1, 1]
        lost[demote_us] = simulation.progress.flow.tau[1]
    ns = (lost[0.0] - lost[100.0]) / speed[0.0] * S
    assert ns == pytest.approx(144 * 100_000, rel=0.02)


def test_memory_of_the_begin_is_placed_for_free_even_by_direct_reclaim() -> None:
    """Nobody is stalled at time 0 for what happened before it."""
    base = COLD | {"name": "base", "vmas": [vma(4000, node="DRAM")]}
    more = {"name": "more", "threads": 1, "think_ns": 750.0, "vmas": [vma(200, node="DRAM")]}
    simulation = Simulation(composed([base, more], **SMALL), 1)
    assert simulation.world.memory.free[0] == 40
    assert simulation.progress.flow.stall_ns.tolist() == [0.0, 0.0]
    assert simulation.progress.flow.speed[1] > 0.0


def test_without_demotion_the_same_allocation_runs_out_of_memory() -> None:
    base = COLD | {"name": "base", "vmas": [vma(4000, node="DRAM")]}
    more = COLD | {"name": "more", "start_s": 0.5, "vmas": [vma(200, node="DRAM")]}
    changes = SMALL | {"reclaim__demotion_enabled": False}
    simulation, _, events = finished(composed([base, more], **changes))
    assert "killed process base" in events[-1]
    assert simulation.shape.threads == ()


@pytest.mark.parametrize("tiering_mode", [False, True])
def test_a_promotion_that_finds_no_room_wakes_kswapd(tiering_mode: bool) -> None:
    """DRAM has 55 pages free, above low; V1 promotes only above high, so kswapd must make room.

    As in the kernel, that helps only if it works on until promo: at high it sleeps, and what is
    free is not above high.
    """
    base = COLD | {"name": "base", "vmas": [vma(4041, node="DRAM")]}
    hot = {"name": "hot", "threads": 4, "think_ns": 100.0, "vmas": [vma(200, node="CXL")]}
    changes = SMALL | {"preset": "kmmscand_v0", "migration__reserve": "high", "until_s": 2.0}
    changes["reclaim__tiering_mode"] = tiering_mode
    simulation, _, _ = finished(composed([base, hot], **changes))
    counters = simulation.result()["counters"]
    assert counters["migrate_no_room"] > 0
    assert counters["pgdemote_kswapd"] > 0
    assert (counters["pgpromote_success"] > 0) == tiering_mode


THREE = [
    {"name": "DRAM", "tier": 0, "capacity_mib": 16},
    {"name": "CXL", "tier": 1, "capacity_mib": 16, "latency_ns": 250.0},
    {"name": "FAR", "tier": 2, "capacity_mib": 64, "latency_ns": 500.0},
]


@pytest.mark.parametrize("lru", ["active_inactive", "mglru"])
def test_three_tiers_sink_step_by_step(lru: str) -> None:
    """The kswapd of DRAM fills CXL, whose own makes room there."""
    base = COLD | {
        "name": "base",
        "vmas": [vma(4000, node="DRAM"), vma(4000, name="b", node="CXL")],
    }
    more = COLD | {"name": "more", "start_s": 0.5, "vmas": [vma(300, node="DRAM")]}
    changes = {name: value for name, value in SMALL.items() if "capacity" not in name}
    simulation, rows, _ = finished(composed([base, more], THREE, **changes | {"reclaim__lru": lru}))
    marks, left = simulation.world.marks, simulation.world.memory.free
    assert simulation.shape.threads == ("kswapd0", "kswapd1")
    assert (left[:2] >= marks.low[:2]).all()
    sunk = simulation.reclaimers.sunk
    assert sunk.from_nid.sum() == 0, "accounted"
    assert rows["mm_node.resident_mib"][-1, 0, 2] > 0
    assert (rows["mm_node.resident_mib"][-1].sum(axis=1) * MIB).tolist() == [8000.0, 300.0]


def test_ping_pong_is_promotion_and_demotion_within_the_knobs_time() -> None:
    """A hot set that fits nowhere: rises, is cold for kswapd's hand, sinks, and is hot again."""
    hot = {"name": "hot", "threads": 8, "think_ns": 100.0, "vmas": [vma(8000, node="CXL")]}
    changes = SMALL | {"preset": "kmmscand_v0", "until_s": 10.0, "sample_ms": 100}
    counts, demoted = {}, 0
    for seconds in (0.0, 5.0, 60.0):
        scenario = composed([hot], **changes, reclaim__ping_pong_s=seconds)
        simulation, rows, _ = finished(scenario)
        counts[seconds] = int(rows["ping_pong"][-1])
        demoted = int(rows["pgdemote_kswapd"][-1])
        assert simulation.result()["metrics"]["ping_pong_share"] == pytest.approx(
            counts[seconds] / rows["pgpromote_success"][-1]
        )
    assert demoted > 0
    assert counts[0.0] <= counts[5.0] <= counts[60.0] == demoted, "nothing began on DRAM"


def test_both_directions_of_copying_show_in_the_bandwidth_of_both_nodes() -> None:
    """Idle accesses, so what is used is copies: as much is read as is written."""
    hot = {"name": "hot", "threads": 1, "think_ns": 1e6, "vmas": [vma(8000, node="CXL")]}
    changes = SMALL | {"preset": "kmmscand_v0", "until_s": 5.0}
    simulation = Simulation(composed([hot], **changes), 1)
    flow, moved = simulation.progress.flow, []
    while not simulation.done:
        simulation.next_block()
        assert flow.copy_read.sum() == pytest.approx(flow.copy_write.sum())
        moved.append([*flow.copy_read.tolist(), *flow.copy_write.tolist()])
    most = np.array(moved).max(axis=0)
    assert (most > 0).all(), "DRAM and CXL, read and written"


@pytest.mark.parametrize(("order", "write_gb_s"), [(0, 0.25), (9, 0.25), (0, 100.0)])
def test_demotion_is_no_faster_than_the_bandwidth_below(order: int, write_gb_s: float) -> None:
    """At most 0.25 bytes a ns, or 10.6 as one CPU copies: DRAM comes to its marks late or soon."""
    base = COLD | {"name": "base", "vmas": [vma(60 * MIB, node="DRAM", order=order)]}
    changes = SMALL | {
        "reclaim__watermark_scale_factor": 3000, "nodes__0__capacity_mib": 64, "until_s": 2.0,
        "nodes__1__write_gb_s": write_gb_s, "reclaim__demote_us": 0.0, "reclaim__rmap_ns": 0.0,
    }  # fmt: skip
    simulation, rows, _ = finished(composed([base], **changes))
    moved = int(rows["pgdemote_kswapd"][-1])
    assert moved > 10 * MIB
    (busy,) = simulation.busy_ns()
    assert busy == pytest.approx(moved * 4096 / min(write_gb_s, 10.6), rel=0.02)
    assert (rows["node.utilisation"] <= 1.0).all()
