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
