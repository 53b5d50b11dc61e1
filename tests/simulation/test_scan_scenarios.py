"""What the scenarios of scans show, in the words of their questions."""

from typing import Any

from tests.simulation.scenarios import finished, tiny
from tests.simulation.test_source_scenarios import result_of


def test_a_walk_that_ends_at_holes_sees_one_page_table_of_every_vma() -> None:
    """64 of the 8,192 pages of a VMA, so 4 MiB of 512: V0 and its interim patch; V1 sees all."""
    posted = result_of("first-hole")
    assert posted["metrics"]["promoted_mib"] <= 16 * 64 / 256
    assert posted["metrics"]["top_tier_share"] < 0.02
    passed = result_of("first-hole", pte_scan__holes="pass")
    assert passed["metrics"]["top_tier_share"] > 0.9
    later = result_of("first-hole", preset="kmmscand_v1")
    assert later["metrics"]["top_tier_share"] > 0.9
    counters = posted["counters"]
    assert (
        counters["nr_kmmscand_slowtier"] + counters["nr_kmmscand_toptier"]
        == (posted["metrics"]["nr_scanned"])
    )


def test_the_walk_of_mglru_tells_rare_from_often_but_not_often_from_very_often() -> None:
    """Slow accesses: 0.03 and 1.1 touches a second; fast ones: 1 and 36, and two reports in 3 s are
    made of everybody. A device that counts tells the latter too."""
    slow = {"processes__0__think_ns": 20_000.0}
    filtered = result_of("walk-of-mglru", **slow)["metrics"]
    at_once = result_of("walk-of-mglru", preset="klruscand", migration__owner="thread", **slow)[
        "metrics"
    ]
    assert filtered["time_to_90_s"] < 5
    assert filtered["top_tier_share"] > 0.97 * filtered["oracle_share"]
    assert 2 * filtered["promoted_mib"] < at_once["promoted_mib"]
    fast = result_of("walk-of-mglru")["metrics"]
    counted = result_of("walk-of-mglru", preset="chmu_pghot")["metrics"]
    assert fast["top_tier_share"] > 0.97 * fast["oracle_share"]
    assert fast["demoted_mib"] > 10_000
    assert counted["demoted_mib"] == 0
    assert fast["thread_busy_s"]["klruscand"] < 0.05 * 30


def ns_of_a_hot_page(populated_pct: float, **changes: Any) -> float:
    """CPU time of the scan over hot pages found."""
    sparse = {f"processes__0__vmas__{at}__populated_pct": populated_pct for at in (0, 1)}
    result = result_of("virtual-or-physical", **sparse, **changes)
    metrics, found = result["metrics"], result["counters"]["pgpromote_candidate"]
    assert abs(metrics["precision"] - 0.36) < 0.02, "both find the same"
    return float(metrics["scan_s"] * 1e9 / (found * metrics["precision"]))


def test_page_frames_pay_only_where_page_tables_hold_fewer_than_four_pages() -> None:
    """At 20 PTEs a reverse map, and as much memory on the top tier as on the slow one."""
    physical = ns_of_a_hot_page(0.2, pte_scan__walk="physical")
    one, two, four, all_of_512 = (ns_of_a_hot_page(pct) for pct in (0.2, 0.4, 0.8, 100.0))
    assert one > 2.5 * physical
    assert two > 1.3 * physical
    assert 0.8 * physical < four < physical
    assert 3.5 * all_of_512 < physical


def test_what_a_reverse_map_costs_decides() -> None:
    cheap, dear = (
        ns_of_a_hot_page(0.4, pte_scan__walk="physical", pte_scan__rmap_factor=factor)
        for factor in (10.0, 50.0)
    )
    assert cheap < ns_of_a_hot_page(0.4) < dear


def test_a_row_shows_the_period_of_the_node_where_the_scan_is_physical() -> None:
    scenario = tiny(pte_scan__walk="physical", until_s=3.0, processes__0__vmas__0__pinned_pct=100.0)
    simulation, rows, events = finished(scenario)
    assert rows["node.scan_period_ms"][-1, 0] == 0
    assert rows["node.scan_period_ms"][-1, 1] == 400
    assert rows["mm.scan_period_ms"][-1, 0] == 0
    assert rows["node.nr_scanned"][-1, 1] == 96 * 256 * rows["node.nr_visits"][-1, 1]
    assert "node CXL useful" in events[0]
    full = simulation.result()["metrics"]["mm_full_scan_ms"]
    assert set(full) == {"CXL"}


def test_a_physical_scan_pays_for_page_cache_that_nobody_maps_and_promotes_none_of_it() -> None:
    files = {"processes__0__vmas__0__kind": "page_cache", "until_s": 3.0}
    virtual, _, _ = finished(tiny(**files))
    physical, rows, _ = finished(tiny(**files, pte_scan__walk="physical"))
    assert virtual.result()["metrics"]["thread_busy_s"]["kmmscand"] < 0.02
    assert rows["scan_unmapped"][-1] == 96 * 256 * rows["node.nr_visits"][-1, 1] > 0
    assert physical.result()["counters"]["pgpromote_candidate"] == 0
    assert physical.result()["metrics"]["scan_s"] > virtual.result()["metrics"]["scan_s"]


def test_a_walk_of_page_tables_splits_every_huge_mapping_and_one_of_page_frames_none() -> None:
    changes = {"processes__0__vmas__0__order": 9, "until_s": 2.0}
    for walk, splits in (("virtual", 48), ("physical", 0)):
        simulation, _, _ = finished(tiny(pte_scan__walk=walk, **changes))
        assert simulation.result()["counters"]["thp_split_pmd"] == splits
