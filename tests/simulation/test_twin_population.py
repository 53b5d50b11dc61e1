"""Engine and naive twin: processes that come, grow and go, fixed work, and the end of memory."""

from functools import cache

import pytest

from tests.naive.twin import Twin, Wrong
from tests.simulation.twins import CXL, DRAM, Pair, app, filler, host

HOT = {"size_mib": 0.375, "pattern": "hot_set", "hot_set": {"hot_size_pct": 25.0}}
DEMOTING = {
    "reclaim__demotion_enabled": True,
    "reclaim__min_free_kbytes": 128,
    "reclaim__watermark_scale_factor": 300,
}
LIVES = {"start_s": 0.5, "lifetime_s": 0.72, "every_s": 1.13}
FIRST_TOUCH = {"node": "first_touch"}


QUIET = {"pattern": "sequential", "sequential": {"burst": 4096}}
SMALL = [DRAM, CXL | {"capacity_mib": 1}]
SCANLESS = {"preset": "none", "until_s": 2.0}
WATERMARKS = {
    "reclaim__demotion_enabled": True,
    "reclaim__min_free_kbytes": 128,  # 16 pages of each node
    "reclaim__watermark_scale_factor": 100,  # and 4 from mark to mark
}


def test_direct_reclaim_worked_by_hand() -> None:
    """Of 256 pages of DRAM, early takes 160 and late, half a second later, is to have 160 too.

    80 are free above min. Of the other 80 late makes room for, page by page of early: page 0 was
    accessed and stays, 1 to 80 sink. That leaves min, so kswapd demotes 8 more, from the granule
    at which its hand is now, which is late's. 81 looks, 80 demotions and 160 faults stall it in its
    first tick, after which its accesses go to CXL now and then.
    """
    work = 100.0
    early = app(1e6, QUIET | {"size_mib": 0.625, "node": "DRAM"}, name="early")
    late = app(
        1e6, QUIET | {"size_mib": 0.625, "node": "DRAM"}, name="late", start_s=0.5,
        work_accesses=work,
    )  # fmt: skip
    figures = Pair(host(early, late, nodes=SMALL, **SCANLESS, **WATERMARKS)).equal()
    assert figures["pgdemote_direct"] == 80
    assert figures["pgdemote_kswapd"] == 8
    assert figures["reclaim_scanned"] == 81 + 8
    assert figures["pgfault"] == 160
    assert (figures["free_0"], figures["free_1"]) == (24, 256 - 88)
    stall = 81 * 250.0 + 80 * (1700 + 4096 / 10.6) + 160 * 1000.0
    in_first_tick = (1e7 - stall) / (1e6 + 100)
    trip = 1e6 + (152 * 100 + 8 * 250) / 160
    ended = 0.5e9 + 1e7 + (work - in_first_tick) * trip
    assert figures["elapsed_s"] == pytest.approx(ended / 1e9, rel=1e-8)


def test_the_end_of_memory_worked_by_hand() -> None:
    """As above, but CXL has room for 48 pages above min only, so 32 of late's find no place.

    Two rounds over three granules without a page demoted: 32 failures for each look at early and
    at late. Then early is the largest, with 160 pages against 128 of late so far and 144 elsewhere;
    it is killed, and late gets the rest.
    """
    early = app(1e6, QUIET | {"size_mib": 0.625, "node": "DRAM"}, name="early")
    late = app(1e6, QUIET | {"size_mib": 0.625, "node": "DRAM"}, name="late", start_s=0.5)
    other = app(1e9, QUIET | {"size_mib": 0.5625}, name="other")
    filler_too = app(1e9, QUIET | {"size_mib": 0.1875}, name="another")
    scenario = host(early, late, other, filler_too, nodes=SMALL, **SCANLESS, **WATERMARKS)
    figures = Pair(scenario).equal()
    assert figures["killed"] == 1
    assert figures["pgdemote_direct"] == 48
    assert figures["pgfault"] == 160
    assert (figures["free_0"], figures["free_1"]) == (256 - 160, 256 - 192)
    twin = Twin(scenario, 1)
    twin.run()
    assert twin.population.killed == ["early"]


def test_fixed_work_ends_at_the_same_time() -> None:
    """Promoted or not, with page walks for want of TLB entries; the run ends with the work."""
    machine = {
        "machine__tlb_entries": 16,
        "machine__pt_cache_mib": 0.0003,
        "machine__walk_cached_ns": 2e2,
        "machine__walk_memory_ns": 2e3,
    }
    process = app(1.2e7, HOT | {"size_mib": 0.25}, threads=2, work_accesses=500.0, write_pct=30.0)
    pair = Pair(host(filler(0.875), process, **machine), runs=40)
    pair.check("elapsed_s", "migrate_no_room", "recall")


def test_a_process_is_faster_from_the_tick_on_after_which_its_memory_rose() -> None:
    """Not from the last row on, up to a second before. CXL takes ten times as long; visits take a
    third of the memory each, so that some of them find what rises between two rows."""
    nodes = [DRAM | {"capacity_mib": 4, "latency_ns": 1e4}, CXL | {"latency_ns": 1e5}]
    sweep = {"pattern": "sequential", "sequential": {"burst": 3, "stride_pages": 7}}
    process = app(0.0, sweep | {"size_mib": 3.0, "split_mib": 0.25}, mlp=0.02)
    sizes = {f"pte_scan__scan_size_{name}": 1 for name in ("mib", "min_mib", "max_mib")}
    figures = Pair(host(process, nodes=nodes, **sizes)).equal()
    assert figures["pgpromote_success"] == 3 * 256


def test_copies_slow_a_process_for_as_long_as_they_last() -> None:
    """Every access waits for one of two slow nodes, and copies take all that they leave.

    Samples are far apart: what one tick copies must not be charged until the next row. Latency
    grows by a curve of its own on each node.
    """
    slow = {"read_gb_s": 0.05, "write_gb_s": 0.05}
    curve = {"curve_a": 0.3, "curve_b": 3}
    nodes = [DRAM | {"latency_ns": 1e4} | slow, CXL | {"latency_ns": 1e5} | slow | curve]
    sweep = {"pattern": "sequential", "sequential": {"burst": 3, "stride_pages": 5}}
    process = app(
        100.0, sweep | {"size_mib": 0.5}, mlp=0.01, write_pct=20.0, work_accesses=2000.0
    )  # fmt: skip
    assert Pair(host(process, nodes=nodes)).equal()["elapsed_s"] > 2.0


@cache
def short_lived() -> Pair:
    """Two processes that live five times 0.72 s beside one that stays."""
    stays = app(5e6, HOT | FIRST_TOUCH)
    brief = app(5e6, HOT | FIRST_TOUCH | {"size_mib": 0.25}, name="brief", count=2, **LIVES)
    changes = {"pte_scan__mms_to_scan": 5, **DEMOTING}
    return Pair(host(filler(0.5), stays, brief, **changes))


def test_short_lived_processes_agree() -> None:
    figures = ["pgpromote_success", "pgdemote_kswapd", "untouched", "recall", "visits"]
    short_lived().check(*figures)
    assert set(short_lived().fast["precision"]) == {1.0}, "all that is touched fits"
    assert set(short_lived().fast["pgfault"]) == {5 * 2 * 64}


def test_the_comparison_tells_an_accessed_bit_that_outlives_its_process() -> None:
    short_lived().differs(Wrong(remembers=True), "reclaim_scanned")


@cache
def reborn() -> Pair:
    """A thread that looks every 0.4 s finds what a life that is over has left to it, or not."""
    swept = {"pattern": "sequential", "sequential": {"stride_pages": 7, "burst": 1}}
    brief = app(2e6, swept | {"size_mib": 0.75}, lifetime_s=0.72, every_s=0.75)
    changes = {"owner": "thread", "thread_sleep_ms": 400, "batch_us": 0.0}
    dotted = {f"migration__{name}": value for name, value in changes.items()}
    return Pair(host(brief, pte_scan__useful="as_intended", **dotted | {"until_s": 5.9}), runs=2)


def test_what_waits_does_not_outlive_its_process() -> None:
    assert reborn().equal()["migrate_stale"] > 50


def test_the_comparison_tells_candidates_that_outlive_their_process() -> None:
    reborn().differs(Wrong(keeps=True), "migrate_stale")


def test_a_working_set_that_grows_over_the_fast_node_agrees() -> None:
    """Faults of 1 ms each stall the process for half of its time."""
    vma = {"size_mib": 1.75, "pattern": "growing", "growing": {"step_accesses": 70.0, "steps": 12}}
    scenario = host(app(5e6, vma | FIRST_TOUCH), machine__fault_us=1000.0, **DEMOTING)
    pair = Pair(scenario, runs=40)
    pair.check("pgpromote_success", "pgdemote_kswapd", "visits", "untouched", "hit_share")
