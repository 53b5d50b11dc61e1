"""The physical walk: slow nodes instead of mms, reverse maps instead of page tables."""

import math

import numpy as np
import pytest
from scipy import stats

from tests.engine.machines import Layout, flat_rates, laid_out, pace
from tests.sources.scanners import knobs_of
from tests.sources.scanners import one_visit as visit
from tiering.engine.flow import Pace
from tiering.engine.folios import ACCESSED, GRANULE, IDLE, SHARED, YOUNG
from tiering.engine.touch import scratch
from tiering.sources.pfn_scan import PfnScanner
from tiering.sources.pte_knobs import PteScan
from tiering.sources.pte_visit import NS_PER_MS

P_THRESHOLD = 1e-4
STILL = pace(nr_mms=3)
ROOM = 1 << 22
V0 = PteScan(walk="physical", pte_slow_ns=15.0, pte_top_ns=1000.0, visit_ns=0, rmap_factor=20.0)
PLENTY = V0._replace(scan_size_mib=16384)


def one_visit(scan: PfnScanner, clock: int, at: Pace = STILL) -> tuple[int, int]:
    return visit(scan, clock, at)


def scanner(
    vmas: list[Layout], knobs: PteScan = PLENTY, nodes: int = 2, share: float = 0.0,
    vector: bool = True, threads: int = 1,
) -> PfnScanner:  # fmt: skip
    """VMAs of mms on `nodes` nodes, of which the first is the top tier."""
    memory = laid_out(vmas, [ROOM] * nodes)
    nr = max(vma.mm for vma in vmas) + 1
    slow = [(nid, f"N{nid}") for nid in range(1, nodes)]
    lists = [list(range(i, len(slow), threads)) for i in range(threads)]
    return PfnScanner(
        knobs, memory, flat_rates(share, nr), scratch(vector), slow, nr, lists, "kmmscand"
    )


def test_folios_of_the_slow_node_are_found_whoever_maps_them_and_the_top_tier_costs_nothing() -> (
    None
):
    scan = scanner([Layout(100, mm=0), Layout(5000, nid=0, mm=1), Layout(50, mm=2)])
    clock, reported = one_visit(scan, 0)
    assert reported == 150
    assert clock == 150 * 300
    assert scan.mms.nr_scanned.tolist() == [150]
    assert scan.counters["nr_kmmscand_slowtier"] == 150
    assert scan.counters["nr_kmmscand_toptier"] == 0


def test_accessed_bits_are_cleared_and_read_as_a_walk_of_page_tables_does() -> None:
    scan = scanner([Layout(100)])
    clock, _ = one_visit(scan, 0)
    scan.memory.folio[[3, 7]] |= np.uint32(ACCESSED)
    clock, reported = one_visit(scan, clock)
    assert (reported, scan.reports.folios.tolist()) == (2, [3, 7])
    assert not (scan.memory.folio[:100] & np.uint32(ACCESSED)).any()
    assert (scan.memory.folio[:100] & np.uint32(IDLE)).all()
    assert np.flatnonzero(scan.memory.folio & np.uint32(YOUNG)).tolist() == [3, 7]
    assert scan.counters["nr_kmmscand_idlepage"] == 98


def test_bits_of_another_node_are_left_as_they_are() -> None:
    scan = scanner([Layout(100, nid=1), Layout(100, nid=2, mm=1)], nodes=3)
    scan.memory.folio[:] |= np.uint32(ACCESSED)
    one_visit(scan, 0)
    assert not (scan.memory.folio[:100] & np.uint32(ACCESSED)).any()
    assert (scan.memory.folio[GRANULE : GRANULE + 100] & np.uint32(ACCESSED)).all()


@pytest.mark.parametrize(("order", "ns"), [(0, 300), (4, 300 + 15 * 15), (9, 300)])
def test_a_large_folio_is_found_once_and_a_huge_mapping_is_one_entry(order: int, ns: int) -> None:
    scan = scanner([Layout(10, order)])
    clock, reported = one_visit(scan, 0)
    assert (clock, reported) == (10 * ns, 10)
    assert scan.mms.nr_scanned[0] == 10 << order
    assert scan.counters["thp_split_pmd"] == 0


@pytest.mark.parametrize("sharers", [2, 7])
def test_every_mapping_of_a_shared_folio_costs_as_much(sharers: int) -> None:
    scan = scanner([Layout(100)], PLENTY._replace(nr_sharers=sharers))
    scan.memory.folio[:10] |= np.uint32(SHARED)
    clock, reported = one_visit(scan, 0)
    assert (clock, reported) == ((90 + 10 * sharers) * 300, 100)


def test_shared_folios_that_are_passed_over_cost_a_look_at_their_frame() -> None:
    scan = scanner([Layout(100)], PLENTY._replace(skip_shared=True))
    scan.memory.folio[:10] |= np.uint32(SHARED)
    clock, reported = one_visit(scan, 0)
    assert (clock, reported) == (90 * 300 + 10 * 15, 90)
    assert scan.counters["nr_kmmscand_slowtier"] == 90


def test_page_cache_that_nobody_maps_is_seen_paid_for_and_never_reported() -> None:
    scan = scanner([Layout(1000)])
    scan.memory.unmapped[:] = 1
    scan.memory.folio[:1000] |= np.uint32(ACCESSED)
    _, reported = one_visit(scan, 0)
    assert (scan.mms.last_end[0], reported) == (1000 * 15, 0)
    assert scan.counters["scan_unmapped"] == 1000
    assert scan.mms.nr_scanned[0] == 1000


def test_the_scan_size_ends_a_visit_after_so_many_pages_of_the_node() -> None:
    """64 MiB are two granules; the third is on the top tier and counts nothing."""
    vmas = [Layout(2 * GRANULE), Layout(GRANULE, nid=0, mm=1), Layout(3 * GRANULE, mm=2)]
    scan = scanner(vmas, V0._replace(scan_size_mib=64, scan_size_min_mib=64, scan_size_max_mib=64))
    seen, clock = [], 0
    for _ in range(4):
        clock, reported = one_visit(scan, max(clock, int(scan.mms.next_scan[0])))
        seen.append((reported, int(scan.mms.inside[0])))
    assert seen == [(2 * GRANULE, 2), (2 * GRANULE, 5), (GRANULE, 0), (0, 2)]
    assert [row[0] for row in np.concatenate(scan.pass_ns)] == [0], "one full scan"


@pytest.mark.compiled  # six visits of a node
def test_the_period_and_the_size_of_a_node_adapt_as_those_of_an_mm() -> None:
    """All found; then nothing twice; then all again."""
    scan = scanner([Layout(GRANULE)], V0)
    seen = []
    for touched in (0, 0, 0, GRANULE):
        scan.memory.folio[:touched] |= np.uint32(ACCESSED)
        one_visit(scan, int(scan.mms.next_scan[0]))
        seen.append((int(scan.mms.period_ms[0]), int(scan.mms.size_mib[0])))
    assert seen == [(400, 16384), (3200, 16384), (3680, 8192), (460, 16384)]
    assert scan.events[0]["text"].startswith("kmmscand: node N1 useful 8192 period 2000 -> 400 ms")


def test_v3_stretches_no_period_since_scale_and_failures_are_those_of_mms() -> None:
    knobs = knobs_of("kscand_v3")._replace(walk="physical", scan_delay_ms=0)
    scan = scanner([Layout(GRANULE)], knobs)
    for _ in range(2):
        scan.memory.folio[:] |= np.uint32(ACCESSED)
        one_visit(scan, int(scan.mms.next_scan[0]))
    assert scan.mms.period_ms[0] == 600
    assert scan.mms.scale[0] == 1


def test_a_node_is_first_scanned_after_the_delay_and_mms_come_and_go() -> None:
    scan = scanner([Layout(100)], PLENTY._replace(scan_delay_ms=70))
    assert scan.mms.next_scan.tolist() == [70 * NS_PER_MS]
    scan.leave(0)
    scan.enter(0, 5 * NS_PER_MS)
    assert scan.mms.next_scan.tolist() == [70 * NS_PER_MS]


def test_all_mms_were_looked_at_once_every_node_was() -> None:
    vmas = [Layout(100, nid=1), Layout(100, nid=2, mm=1)]
    scan = scanner(vmas, nodes=3)
    clock, _ = one_visit(scan, 0)
    assert scan.passes.shape == (0, 3)
    one_visit(scan, clock)
    assert scan.passes.tolist() == [[0, 100 * 300, 100], [1, 100 * 300, 100]]
    assert scan.node_columns(3)["nr_visits"].tolist() == [0, 1, 1]
    assert scan.columns() == {}


def test_each_thread_scans_the_nodes_of_its_own_list() -> None:
    vmas = [Layout(100, nid=1), Layout(100, nid=2, mm=1)]
    scan = scanner(vmas, nodes=3, threads=2)
    scan.run(1, 0, NS_PER_MS, STILL, False)
    assert scan.mms.nr_visits.tolist() == [0, 1]
    scan.run(0, 0, NS_PER_MS, STILL, False)
    assert scan.mms.nr_visits.tolist() == [1, 1]


def found_in(scan: PfnScanner, clock: int, at: Pace) -> tuple[int, int]:
    """(clock, reports) of the next visit, of touches in this window alone."""
    scan.memory.folio[:] &= np.uint32(~YOUNG & 0xFFFFFFFF)
    return one_visit(scan, clock, at)


@pytest.mark.compiled  # millions of folios
@pytest.mark.parametrize("vector", [True, False])
@pytest.mark.parametrize("lt", [0.1, 1.0, 5.0])
def test_o1_and_o2_a_physical_walk_finds_touches_with_the_exact_probability(
    lt: float, vector: bool
) -> None:
    """1 - exp(-L T), as a walk of page tables: the first scan of a window and all later ones."""
    nr = 6 * GRANULE
    knobs = PLENTY._replace(pte_slow_ns=0.0, scan_period_max_ms=400)._replace(scan_period_ms=400)
    scan = scanner([Layout(nr)], knobs, share=lt, vector=vector)
    clock, reported = one_visit(scan, 0)
    assert reported == nr, "as posted the first scan reports all"
    at = STILL
    for window in range(1, 4):
        clock = int(scan.mms.next_scan[0])
        at = pace(0.0)._replace(tau=np.array([float(window)]))
        clock, found = found_in(scan, clock, at)
        assert stats.binomtest(found, nr, -math.expm1(-lt)).pvalue > P_THRESHOLD
        wrong = -math.expm1(-1.1 * lt)
        assert lt > 1 or stats.binomtest(found, nr, wrong).pvalue < P_THRESHOLD


@pytest.mark.compiled
def test_o1_two_windows_square_the_probability() -> None:
    nr, lt = 6 * GRANULE, 1.0
    knobs = PLENTY._replace(pte_slow_ns=0.0, useful="two_windows", scan_period_ms=400)
    scan = scanner([Layout(nr)], knobs, share=lt)
    scan.memory.folio[:] |= np.uint32(IDLE)
    one_visit(scan, 0)
    found = []
    for window in (1, 2):
        at = pace(0.0)._replace(tau=np.array([float(window)]))
        found.append(one_visit(scan, int(scan.mms.next_scan[0]), at)[1])
    p = -math.expm1(-lt)
    assert found[0] == 0
    assert stats.binomtest(found[1], nr, p * p).pvalue > P_THRESHOLD
    assert stats.binomtest(found[1], nr, p).pvalue < P_THRESHOLD
