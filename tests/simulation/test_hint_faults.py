"""Hint faults in whole runs: who pays, who rises, what a row says."""

from typing import Any

import pytest

from tests.simulation.scenarios import finished, tiny
from tiering.simulation.loop import Simulation
from tiering.simulation.scenario import Scenario

FAULT_NS = 40_000.0


def balanced(**changes: Any) -> Scenario:
    """96 MiB on CXL, two threads that touch all of it alike and often."""
    return tiny(**{"preset": "numa_balancing_2", "until_s": 6.0, "processes__0__think_ns": 0.0,
                   "hint_fault__pte_update_ns": 0.0, "hint_fault__pte_skip_ns": 0.0,
                   "hint_fault__fault_ns": 0.0} | changes)  # fmt: skip


NO_PROMOTION = {
    "processes__0__vmas__0__pinned_pct": 100.0, "migration__batch_us": 0.0,
    "migration__folio_us": 0.0,
}  # fmt: skip


def test_faults_cost_the_process_their_thread_time() -> None:
    """Nothing moves, as all is pinned; each fault takes 40 us of one of two threads."""
    free, rows, _ = finished(balanced(**NO_PROMOTION))
    dear, _, _ = finished(balanced(**NO_PROMOTION, hint_fault__fault_ns=FAULT_NS))
    counters = [one.result()["counters"] for one in (free, dear)]
    faults = counters[1]["numa_hint_faults"]
    assert faults == pytest.approx(5 * 96 * 256, rel=0.01)
    assert rows["numa_pte_updates"][-1] == pytest.approx(5 * 96 * 256, rel=0.01)
    lost = faults * FAULT_NS / 1e9 / (2 * 6.0)
    assert 1 - counters[1]["accesses"] / counters[0]["accesses"] == pytest.approx(lost, rel=0.02)
    assert dear.result()["metrics"]["thread_busy_s"] == {"numa_work": faults * FAULT_NS / 1e9}


def test_the_faulting_task_pays_for_its_migrations() -> None:
    """A folio costs 100 us and the copy; 64 MiB of top tier take 16,384 of them."""
    dear = {"migration__batch_us": 0.0, "migration__folio_us": 100.0, "migration__copy_gb_s": 4.096}
    changes: dict[str, Any] = {"until_s": 1.9, "nodes__0__capacity_mib": 1024}
    one, _, _ = finished(balanced(**changes, **dear))
    rose = one.result()["counters"]["pgpromote_success"]
    paid = one.result()["metrics"]["thread_busy_s"]["numa_work"]
    assert rose > 10_000
    assert paid == pytest.approx(rose * 101e-6, rel=0.01)
    assert paid < 2 * 0.9 * 1.02, "two threads have no more time than that"


def test_a_thread_may_migrate_instead_and_pays_itself() -> None:
    one, _, _ = finished(balanced(migration__owner="thread"))
    busy = one.result()["metrics"]["thread_busy_s"]
    assert busy["numa_work"] == 0.0
    assert busy["migration"] > 0.0
    assert one.result()["counters"]["pgpromote_success"] > 1000


def test_a_full_pass_that_promotes_makes_the_next_one_twice_as_slow() -> None:
    _, rows, _ = finished(balanced(nodes__0__capacity_mib=1024))
    periods = rows["mm.scan_period_ms"][:, 0].tolist()
    assert periods[0] == 1000
    assert 2000 in periods
    assert sorted(periods) == periods


def test_with_space_to_spare_everything_that_is_touched_rises_at_once() -> None:
    changes: dict[str, Any] = {"nodes__0__capacity_mib": 4096, "hot_threshold__hot_threshold_ms": 1}
    one, rows, _ = finished(balanced(**changes))
    counters = one.result()["counters"]
    assert counters["pgpromote_candidate_nrl"] == counters["pgpromote_success"] == 96 * 256
    assert counters["promote_too_old"] == counters["promote_limited"] == 0
    assert rows["top_tier_share"][-1] == 1.0


@pytest.mark.parametrize(("mode", "top_faults"), [("1", True), ("2", False), ("3", True)])
def test_modes_mark_and_fault_on_the_top_tier_or_not(mode: str, top_faults: bool) -> None:
    changes: dict[str, Any] = {"nodes__0__capacity_mib": 1024, "processes__0__threads": 8}
    one, rows, _ = finished(balanced(preset=f"numa_balancing_{mode}", until_s=8.0, **changes))
    counters = one.result()["counters"]
    assert (counters["numa_hint_faults_local"] > 0) == top_faults
    assert counters["numa_pages_migrated"] == counters["pgpromote_success"] > 10_000
    assert rows["top_tier_share"][-1] > 0.9


def test_in_mode_1_nothing_rises_at_its_first_fault() -> None:
    """Marked at 1 s and touched at once; marked again at 2 s."""
    _, rows, _ = finished(balanced(preset="numa_balancing_1", nodes__0__capacity_mib=1024))
    promoted = dict(zip(rows["time_ns"].tolist(), rows["pgpromote_success"].tolist(), strict=True))
    assert promoted[1.9e9] == 0
    assert promoted[2.5e9] > 20_000


def test_the_threshold_can_be_changed_while_the_run_is_on() -> None:
    simulation = Simulation(balanced(), 1)
    while simulation.time_ns < 3_000_000_000:
        simulation.next_block()
    simulation.set_knob("hot_threshold.hot_threshold_ms", 1)
    simulation.set_knob("hint_fault.numa_balancing", "off")
    marked = simulation.result()["counters"]["numa_pte_updates"]
    while not simulation.done:
        simulation.next_block()
    assert simulation.result()["counters"]["numa_pte_updates"] == marked
