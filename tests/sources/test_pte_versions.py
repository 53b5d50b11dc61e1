"""What V1 and later change in the scan: delay, decay, budgets, shared folios, windows, scale."""

from typing import Any

import numpy as np
import pytest

from tests.engine.machines import flat_memory, flat_rates
from tests.sources.scanners import STILL, knobs_of, one_visit, scanner
from tiering.engine.folios import ACCESSED, GRANULE, IDLE, SHARED, SLOW
from tiering.engine.touch import scratch
from tiering.sources.pte_adapt import stretched
from tiering.sources.pte_scan import PteScanner
from tiering.sources.pte_state import ScannedMm, rules
from tiering.sources.pte_visit import NEVER, NS_PER_MS

V3 = knobs_of("kscand_v3")._replace(scan_delay_ms=0)
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
    assert granules_of_a_visit(scanner([6], NOW._replace(scan_size_mib=256))) == 6


def test_shared_folios_are_passed_over_as_those_of_the_top_tier() -> None:
    scan = scanner([1], NOW)
    scan.memory.folio[:GRANULE:2] |= np.uint32(SHARED)
    touch(scan, 0, 4)
    _, reported = one_visit(scan, 0)
    assert reported == GRANULE // 2
    assert (scan.memory.folio[:4:2] == np.uint32(SLOW | SHARED | ACCESSED | 0x100)).all()
    assert not (scan.memory.folio[1::2] & np.uint32(ACCESSED)).any()


def test_two_windows_with_an_access_are_asked_for_and_one_of_a_folio_never_seen() -> None:
    scan = scanner([1], V3)
    seen = []
    for touched in (range(8), range(4), range(2, 6), range(2, 6)):
        scan.memory.folio[list(touched)] |= np.uint32(ACCESSED)
        one_visit(scan, int(scan.mms.next_scan[0]))
        seen.append(scan.reports.folios.tolist())
    assert seen == [list(range(8)), [0, 1, 2, 3], [2, 3], [2, 3, 4, 5]]


@pytest.mark.parametrize(
    ("scale", "period"), [(0, 600), (1, 600), (2, 666), (4, 800), (8, 1066), (10, 1200)]
)
def test_the_scale_stretches_the_shortest_period(scale: int, period: int) -> None:
    assert stretched(rules(V3), 600, scale, 0) == period
    assert stretched(rules(V1), 600, scale, 0) == 600, "V1 knows only on and off"


@pytest.mark.parametrize(
    ("failed", "period"), [(0, 600), (9, 600), (10, 1200), (19, 1200), (100, 6600)]
)
def test_failures_multiply_the_period(failed: int, period: int) -> None:
    assert stretched(rules(V3), 600, 1, failed) == period
    assert stretched(rules(V3), 600, 10, failed) == 2 * period
    assert stretched(rules(V1), 600, 1, failed) == 600


def test_at_the_default_scale_of_v3_every_period_is_1_78_times_as_long() -> None:
    assert V3.scan_scale == 8
    assert stretched(rules(V3), 4500, 8, 0) == 8000
    assert stretched(rules(V3), 5000, 8, 0) / 5000 == pytest.approx(1.78, abs=0.003)


@pytest.mark.parametrize(("failed", "period"), [(0, 600), (9, 600), (10, 606), (100, 660)])
def test_as_the_text_intends_failures_add_a_tenth_at_most(failed: int, period: int) -> None:
    intended = V3._replace(failure_stretch="as_intended")
    assert stretched(rules(intended), 600, 1, failed) == period


def test_the_interim_patch_has_the_periods_of_v0_and_half_its_sizes() -> None:
    v0, interim = knobs_of("kmmscand_v0"), knobs_of("kmmscand_interim")
    sizes = ("scan_size_mib", "scan_size_min_mib", "scan_size_max_mib")
    for name, value in v0._asdict().items():
        assert getattr(interim, name) == (value // 2 if name in sizes else value), name


def busy(scan: PteScanner, visits: int) -> list[int]:
    """Periods after visits that find all folios."""
    periods = []
    for _ in range(visits):
        scan.memory.folio[:] |= np.uint32(ACCESSED)
        one_visit(scan, int(scan.mms.next_scan[0]))
        periods.append(int(scan.mms.period_ms[0]))
    return periods


def test_as_posted_the_scaled_period_is_what_the_next_visit_adapts() -> None:
    """At scale 8 a busy mm's period grows by 0.85 x 1.78 a visit, up to 1.78 x 5000 ms."""
    periods = busy(scanner([1], V3), 10)
    assert periods[:4] == [1066, 1610, 2432, 3674]
    assert periods[-1] == 8888


def test_as_intended_the_period_is_scaled_anew_each_time() -> None:
    scan = scanner([1], V3._replace(stretch="as_intended"))
    assert busy(scan, 3) == [1066, 1066, 1066]
    assert scan.mms.base_ms[0] == 600


def test_a_process_that_turns_scanning_off_is_never_due() -> None:
    memory = flat_memory(2 * GRANULE)
    mms = [ScannedMm("off", ((0, 1, 32.0),), 0), ScannedMm("on", ((1, 2, 32.0),))]
    for preset, due, other in (
        ("kmmscand_v0", 0, 1), ("kmmscand_v1", NEVER, 1), ("kscand_v3", NEVER, 8),
    ):  # fmt: skip
        knobs = knobs_of(preset)._replace(scan_delay_ms=0)
        scan = PteScanner(knobs, memory, flat_rates(0.0, 2), scratch(), mms)
        assert scan.mms.next_scan.tolist() == [due, 0]
        assert scan.mms.scale.tolist() == [0, other]
