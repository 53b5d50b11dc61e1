"""Engine and naive twin: folio orders, the queue and its threads, what becomes of candidates."""

from functools import cache
from typing import Any

import pytest

from tests.naive.twin import Wrong
from tests.simulation.twins import CXL, DRAM, Pair, app, filler, host

HOT = {"size_mib": 0.25, "pattern": "hot_set", "hot_set": {"hot_size_pct": 25.0}}
ODD = HOT | {"pinned_pct": 12.5, "shared_pct": 25.0}
THREAD = {"migration__owner": "thread"}


@cache
def large(order: int) -> Pair:
    """Folios of 16 and of 512 pages, touched some 80 times a second in all."""
    if order == 4:
        hot = {"hot_size_pct": 12.5, "layout": "contiguous"}
        vma: dict[str, Any] = {"size_mib": 6.0, "pattern": "hot_set", "hot_set": hot}
        nodes = [DRAM, CXL]
    else:
        vma = {"size_mib": 48.0, "pattern": "gaussian"}
        nodes = [DRAM | {"capacity_mib": 16}, CXL | {"capacity_mib": 64}]
    process = app(1.2e7, vma | {"order": order})
    changes = {"migration__reserve": "none", "pte_scan__ignore_threshold": 3}
    return Pair(host(process, nodes=nodes, **changes), runs=40)


@pytest.mark.parametrize("order", [4, 9])
def test_a_large_folio_is_touched_if_any_of_its_pages_is(order: int) -> None:
    # Top-tier share of the gaussian: bins of folios, 0.5 % apart from the exact law of pages.
    large(order).check("migrate_no_room", "recall", apart=["hit_share"])
    large(order).differs(Wrong(first_page=True), "recall")


def test_large_folios_of_an_exact_law_agree_within_the_classes_of_the_engine() -> None:
    vma = {"size_mib": 6.0, "pattern": "zipf", "order": 4}
    process = app(1.2e7, vma)
    Pair(host(process, migration__reserve="none"), runs=40).check("migrate_no_room", "found")


@cache
def threaded() -> Pair:
    """V1: a thread migrates, in batches, tests high, and leaves shared folios."""
    changes = {"reserve": "high", "refuse_shared": True, "batch_nr": 16}
    dotted = {f"migration__{name}": value for name, value in changes.items()}
    return Pair(host(filler(0.875), app(1.2e7, ODD), **THREAD, **dotted))


CAUSES = ("migrate_no_room", "migrate_pinned", "migrate_shared")


def test_a_migration_thread_agrees_in_what_fails_and_why() -> None:
    threaded().check(*CAUSES, "pgpromote_candidate", "recall")


def test_the_comparison_tells_a_thread_that_does_not_sleep() -> None:
    threaded().differs(Wrong(sleepless=True), "oldest_ms")


def test_the_comparison_tells_a_thread_that_keeps_no_watermark() -> None:
    threaded().differs(Wrong(greedy=True), "pgpromote_success")


def test_a_bounded_queue_that_a_thread_drains_drops_the_same() -> None:
    process = app(1.2e7, HOT)
    scenario = host(filler(0.875), process, migration__queue_max=40, **THREAD)
    Pair(scenario).check("migrate_no_room", "pgpromote_candidate")


def test_a_rate_limit_refuses_the_same() -> None:
    process = app(4e6, {"size_mib": 3.0})
    node = DRAM | {"capacity_mib": 4}
    scenario = host(process, nodes=[node, CXL], migration__rate_limit_mib_s=1, until_s=4.0)
    Pair(scenario, runs=40).check("migrate_limited", "pgpromote_success", "untouched")


def test_many_mms_keep_one_scanner_as_busy() -> None:
    """Some 500 fruitful visits a second, many in one tick; each migrates inline before the next."""
    process = app(1e8, {"size_mib": 0.03125}, count=16)
    scenario = host(filler(0.9375), process, pte_scan__mms_to_scan=20, until_s=2.0)
    Pair(scenario, runs=40).check("visits", "scanned", "pgpromote_candidate")


def test_the_budget_of_a_visit_is_tested_between_vmas() -> None:
    """Eight VMAs, of which a visit takes one to four, and a file that no scanner sees."""
    mapped = {"size_mib": 2.0, "split_mib": 0.25, "pattern": "zipf", "share_pct": 60.0}
    read = {"size_mib": 0.5, "kind": "page_cache", "share_pct": 40.0}
    sizes = {"scan_size_mib": 1, "scan_size_min_mib": 1, "scan_size_max_mib": 2}
    changes = {f"pte_scan__{name}": value for name, value in sizes.items()}
    Pair(host(app(6e6, mapped, read), **changes), runs=30).check("recall", "found")


@pytest.mark.parametrize("useful", ["as_posted", "as_intended"])
def test_two_threads_share_the_list(useful: str) -> None:
    """Threads that migrate inline take turns at ticks over one queue, so here a third one does."""
    process = app(5e6, HOT, count=3)
    changes = {"pte_scan__nr_threads": 2, "pte_scan__useful": useful, **THREAD}
    changes |= {"migration__thread_sleep_ms": 5}
    figures = ["visits", "pgpromote_candidate", "recall"]
    Pair(host(filler(0.5), process, **changes), runs=40).check(*figures)


SMALL_VISITS = {
    "pte_scan__scan_delay_ms": 300,
    "pte_scan__scan_size_mib": 32,
    "pte_scan__scan_size_min_mib": 1,
    "pte_scan__scan_size_max_mib": 64,
    "pte_scan__decay_shift": 1,
}


@pytest.mark.parametrize(
    ("budget", "pages"), [("strict", 0), ("until_useful", 0), ("raised", 0), ("strict", 25)]
)
def test_version_1_and_its_budgets_agree_with_the_twin(budget: str, pages: int) -> None:
    """Several VMAs of which one is shared in part; a page budget ends visits between granules."""
    vmas = [ODD, ODD | {"size_mib": 33.0, "order": 4}, HOT | {"pattern": "hot_set"}]
    changes: dict[str, Any] = SMALL_VISITS | {
        "preset": "kmmscand_v1", "pte_scan__budget": budget, "pte_scan__page_budget_pct": pages,
    }  # fmt: skip
    nodes = (DRAM, CXL | {"capacity_mib": 64})
    Pair(host(filler(0.875), app(1.2e7, *vmas), nodes=nodes, **changes), runs=30).check("found")


def two_mms(preset: str, **changes: Any) -> Pair:
    """Two processes that find room for half of their folios; the second one comes later."""
    processes = [app(1.2e7, HOT, name="a"), app(1.2e7, HOT, name="b", start_s=0.5)]
    dotted = {f"migration__{name}": value for name, value in changes.items()}
    more: dict[str, Any] = SMALL_VISITS | {"preset": preset, "until_s": 5.0} | dotted
    return Pair(host(filler(0.75), *processes, **more), runs=40)


@pytest.mark.parametrize("lists", ["first_mm", "round_robin"])
def test_a_list_for_every_mm_agrees_with_the_twin(lists: str) -> None:
    two_mms("kscand_v2", lists=lists, reserve="none").check("found")


@pytest.mark.parametrize("lists", ["first_mm", "round_robin"])
def test_two_windows_agree_with_the_twin(lists: str) -> None:
    pair = two_mms("kscand_v3", lists=lists, reserve="none")
    pair.check("pgpromote_success", "pgpromote_candidate", "found")


def test_without_generations_nothing_is_active_that_nobody_activates() -> None:
    pair = Pair(host(app(1.2e7, HOT), preset="kscand_v2", reclaim__lru="active_inactive"), runs=4)
    pair.check("migrate_cold")
    assert not pair.fast["pgpromote_success"].any()


@pytest.mark.parametrize("target", ["most_scanned", "most_accessed"])
def test_several_top_tier_nodes_agree_with_the_twin(target: str) -> None:
    """Of each process a part is on a top-tier node of its own; the default is the third."""
    nodes = [DRAM | {"name": f"DRAM{nid}"} for nid in range(3)] + [CXL]
    processes = [
        app(1.2e7, HOT | {"node": f"DRAM{at + 1}", "size_mib": 0.125}, HOT, name=f"p{at}")
        for at in range(2)
    ]
    changes: dict[str, Any] = {"preset": "kscand_v3", "pte_scan__target": target}
    more = {"migration__lists": "round_robin", "until_s": 5.0} | SMALL_VISITS | changes
    pair = Pair(host(*processes, nodes=nodes, **more), runs=30)
    pair.check("pgpromote_success", "found", "free_1", "free_2")
