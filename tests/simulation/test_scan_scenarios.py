"""What the scenarios of scans show, in the words of their questions."""

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
