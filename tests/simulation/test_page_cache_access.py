"""Reads that ask for promotion, in whole runs: who pays, who rises, what a row says."""

from typing import Any

import pytest

from tests.simulation.scenarios import composed, finished
from tiering.simulation.load import ScenarioError, load_file
from tiering.simulation.loop import Simulation
from tiering.simulation.scenario import Scenario

FILE: dict[str, Any] = {
    "size_mib": 24.0, "node": "CXL", "kind": "page_cache", "pattern": "hot_set",
    "hot_set": {"hot_size_pct": 50.0, "hot_access_pct": 99.0},
}  # fmt: skip


def reading(**changes: Any) -> Scenario:
    """24 MiB of a file on CXL, half of it read by two threads hundreds of times a second."""
    app = {"threads": 2, "think_ns": 750.0, "vmas": [FILE | changes.pop("file", {})]}
    preset: dict[str, Any] = {"preset": "numa_balancing_2_page_cache", "until_s": 3.0}
    return composed([app], **preset | {"hot_threshold__spare_mib": 0} | changes)


def test_what_is_read_rises_and_the_reading_tasks_pay() -> None:
    one, rows, _ = finished(reading())
    told = one.result()
    assert rows["top_tier_share"][-1] > 0.95
    assert rows["numa_hint_page_cache"][-1] >= told["counters"]["pgpromote_success"] > 3000
    assert told["metrics"]["thread_busy_s"]["numa_promo_work"] > 0.0
    assert rows["numa_pte_updates"][-1] == rows["numa_hint_faults"][-1] == 0
    free, _, _ = finished(reading(page_cache_access__check_ns=0.0))
    dear, _, _ = finished(reading(page_cache_access__check_ns=50_000.0))
    accesses = [each.result()["counters"]["accesses"] for each in (free, dear)]
    assert accesses[0] > accesses[1]


def test_reads_pay_their_own_thread_time() -> None:
    """Nothing moves, as all is pinned, and a read that asks takes 40 us of one of two threads."""
    still: dict[str, Any] = {"file": {"pinned_pct": 100.0}, "migration__batch_us": 0.0,
                             "migration__folio_us": 0.0}  # fmt: skip
    dear, _, _ = finished(reading(**still, page_cache_access__check_ns=40_000.0))
    told = dear.result()
    asked = told["counters"]["numa_hint_page_cache"]
    assert told["metrics"]["thread_busy_s"]["numa_promo_work"] == pytest.approx(asked * 40e-6)
    free, _, _ = finished(reading(**still, page_cache_access__check_ns=0.0))
    lost = 1 - told["counters"]["accesses"] / free.result()["counters"]["accesses"]
    assert lost > 0.5


def test_off_as_posted_nothing_rises_until_the_switch_is_set() -> None:
    simulation = Simulation(reading(page_cache_access__pagecache_promotion_enabled=False), 1)
    while simulation.time_ns < 1_000_000_000:
        simulation.next_block()
    assert simulation.result()["counters"]["pgpromote_success"] == 0
    simulation.set_knob("page_cache_access.pagecache_promotion_enabled", True)
    while not simulation.done:
        simulation.next_block()
    assert simulation.result()["counters"]["pgpromote_success"] > 3000


def test_without_memory_tiering_in_the_sysctl_nothing_rises() -> None:
    _, rows, _ = finished(reading(hint_fault__numa_balancing="normal"))
    assert rows["pgpromote_success"][-1] == rows["numa_hint_page_cache"][-1] == 0


def test_a_mapped_file_rises_by_hint_faults_alone() -> None:
    _, rows, _ = finished(reading(file={"kind": "anon"}))
    assert rows["numa_hint_page_cache"][-1] == 0 < rows["numa_hint_faults"][-1]


@pytest.mark.parametrize("owner", ["scanner", "thread"])
@pytest.mark.parametrize("lru", ["active_inactive", "mglru"])
def test_books_balance_and_bytes_repeat(owner: str, lru: str) -> None:
    changes: dict[str, Any] = {
        "nodes__0__capacity_mib": 16, "reclaim__demotion_enabled": True, "reclaim__lru": lru,
        "migration__owner": owner, "migration__reserve": "none", "file": {"size_mib": 40.0},
    }  # fmt: skip
    scenario = reading(**changes)
    _, first, _ = finished(scenario)
    assert first["pgpromote_success"][-1] > 1000
    assert first.tobytes() == finished(scenario)[1].tobytes()


def test_alone_it_counts_as_memory_tiering_and_beside_threads_it_is_refused() -> None:
    _, rows, _ = finished(reading(rooms__sources=["page_cache_access"]))
    assert rows["pgpromote_success"][-1] > 3000
    with pytest.raises(ScenarioError, match="migrates in the tasks"):
        reading(rooms__sources=["page_cache_access", "chmu"])


def test_reads_of_2_gib_in_which_a_list_takes_256_mib_need_eight_rounds() -> None:
    """As posted with v3 for a file of 128 GiB; here a thousandth of it, in the same proportions."""
    file = {"size_mib": 128.0, "node": "CXL", "kind": "page_cache", "pattern": "sequential"}
    app = {"threads": 1, "think_ns": 10.0, "vmas": [file]}
    scenario = composed(
        [app], preset="numa_balancing_2_page_cache", until_s=12.0, nodes__0__capacity_mib=2048,
        nodes__1__capacity_mib=512, hot_threshold__spare_mib=256,
        page_cache_access__read_kib=2048, page_cache_access__promo_list_pages=64,
    )  # fmt: skip
    _, rows, _ = finished(scenario)
    passes = rows["accesses"] / (128 * 256 * 64)
    rose = rows["pgpromote_success"] / (128 * 256)
    assert rose[passes < 3][-1] == 0.0
    for nr in range(1, 8):
        done = rose[passes < 3 + nr][-1]
        assert done == pytest.approx(nr / 8, abs=0.06)
    assert rose[passes > 11.2][0] == 1.0


def test_the_shipped_scenario_promotes_what_nobody_maps() -> None:
    simulation = Simulation(load_file("unmapped-page-cache", {"until_s": 4.0}), 1)
    while not simulation.done:
        simulation.next_block()
    assert simulation.result()["counters"]["pgpromote_success"] > 10_000
