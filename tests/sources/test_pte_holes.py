"""Holes in a VMA, huge mappings that a walk splits, and what the kernel counts while it walks."""

from typing import Any

import numpy as np
import pytest

from tests.engine.machines import Layout, flat_memory, flat_rates, laid_out
from tests.sources.scanners import STILL, knobs_of, one_visit
from tiering.engine.folios import ACCESSED, FAULTED, GRANULE, HINT, IDLE, SHARED
from tiering.engine.touch import scratch
from tiering.sources.pte_knobs import PteScan
from tiering.sources.pte_scan import PteScanner
from tiering.sources.pte_state import ScannedMm
from tiering.sources.pte_visit import NS_PER_MS

V0 = PteScan(pte_slow_ns=0.0, pte_top_ns=0.0, pte_none_ns=0.0, visit_ns=0)
V1 = knobs_of("kmmscand_v1")._replace(scan_delay_ms=0)
V3 = knobs_of("kscand_v3")._replace(scan_delay_ms=0)


def sparse(present: int, knobs: PteScan, granules: int = 2, nid: int = 1) -> PteScanner:
    """One VMA of so many granules, of whose page tables `present` PTEs are populated."""
    memory = flat_memory(granules * GRANULE, nid=nid)
    vma = (0, granules, granules * 32.0 * 512 / present)
    mm = ScannedMm("mm", (vma,), None, ((present, False),))
    return PteScanner(knobs, memory, flat_rates(0.0), scratch(), [mm])


def counted(scan: PteScanner, *names: str) -> list[int]:
    return [scan.counters[name] for name in names]


def test_in_v0_the_walk_of_a_vma_ends_at_its_first_hole() -> None:
    scan = sparse(100, V0)
    clock, reported = one_visit(scan, 0)
    assert reported == 100
    assert scan.reports.folios.tolist() == list(range(100))
    assert scan.mms.nr_scanned[0] == 100
    assert scan.mms.cursor[0] == 0, "the VMA was walked: the next visit begins anew"
    scan.memory.folio[:] |= np.uint32(ACCESSED)
    _, reported = one_visit(scan, clock)
    assert reported == 100
    assert (scan.memory.folio[100:] & np.uint32(ACCESSED)).all(), "nobody looks behind the hole"


def test_behind_the_hole_touches_stay_until_somebody_looks() -> None:
    """The granule's time of last look goes on for all of it, so all of it is latched."""
    memory = flat_memory(GRANULE)
    mm = ScannedMm("mm", ((0, 1, 32.0),), None, ((4, False),))
    scan = PteScanner(V0, memory, flat_rates(1e9), scratch(), [mm])
    pace = STILL._replace(speed=np.array([1.0]))
    scan.run(0, 10, 11, pace, True)
    assert (memory.folio[4:GRANULE] & np.uint32(ACCESSED)).all()
    assert not (memory.folio[:4] & np.uint32(ACCESSED)).any()


def test_from_v1_on_the_walk_passes_over_holes() -> None:
    scan = sparse(100, V1)
    _, reported = one_visit(scan, 0)
    assert reported == 2 * GRANULE


def test_the_interim_patch_stops_at_holes_as_v0_does() -> None:
    _, reported = one_visit(sparse(7, knobs_of("kmmscand_interim")), 0)
    assert reported == 7


@pytest.mark.parametrize(("present", "empty"), [(512, 0), (256, 1), (1, 511)])
def test_empty_ptes_of_page_tables_that_exist_take_their_time(present: int, empty: int) -> None:
    scan = sparse(present, V1._replace(pte_slow_ns=15.0, pte_none_ns=2.0))
    clock, _ = one_visit(scan, 0)
    assert clock == 2 * GRANULE * (15 + 2 * empty)
    scan = sparse(present, V0._replace(pte_slow_ns=15.0, pte_none_ns=2.0))
    clock, _ = one_visit(scan, 0)
    assert clock == (2 * GRANULE * 15 if present == 512 else present * 15 + 2)


def test_the_scan_size_counts_addresses_with_their_holes() -> None:
    """Three VMAs of 32 MiB in 256 MiB of addresses each: a budget of 512 takes two of them."""
    memory = flat_memory(3 * GRANULE)
    vmas = tuple((i, i + 1, 256.0) for i in range(3))
    mm = ScannedMm("mm", vmas, None, ((64, False),) * 3)
    scan = PteScanner(V1._replace(scan_size_mib=512), memory, flat_rates(0.0), scratch(), [mm])
    one_visit(scan, 0)
    assert scan.mms.cursor[0] == 2


def test_slow_top_and_idle_ptes_are_counted_as_the_kernel_does() -> None:
    """Of 8,192 slow PTEs in the second visit 300 are young, so useful."""
    scan = sparse(512, V1, granules=1)
    names = ("nr_kmmscand_slowtier", "nr_kmmscand_toptier", "nr_kmmscand_idlepage")
    clock, _ = one_visit(scan, 0)
    assert counted(scan, *names) == [GRANULE, 0, 0], "the first walk finds all useful"
    scan.memory.folio[:300] |= np.uint32(ACCESSED)
    one_visit(scan, clock)
    assert counted(scan, *names) == [2 * GRANULE, 0, GRANULE - 300]
    top = sparse(512, V1, granules=1, nid=0)
    one_visit(top, 0)
    assert counted(top, *names) == [0, GRANULE, 0]


@pytest.mark.parametrize("nid", [0, 1])
def test_shared_ptes_are_counted_on_neither_tier_where_they_are_passed_over(nid: int) -> None:
    for knobs, left in ((V1, GRANULE - 5), (V0, GRANULE)):
        memory = flat_memory(GRANULE, nid=nid)
        memory.folio[10:15] |= np.uint32(SHARED)
        mm = ScannedMm("mm", ((0, 1, 32.0),), None, ((512, True),))
        scan = PteScanner(knobs, memory, flat_rates(0.0), scratch(), [mm])
        one_visit(scan, 0)
        tiers = counted(scan, "nr_kmmscand_toptier", "nr_kmmscand_slowtier")
        assert tiers == ([left, 0] if nid == 0 else [0, left])
        assert scan.counters["nr_kmmscand_idlepage"] == 0


def test_v3_counts_as_cold_what_was_idle_since_the_walk_before() -> None:
    scan = sparse(512, V3, granules=1)
    names = ("nr_kmmscand_idlepage", "nr_kscand_coldpage")
    scan.memory.folio[:100] |= np.uint32(ACCESSED)
    clock, reported = one_visit(scan, 0)
    assert (reported, counted(scan, *names)) == (100, [GRANULE - 100, 0])
    scan.memory.folio[90:110] |= np.uint32(ACCESSED)
    _, reported = one_visit(scan, int(scan.mms.next_scan[0]))
    assert reported == 10
    idle = GRANULE - 100 + GRANULE - 10
    assert counted(scan, *names) == [idle, GRANULE - 100]
    assert clock < scan.mms.next_scan[0]


def test_vmas_are_counted_when_they_were_walked_to_their_end() -> None:
    memory = flat_memory(3 * GRANULE)
    mm = ScannedMm("mm", ((0, 2, 64.0), (2, 3, 32.0)))
    scan = PteScanner(V1, memory, flat_rates(0.0), scratch(), [mm])
    clock, _ = one_visit(scan, 0)
    assert scan.counters["nr_kmmscand_vma_scans"] == 2
    one_visit(scan, clock)
    assert scan.counters["nr_kmmscand_vma_scans"] == 4


def huge(nr: int, nid: int, knobs: Any = V1) -> PteScanner:
    memory = laid_out([Layout(nr, 9, nid)], [1 << 30, 1 << 30])
    mm = ScannedMm("mm", ((0, memory.nr.size, 32.0 * memory.nr.size),))
    return PteScanner(knobs, memory, flat_rates(0.0), scratch(), [mm])


@pytest.mark.parametrize("nid", [0, 1])
def test_each_huge_mapping_is_split_once_on_either_tier(nid: int) -> None:
    scan = huge(20, nid)
    clock, _ = one_visit(scan, 0)
    assert scan.counters["thp_split_pmd"] == 20
    tiers = counted(scan, "nr_kmmscand_toptier", "nr_kmmscand_slowtier")
    assert sorted(tiers) == [0, 20 * 512]
    clock, _ = one_visit(scan, clock)
    assert scan.counters["thp_split_pmd"] == 20
    scan.leave(0)
    scan.enter(0, clock)
    one_visit(scan, clock)
    assert scan.counters["thp_split_pmd"] == 40, "a process that begins anew maps anew"


def test_smaller_folios_have_no_huge_mapping_to_split() -> None:
    memory = laid_out([Layout(512, 4)], [1 << 30, 1 << 30])
    mm = ScannedMm("mm", ((0, 1, 32.0),))
    scan = PteScanner(V1, memory, flat_rates(0.0), scratch(), [mm])
    one_visit(scan, 0)
    assert scan.counters["thp_split_pmd"] == 0


def test_as_posted_a_live_period_is_seen_only_by_mms_that_come_later() -> None:
    scan = sparse(512, V0._replace(period_write="later_mms"), granules=1)
    clock, _ = one_visit(scan, 0)
    before, due = int(scan.mms.period_ms[0]), int(scan.mms.next_scan[0])
    scan.retune("scan_period_ms", 4000, clock)
    assert (scan.mms.period_ms[0], scan.mms.next_scan[0]) == (before, due)
    scan.enter(0, clock)
    assert scan.mms.period_ms[0] == 4000


def test_a_scanner_that_is_turned_off_and_on_again_goes_on_where_it_was() -> None:
    scan = sparse(512, V0, granules=1)
    clock, _ = one_visit(scan, 0)
    scan.memory.folio[:] |= np.uint32(IDLE)
    scan.retune("scan_enabled", False, clock)
    later = int(scan.mms.next_scan[0]) + 1000 * NS_PER_MS
    assert scan.run(0, clock, later, STILL, True) == (later, 0, 0, False)
    assert scan.rest(0, clock, later) == (later, 0)
    scan.retune("scan_enabled", True, later)
    one_visit(scan, later)
    assert scan.mms.nr_visits[0] == 2
    assert later <= scan.mms.last_start[0] <= later + 17 * NS_PER_MS


@pytest.mark.parametrize("knobs", [V0, V3])
def test_a_walk_leaves_a_fault_where_a_marked_folio_was_touched(knobs: PteScan) -> None:
    """Two sources at once: the accessed bit is the scan's, the fault that of NUMA balancing."""
    memory = flat_memory(5000)
    memory.folio[100:4000] |= np.uint32(HINT)
    memory.hinted[0] = 3900
    mm = ScannedMm("mm", ((0, 1, 32.0),))
    scan = PteScanner(knobs, memory, flat_rates(1e9), scratch(), [mm])
    pace = STILL._replace(speed=np.array([1.0]))
    step = scan.run(0, 10, 11, pace, True)
    assert step.nr_reports == 5000
    faulted = np.flatnonzero(memory.folio & np.uint32(FAULTED))
    assert faulted.tolist() == list(range(100, 4000))
    assert not (memory.folio & np.uint32(ACCESSED)).any()
