"""What V1 and later change in the scan: delay, decay, budgets, shared folios."""

from typing import Any

import numpy as np
import pytest

from tests.sources.scanners import STILL, knobs_of, one_visit, scanner
from tiering.engine.folios import ACCESSED, GRANULE, IDLE, SHARED, SLOW
from tiering.sources.pte_scan import PteScanner
from tiering.sources.pte_visit import NS_PER_MS

V1 = knobs_of("kmmscand_v1")
NOW = V1._replace(scan_delay_ms=0)


def quiet(scan: PteScanner) -> None:
    """Every folio has been walked before and was not touched since."""
    scan.memory.folio[:] |= np.uint32(IDLE)


def touch(scan: PteScanner, granule: int, nr: int) -> None:
    scan.memory.folio[granule * GRANULE : granule * GRANULE + nr] |= np.uint32(ACCESSED)


def granules_of_a_visit(scan: PteScanner) -> int:
    before = int(scan.mms.nr_scanned[0])
    one_visit(scan, int(scan.mms.next_scan[0]))
    return (int(scan.mms.nr_scanned[0]) - before) // GRANULE


def test_the_first_scan_waits_for_the_delay() -> None:
    scan = scanner([1], V1)
    assert scan.mms.next_scan[0] == 1000 * NS_PER_MS
    scan.enter(0, 7)
    assert scan.mms.next_scan[0] == 7 + 1000 * NS_PER_MS
    clock = 0
    while clock < 999 * NS_PER_MS:
        clock = scan.run(0, clock, 999 * NS_PER_MS, STILL, True).clock
    assert scan.mms.nr_visits[0] == 0
    one_visit(scan, clock)
    assert 1000 * NS_PER_MS <= scan.mms.last_start[0] <= 1017 * NS_PER_MS


def test_useful_folios_decay_to_a_sixteenth_per_visit() -> None:
    """8 GiB as in a ghost: 2,097,152, then 131,072, 8,192 and 512, and 32 is none."""
    scan = scanner([1], NOW)
    quiet(scan)
    scan.mms.useful[0] = 2_097_152
    seen = []
    for _ in range(5):
        one_visit(scan, int(scan.mms.next_scan[0]))
        seen.append((int(scan.mms.useful[0]), int(scan.mms.period_ms[0])))
    assert seen == [(131_072, 1700), (8192, 1445), (512, 1228), (0, 5000), (0, 5000)]


def test_what_decays_counts_beside_what_was_found() -> None:
    scan = scanner([1], NOW)
    quiet(scan)
    scan.mms.useful[0] = 1600
    touch(scan, 0, 155)
    one_visit(scan, 0)
    assert (scan.mms.found[0], scan.mms.useful[0]) == (155, 0), "155 + 100 < 256"
    scan.mms.useful[0] = 1616
    one_visit(scan, int(scan.mms.next_scan[0]))
    assert (scan.mms.found[0], scan.mms.useful[0]) == (155, 256), "young: found again"


def test_a_strict_budget_is_not_raised() -> None:
    scan = scanner([1] * 8, NOW._replace(scan_size_mib=64, scan_size_min_mib=64))
    assert granules_of_a_visit(scan) == 2, "all 16,384 folios were useful"


def test_until_useful_a_cold_mm_is_walked_to_its_end() -> None:
    knobs = NOW._replace(scan_size_mib=64, scan_size_min_mib=64, budget="until_useful")
    scan = scanner([1] * 8, knobs)
    quiet(scan)
    assert granules_of_a_visit(scan) == 8
    assert scan.mms.cursor[0] == 0


def test_until_useful_only_the_vma_just_walked_counts() -> None:
    """Candidates in VMA 0, before the budget is used up with VMA 1, and in VMA 4: it ends there."""
    knobs = NOW._replace(scan_size_mib=64, scan_size_min_mib=64, budget="until_useful")
    scan = scanner([1] * 8, knobs)
    quiet(scan)
    touch(scan, 0, 300)
    touch(scan, 4, 1)
    assert granules_of_a_visit(scan) == 5
    assert scan.mms.cursor[0] == 5
    assert scan.mms.found[0] == 301


@pytest.mark.parametrize("budget", ["raised", "strict", "until_useful"])
def test_a_page_budget_ends_a_visit_inside_a_vma_where_the_next_one_goes_on(budget: Any) -> None:
    """A quarter of 256 MiB is two granules of the one VMA of five."""
    knobs = NOW._replace(scan_size_mib=256, scan_size_max_mib=256, page_budget_pct=25)
    scan = scanner([5, 1], knobs._replace(budget=budget))
    seen = []
    for _ in range(4):
        nr = granules_of_a_visit(scan)
        seen.append((nr, int(scan.mms.cursor[0]), int(scan.mms.inside[0])))
    assert seen == [(2, 0, 2), (2, 0, 4), (2, 0, 0), (2, 0, 2)]
    assert [row[0] for row in np.concatenate(scan.pass_ns)] == [0], "one full scan"


def test_as_posted_the_page_budget_never_binds() -> None:
    assert granules_of_a_visit(scanner([20], NOW._replace(scan_size_mib=256))) == 20


def test_shared_folios_are_passed_over_as_those_of_the_top_tier() -> None:
    scan = scanner([1], NOW)
    scan.memory.folio[:GRANULE:2] |= np.uint32(SHARED)
    touch(scan, 0, 4)
    _, reported = one_visit(scan, 0)
    assert reported == GRANULE // 2
    assert (scan.memory.folio[:4:2] == np.uint32(SLOW | SHARED | ACCESSED | 0x100)).all()
    assert not (scan.memory.folio[1::2] & np.uint32(ACCESSED)).any()
