from typing import Any

import numpy as np
import pytest

from tests.simulation.scenarios import composed, finished
from tiering.engine.invariants import check_books
from tiering.simulation.load import ScenarioError
from tiering.simulation.loop import Simulation
from tiering.sources.pte_visit import NEVER

MIB = 256  # pages
S = 1_000_000_000
SMALL: dict[str, Any] = {
    "nodes__0__capacity_mib": 4, "nodes__1__capacity_mib": 4, "reclaim__min_free_kbytes": 400,
    "preset": "none",
}  # fmt: skip
"""Two nodes of 1,024 pages: min is 50 pages each, the gap 12, low 62."""


def started(processes: list[dict[str, Any]], **changes: Any) -> Simulation:
    simulation = Simulation(composed(processes, **SMALL | changes), 1)
    world = simulation.world
    check_books(world.memory, world.capacity, world.top_tier)
    return simulation


def vma(pages: int, **more: Any) -> dict[str, Any]:
    return {"size_mib": pages / MIB} | more


@pytest.mark.parametrize(
    ("pages", "dram", "cxl"),
    [
        (1, 1, 0),
        (962, 962, 0),  # down to low
        (963, 962, 1),
        (1924, 962, 962),  # both down to low
        (1930, 968, 962),  # then DRAM down to min
        (1937, 974, 963),
        (1948, 974, 974),
    ],
)
def test_first_touch_goes_down_to_low_everywhere_and_then_to_min(
    pages: int, dram: int, cxl: int
) -> None:
    simulation = started([{"vmas": [vma(pages)]}])
    assert simulation.world.marks.low.tolist() == [62, 62]
    assert simulation.world.memory.free.tolist() == [1024 - dram, 1024 - cxl]


def test_memory_that_does_not_fit_at_the_begin_is_an_error_with_the_figures() -> None:
    with pytest.raises(ScenarioError) as caught:
        started([{"vmas": [vma(1949, name="all")]}])
    assert str(caught.value) == (
        "composed: processes.0.vmas.0.size_mib: process app, VMA all of 7.61328 MiB does not fit: "
        "DRAM, CXL has 8 MiB in all, of which the min watermark stays free, "
        "0.00390625 MiB too few"
    )


def test_a_large_folio_needs_room_for_all_its_pages() -> None:
    """Each node takes one of 512 pages and has less than that left above min."""
    simulation = started([{"vmas": [vma(1024, order=9)]}])
    assert simulation.world.memory.free.tolist() == [512, 512]
    with pytest.raises(ScenarioError, match="2 MiB too few"):
        started([{"vmas": [vma(1536, order=9)]}])


def test_small_folios_fill_what_large_ones_leave() -> None:
    simulation = started([{"vmas": [vma(1024, order=9), vma(320, order=4, name="mid"), vma(100)]}])
    assert simulation.world.memory.resident.tolist() == [[1, 1], [20, 0], [100, 0]]


@pytest.mark.parametrize(("node", "free"), [("DRAM", [224, 1024]), ("CXL", [1024, 224])])
def test_a_vma_bound_to_a_node_lies_on_it(node: str, free: list[int]) -> None:
    simulation = started([{"vmas": [vma(800, node=node)]}])
    assert simulation.world.memory.free.tolist() == free


def test_a_bound_vma_falls_back_to_no_other_node() -> None:
    with pytest.raises(ScenarioError, match="does not fit: DRAM has 4 MiB in all"):
        started([{"vmas": [vma(975, node="DRAM")]}])
    assert started([{"vmas": [vma(974, node="DRAM")]}]).world.memory.free[0] == 50


FOUR_NODES = [
    {"name": "DRAM0", "tier": 0, "capacity_mib": 4, "cpus": 4},
    {"name": "DRAM1", "tier": 0, "capacity_mib": 4, "cpus": 4},
    {"name": "CXL0", "tier": 1, "capacity_mib": 4},
    {"name": "CXL1", "tier": 1, "capacity_mib": 4},
]


@pytest.mark.parametrize(
    ("home", "order"), [(None, [0, 1, 2, 3]), ("DRAM1", [1, 0, 2, 3]), ("CXL1", [3, 1, 0, 2])]
)
def test_the_zonelist_begins_at_home_and_goes_down_the_tiers(
    home: str | None, order: list[int]
) -> None:
    """4 MiB at a time: as soon as a node is down to low the next one takes over."""
    where = {} if home is None else {"home_node": home}
    scenario = composed([where | {"vmas": [vma(2900)]}], FOUR_NODES, preset="none")
    memory = Simulation(scenario, 1).world.memory
    used = (1024 - memory.free)[order].tolist()
    assert used == sorted(used, reverse=True)
    assert used[3] == 0
    assert used[0] == used[1] > used[2] > 0


GROWS = {
    "pattern": "growing",
    "growing": {"start_pct": 25.0, "steps": 3, "step_accesses": 100_000.0},
}


def test_a_working_set_grows_step_by_step_with_the_accesses_made() -> None:
    """At 1,000 ns an access (750 of them think time, on CXL) a step is 0.1 s."""
    app = {"vmas": [vma(800, node="CXL", **GROWS)]}
    quiet = {"machine__tlb_entries": 10**6, "machine__fault_us": 0.0}
    _, rows, _ = finished(composed([app], **SMALL | quiet, until_s=0.5, sample_ms=10))
    resident = (rows["node.resident_mib"][:, 1] * MIB).tolist()
    steps = [200.0] * 10 + [400.0] * 10 + [600.0] * 10 + [800.0] * 20
    assert sum(a != b for a, b in zip(resident, steps, strict=True)) <= 3, "a tick late at most"
    assert sorted(set(resident)) == [200.0, 400.0, 600.0, 800.0]
    assert rows["pgfault"].max() == 600


@pytest.mark.parametrize("sample_ms", [10, 100, 1000])
@pytest.mark.parametrize("threads", [1, 4])
def test_page_faults_cost_the_process_their_time_and_no_more(sample_ms: int, threads: int) -> None:
    """600 faults of 50 us in three steps: 30 ms of thread time, however rows are sampled."""
    app = {"threads": threads, "vmas": [vma(800, node="CXL", **GROWS)]}
    changes = SMALL | {"machine__tlb_entries": 10**6, "until_s": 2.0, "sample_ms": sample_ms}
    _, free, _ = finished(composed([app], **changes, machine__fault_us=0.0))
    _, paid, _ = finished(composed([app], **changes, machine__fault_us=50.0))
    assert paid["pgfault"][-1] == 600
    lost_ms = (free["accesses"][-1] - paid["accesses"][-1]) * 1000e-6
    assert lost_ms == pytest.approx(30.0, rel=1e-3)


SHORT = {"start_s": 0.5, "lifetime_s": 0.3, "every_s": 1.0}


def test_a_short_lived_process_comes_and_goes_and_frees_its_memory() -> None:
    app, short = {"vmas": [vma(300)]}, SHORT | {"name": "short", "vmas": [vma(700)]}
    simulation, rows, events = finished(composed([app, short], **SMALL, until_s=3.0))
    there = (rows["mm_node.resident_mib"][:, 1].sum(axis=1) * MIB).tolist()
    tenths = np.round(rows["time_ns"] / S * 10)
    assert there == [700.0 if 5 <= tenth % 10 < 8 else 0.0 for tenth in tenths]
    assert events == ["short: starts", "short: exits"] * 3
    assert rows["pgfault"][-1] == 3 * 700
    speed = rows["mm.throughput"][:, 1]
    assert (speed > 0).sum() == 9
    assert simulation.progress.flow.tau[1] == pytest.approx(speed.sum() * 0.1)


def test_the_scanner_forgets_a_process_that_exits_and_greets_it_when_it_comes_back() -> None:
    short = SHORT | {"name": "short", "vmas": [vma(700, node="CXL")]}
    changes = SMALL | {"preset": "kmmscand_v0", "migration__reserve": "none"}
    simulation = Simulation(composed([short], **changes, until_s=3.0, sample_ms=100), 1)
    assert simulation.scanner is not None
    mms, visits = simulation.scanner.mms, []
    while not simulation.done:
        simulation.next_block()
        tenth = simulation.time_ns // (S // 10) % 10
        there = 5 <= tenth < 8
        assert (mms.next_scan[0] < NEVER) == there, simulation.time_ns
        visits.append(int(mms.nr_visits[0]))
        if there:
            assert mms.last_start[0] >= simulation.time_ns // S * S + S // 2
    assert sorted(set(visits)) == [0, 1, 2, 3], "one in each life"
    assert mms.missed[0] == 0
    result = simulation.result()
    assert result["counters"]["pgpromote_success"] == 3 * 700


@pytest.mark.parametrize("owner", ["scanner", "thread"])
def test_what_waits_when_a_process_exits_does_not_rise_in_its_next_life(owner: str) -> None:
    """Found at 0 s, 700 folios of 1 ms each; at 0.3 s it exits and begins anew, on CXL again."""
    short = {"name": "short", "lifetime_s": 0.3, "every_s": 0.3, "vmas": [vma(700, node="CXL")]}
    changes = {
        "preset": "kmmscand_v0", "migration__folio_us": 1000.0, "migration__owner": owner,
        "until_s": 0.3, "migration__reserve": "none", "pte_scan__scan_period_ms": 5000,
    }  # fmt: skip
    simulation, _, _ = finished(composed([short], **SMALL | changes))
    counters = simulation.queue.counters
    assert len(simulation.queue) == 0
    assert counters["pgpromote_candidate"] == 700
    assert 250 < counters["pgpromote_success"] < 300
    assert counters["migrate_stale"] == 700 - counters["pgpromote_success"]
    assert simulation.world.memory.free.tolist() == [1024, 324], "nothing of its next life rose"


def test_a_process_may_begin_again_at_the_moment_in_which_it_exits() -> None:
    short = {"lifetime_s": 0.5, "every_s": 0.5, "name": "short", "vmas": [vma(700)]}
    simulation, rows, events = finished(composed([short], **SMALL, until_s=2.0))
    assert rows["time_ns"].tolist() == [tenth * S // 10 for tenth in range(1, 21)]
    assert events == ["short: exits", "short: starts"] * 4
    assert (rows["node.resident_mib"].sum(axis=1) * MIB == 700).all()
    assert (rows["mm.throughput"] > 0).all()
    assert simulation.result()["counters"]["pgfault"] == 4 * 700


def test_a_process_that_has_not_begun_disturbs_nobody() -> None:
    """Without think time, page walk and memory an access of its would take no time at all."""
    app = {"vmas": [vma(100)]}
    late = {"name": "late", "start_s": 0.5, "think_ns": 0.0, "vmas": [vma(100)]}
    _, rows, _ = finished(composed([app, late], **SMALL, until_s=1.0))
    assert (rows["mm.throughput"][:5, 1] == 0).all()
    assert (rows["mm.throughput"][6:, 1] > 5e6).all()
    _, alone, _ = finished(composed([app], **SMALL, until_s=0.4))
    assert rows["mm.throughput"][:4, 0].tolist() == alone["mm.throughput"][:, 0].tolist()


def test_without_every_s_a_process_exits_for_good() -> None:
    app, once = {"vmas": [vma(10)]}, {"name": "once", "lifetime_s": 0.2, "vmas": [vma(700)]}
    simulation, rows, events = finished(composed([app, once], **SMALL, until_s=2.0))
    assert events == ["once: exits"]
    assert simulation.population.alive.tolist() == [True, False]
    assert rows["mm.throughput"][-1].tolist()[1] == 0.0
    assert simulation.time_ns == 2 * S


def test_fixed_work_goes_on_in_the_next_life() -> None:
    """0.3 s a life at 1,000 ns an access: 1,000,000 accesses need four lives."""
    short = SHORT | {"work_accesses": 1e6, "vmas": [vma(700, node="CXL")]}
    quiet = {"machine__tlb_entries": 10**6, "machine__fault_us": 0.0}
    simulation, _, _ = finished(composed([short], **SMALL | quiet, until_s=20.0))
    assert simulation.result()["elapsed_s"] == pytest.approx(3.6, abs=0.001)


BIG = {"name": "big", "vmas": [vma(900, node="CXL")]}
GREEDY = {"name": "greedy", "start_s": 0.5, "vmas": [vma(200, node="CXL")]}
"""More than the 974 pages that CXL gives."""


def test_out_of_memory_kills_the_largest_process_and_the_run_goes_on() -> None:
    simulation, rows, events = finished(composed([BIG, GREEDY], **SMALL, until_s=1.0))
    assert events == [
        "greedy: starts",
        "Out of memory: greedy found no page on CXL; killed process big (4 MiB)",
    ]
    assert simulation.population.killed == ["big"]
    assert (rows["mm_node.resident_mib"][-1, :, 1] * MIB).tolist() == [0.0, 200.0]
    assert rows["mm.throughput"][-1].tolist()[0] == 0.0
    assert rows["mm.throughput"][-1].tolist()[1] > 0.0
    assert simulation.result()["ended"] == "time is up"


def test_a_process_that_is_the_largest_itself_is_killed_with_all_its_vmas() -> None:
    small = {"name": "small", "vmas": [vma(300, node="CXL")]}
    hog = {
        "name": "hog", "start_s": 0.5,
        "vmas": [vma(400, node="CXL"), vma(400, name="more", node="CXL"), vma(50, name="last")],
    }  # fmt: skip
    simulation, rows, events = finished(composed([small, hog], **SMALL, until_s=1.0))
    assert events[-1].endswith("killed process hog (3 MiB)")
    assert (rows["mm_node.resident_mib"][-1].sum(axis=1) * MIB).tolist() == [300.0, 0.0]
    assert simulation.population.killed == ["hog"]


def test_a_killed_process_does_not_come_back() -> None:
    again = GREEDY | {"lifetime_s": 0.2, "every_s": 0.5}
    simulation, rows, _ = finished(composed([BIG, again], **SMALL, until_s=3.0))
    assert simulation.population.killed == ["big"]
    assert not rows["mm.throughput"][-5:, 0].any()


def test_the_run_ends_when_nobody_is_left() -> None:
    app = {"name": "alone", "vmas": [vma(1200, node="CXL", **GROWS)]}
    simulation, _, events = finished(composed([app], **SMALL, until_s=5.0))
    assert "killed process alone" in events[-1]
    assert simulation.result()["ended"] == "out of memory"
    assert simulation.time_ns < 1 * S


def test_the_run_goes_on_for_somebody_who_is_still_to_come() -> None:
    app = {"name": "alone", "vmas": [vma(1200, node="CXL", **GROWS)]}
    late = {"name": "late", "start_s": 2.0, "vmas": [vma(100)]}
    simulation, rows, _ = finished(composed([app, late], **SMALL, until_s=3.0))
    assert simulation.result()["ended"] == "time is up"
    assert rows["mm.throughput"][-1].tolist()[1] > 0.0
