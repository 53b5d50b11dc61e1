"""Engine and naive twin where sweeps compete for the fast node: equal to the last demotion.

All touch times are known, so everything that follows from them must be equal: folios are found,
promoted, looked at, marked, activated, deactivated and demoted, again and again.
"""

from typing import Any

import pytest

from tests.naive.twin import Wrong
from tests.simulation.twins import CXL, DRAM, SAME, Pair, app, engine_figures, host

DEMOTING = {
    "reclaim__demotion_enabled": True,
    "reclaim__min_free_kbytes": 128,
    "reclaim__watermark_scale_factor": 300,
}
LRUS = ["active_inactive", "mglru"]


def swept(stride: int, size_mib: float, share_pct: float, **more: Any) -> dict[str, Any]:
    knobs = {"stride_pages": stride, "burst": 1}
    vma = {"size_mib": size_mib, "pattern": "sequential", "sequential": knobs}
    return vma | {"share_pct": share_pct} | more


def pressed(lru: str, *vmas: dict[str, Any], **changes: Any) -> Pair:
    """Some thousand accesses a second; nine tenths go to three quarters of the fast node."""
    vmas = vmas or (swept(7, 0.75, 90.0), swept(5, 1.0, 10.0))
    return Pair(host(app(1e6, *vmas), reclaim__lru=lru, **DEMOTING | changes))


def narrow(lru: str) -> Pair:
    """Copies take as much of the bandwidth as there is: a page takes 82 us, not half a one."""
    slow = {"read_gb_s": 0.05, "write_gb_s": 0.05}
    return pressed(lru, nodes=[DRAM | slow, CXL | slow])


@pytest.mark.parametrize("lru", LRUS)
def test_two_sweeps_agree(lru: str) -> None:
    figures = pressed(lru).equal()
    assert figures["pgdemote_kswapd"] > 1000
    assert figures["reclaim_scanned"] > 5 * figures["pgdemote_kswapd"], "most are spared"


@pytest.mark.parametrize("lru", LRUS)
def test_two_sweeps_agree_where_copies_wait_for_bandwidth(lru: str) -> None:
    assert narrow(lru).equal()["migrate_no_room"] > 100, "kswapd does not keep up"


@pytest.mark.parametrize("lru", LRUS)
def test_two_sweeps_agree_under_the_head_room_of_tpp(lru: str) -> None:
    head_room = {"reclaim__tiering_mode": True, "reclaim__demote_scale_factor": 1000}
    assert pressed(lru, **head_room).equal()["migrate_no_room"] == 0


@pytest.mark.parametrize(("order", "size_mib"), [(4, 4), (9, 16)])
@pytest.mark.parametrize("lru", LRUS)
def test_large_folios_agree(lru: str, order: int, size_mib: int) -> None:
    large, small = swept(7, size_mib, 80.0, order=order), swept(5, 0.5, 20.0)
    nodes = [DRAM | {"capacity_mib": size_mib}, CXL | {"capacity_mib": 64}]
    changes = {"reclaim__demote_scale_factor": 1000, "pte_scan__ignore_threshold": 1}
    figures = pressed(lru, large, small, nodes=nodes, **changes).equal()
    assert figures["pgdemote_kswapd"] > 4000


@pytest.mark.parametrize("order", [0, 4])
@pytest.mark.parametrize("lru", LRUS)
def test_a_file_that_is_read_pass_after_pass_agrees(lru: str, order: int) -> None:
    """It lies on the fast node, sinks, and never rises: no scanner sees it."""
    read = swept(3, 0.5, 30.0, kind="page_cache", node="DRAM", order=order)
    figures = pressed(lru, swept(7, 0.75, 60.0), swept(5, 0.75, 10.0), read).equal()
    assert figures["pgdemote_kswapd"] > 1000


def held(lru: str, **changes: Any) -> Pair:
    """An eighth of the fast node is pinned; kswapd looks past it, and now and then gives up."""
    pinned = swept(11, 0.125, 5.0, pinned_pct=100.0, node="DRAM")
    return pressed(lru, pinned, swept(7, 0.75, 85.0), swept(5, 1.0, 10.0), **changes)


@pytest.mark.parametrize("lru", LRUS)
def test_folios_that_cannot_sink_agree(lru: str) -> None:
    assert held(lru).equal()["demote_fail"] > 1000


@pytest.mark.parametrize("lru", LRUS)
def test_a_kswapd_that_gave_up_looks_again_at_its_time_however_rows_are_sampled(lru: str) -> None:
    """In a step as long as a row all scanning would come before it."""
    often, seldom = (engine_figures(held(lru, sample_ms=ms).scenario, 1) for ms in (10, 1000))
    assert often == pytest.approx(seldom, rel=SAME)


@pytest.mark.parametrize(
    ("wrong", "figure"),
    [
        (Wrong(late=True), "migrate_no_room"),
        (Wrong(ignorant=True), "reclaim_scanned"),
        (Wrong(stuck=True), "pgdemote_kswapd"),
    ],
    ids=["wakes late", "ignores the accessed bit", "has a hand that never moves"],
)
@pytest.mark.parametrize("lru", LRUS)
def test_the_comparison_tells_a_kswapd_that(lru: str, wrong: Wrong, figure: str) -> None:
    pressed(lru).unequal(wrong, figure)


@pytest.mark.parametrize("lru", LRUS)
def test_the_comparison_tells_a_kswapd_that_copies_faster_than_the_nodes(lru: str) -> None:
    narrow(lru).unequal(Wrong(hasty=True), "pgdemote_kswapd", "migrate_no_room")


@pytest.mark.parametrize("lru", LRUS)
def test_the_comparison_tells_a_kswapd_that_takes_pinned_folios_for_freed(lru: str) -> None:
    held(lru).unequal(Wrong(trusting=True), "demote_fail")


def test_the_comparison_tells_an_activation_that_forgets_the_reference() -> None:
    pressed("active_inactive").unequal(Wrong(forgetful=True), "reclaim_scanned")
