import itertools

import numpy as np
import pytest

from tests.engine.machines import flat_memory, flat_rates, pace
from tests.sources.scanners import STILL, knobs_of, one_visit, scanner
from tiering.engine.folios import ACCESSED, GRANULE, IDLE, YOUNG
from tiering.engine.touch import scratch
from tiering.sources.pte_adapt import adapt
from tiering.sources.pte_knobs import PteScan
from tiering.sources.pte_scan import PteScanner
from tiering.sources.pte_state import ScannedMm, rules
from tiering.sources.pte_visit import NS_PER_MS

V0 = PteScan()
FREE = V0._replace(pte_slow_ns=0.0, pte_top_ns=0.0, visit_ns=0)


def visits_until(period: int, limit: int, x: int, y: int, knobs: PteScan = V0) -> int:
    for visit in itertools.count(1):
        period, _ = adapt(rules(knobs), period, 4096, x, y)
        if period == limit:
            return visit
    raise AssertionError


def test_case_4_needs_10_visits_from_2000_to_400_ms() -> None:
    assert visits_until(2000, 400, x=1000, y=1000) == 10


@pytest.mark.parametrize("preset", ["kscand_v2", "kscand_v3"])
def test_case_4_needs_8_visits_from_2000_to_600_ms(preset: str) -> None:
    assert visits_until(2000, 600, x=1000, y=1000, knobs=knobs_of(preset)) == 8


@pytest.mark.parametrize("preset", ["kmmscand_v0", "kmmscand_v1", "kscand_v2", "kscand_v3"])
def test_case_1_needs_7_visits_from_2000_to_5000_ms(preset: str) -> None:
    assert visits_until(2000, 5000, x=0, y=0, knobs=knobs_of(preset)) == 7


@pytest.mark.parametrize(
    ("x", "y", "period", "size"),
    [(0, 0, 2300, 2048), (0, 500, 400, 16384), (500, 0, 5000, 4096), (500, 500, 1700, 8192)],
)
def test_the_four_cases_from_the_defaults(x: int, y: int, period: int, size: int) -> None:
    assert adapt(rules(V0), 2000, 4096, x, y) == (period, size)


@pytest.mark.parametrize("period", range(400, 5001, 100))
def test_coarse_steps_are_bang_bang(period: int) -> None:
    assert 400 <= adapt(rules(V0), period, 4096, 0, 1000)[0] <= 625
    assert 3200 <= adapt(rules(V0), period, 4096, 1000, 0)[0] <= 5000


def test_the_size_stays_between_its_bounds() -> None:
    assert adapt(rules(V0), 2000, 512, 0, 0)[1] == 512
    assert adapt(rules(V0), 2000, 16384, 500, 500)[1] == 16384


def test_the_first_walk_reports_every_slow_folio_touched_or_not() -> None:
    scan = scanner([2], FREE)
    _, reported = one_visit(scan, 0)
    assert reported == 2 * GRANULE


def test_an_untouched_folio_is_not_reported_again() -> None:
    scan = scanner([2], FREE)
    clock, _ = one_visit(scan, 0)
    _, reported = one_visit(scan, clock)
    assert reported == 0
    assert (scan.memory.folio & np.uint32(IDLE) != 0).all()


def test_a_folio_touched_once_is_reported_for_ever() -> None:
    scan = scanner([1], FREE)
    clock, _ = one_visit(scan, 0)
    scan.memory.folio[7] |= np.uint32(ACCESSED)
    for _ in range(3):
        clock, reported = one_visit(scan, clock)
        assert reported == 1
        assert scan.reports.folios[0] == 7
    assert scan.memory.folio[7] & np.uint32(YOUNG)
    assert not scan.memory.folio[7] & np.uint32(ACCESSED)


def test_top_tier_folios_are_never_reported() -> None:
    scan = scanner([2], FREE, nid=0)
    _, reported = one_visit(scan, 0)
    assert reported == 0


def test_one_large_vma_is_walked_to_its_end_whatever_the_budget() -> None:
    scan = scanner([8], FREE._replace(scan_size_mib=32, scan_size_min_mib=32))
    one_visit(scan, 0)
    assert scan.mms.nr_scanned[0] == 8 * GRANULE


def test_the_budget_stops_a_cold_visit_between_vmas() -> None:
    scan = scanner([1] * 8, FREE._replace(scan_size_mib=64, scan_size_min_mib=64), nid=0)
    one_visit(scan, 0)
    assert scan.mms.nr_scanned[0] == 2 * GRANULE


def test_more_than_100_useful_folios_raise_the_budget_to_the_maximum() -> None:
    knobs = FREE._replace(scan_size_mib=64, scan_size_min_mib=64, scan_size_max_mib=160)
    scan = scanner([1] * 8, knobs)
    one_visit(scan, 0)
    assert scan.mms.nr_scanned[0] == 5 * GRANULE


def test_the_next_visit_goes_on_where_the_last_one_stopped_and_then_wraps() -> None:
    scan = scanner([1] * 4, FREE._replace(scan_size_mib=96, scan_size_min_mib=96), nid=0)
    clock, seen = 0, []
    for _ in range(3):
        before = scan.mms.nr_scanned[0]
        clock, _ = one_visit(scan, clock)
        seen.append(int(scan.mms.nr_scanned[0] - before) // GRANULE)
    assert seen == [3, 1, 3]


def test_fewer_useful_folios_than_the_threshold_count_as_none() -> None:
    scan = scanner([1], FREE)
    clock, _ = one_visit(scan, 0)
    scan.memory.folio[:99] |= np.uint32(ACCESSED)
    clock, reported = one_visit(scan, clock)
    assert reported == 99
    assert scan.mms.useful[0] == 0
    assert scan.mms.found[0] == 99


def test_a_visit_costs_the_thread_its_ptes() -> None:
    scan = scanner([2], FREE._replace(pte_slow_ns=15.0, visit_ns=1000))
    clock, _ = one_visit(scan, 0)
    assert clock == 1000 + 2 * GRANULE * 15


def test_each_granule_is_read_at_its_own_time() -> None:
    scan = scanner([2], FREE._replace(pte_slow_ns=15.0))
    one_visit(scan, 0, pace(0.001))
    assert scan.memory.last.tolist() == [0.0, GRANULE * 15 * 0.001]


def test_the_next_visit_is_due_one_period_after_the_last_ended() -> None:
    scan = scanner([1], FREE)
    clock, _ = one_visit(scan, 0)
    assert scan.mms.period_ms[0] == 400
    one_visit(scan, clock)
    cycle = V0.scan_sleep_ms * NS_PER_MS + V0.mms_to_scan * V0.skip_ns
    assert clock + 400 * NS_PER_MS <= scan.mms.last_start[0] <= clock + 400 * NS_PER_MS + cycle


def test_running_in_pieces_gives_the_same_clock_as_running_at_once() -> None:
    whole, pieces = scanner([3, 3], V0), scanner([3, 3], V0)
    clock = 0
    while clock < 9_000_000_000:
        clock = whole.run(0, clock, 9_000_000_000, STILL, True).clock
    clock = 0
    for until in range(0, 9_000_000_001, 10_000_000):
        while clock < until:
            clock = pieces.run(0, clock, until, STILL, True).clock
    assert whole.mms.last_start[0] == pieces.mms.last_start[0]
    assert whole.mms.nr_visits[0] == pieces.mms.nr_visits[0]


def test_a_disabled_scanner_uses_no_cpu_and_visits_nothing() -> None:
    scan = scanner([1], V0._replace(scan_enabled=False))
    step = scan.run(0, 0, 10**9, STILL, True)
    assert (step.clock, step.busy_ns, int(scan.mms.nr_visits[0])) == (10**9, 0, 0)


def test_idle_cycles_cost_one_pass_of_the_list_each() -> None:
    scan = scanner([1], V0._replace(scan_period_ms=5000))
    scan.mms.next_scan[0] = 10**12
    step = scan.run(0, 0, 10**9, STILL, True)
    cycle = V0.scan_sleep_ms * NS_PER_MS + V0.mms_to_scan * V0.skip_ns
    assert step.busy_ns == pytest.approx(10**9 / cycle * V0.mms_to_scan * V0.skip_ns, rel=0.02)


def test_a_live_period_is_written_to_every_mm_and_clamped() -> None:
    scan = scanner([1], FREE)
    clock, _ = one_visit(scan, 0)
    scan.retune("scan_period_ms", 100, clock)
    assert scan.mms.period_ms[0] == 400
    scan.retune("scan_period_ms", 3000, clock)
    assert scan.mms.next_scan[0] == clock + 3000 * NS_PER_MS


def test_a_live_period_before_the_first_visit_leaves_an_mm_due_as_it_was() -> None:
    scan = scanner([1], FREE)
    scan.enter(0, 50)
    scan.retune("scan_period_ms", 3000, 70)
    assert scan.mms.next_scan[0] == 50
    one_visit(scan, 70)
    scan.retune("scan_period_ms", 2000, 80)
    assert scan.mms.next_scan[0] == scan.mms.last_end[0] + 2000 * NS_PER_MS


def test_with_many_mms_each_is_visited_in_list_order() -> None:
    memory = flat_memory(5 * GRANULE)
    mms = [ScannedMm(f"mm-{i}", ((i, i + 1, 32.0),)) for i in range(5)]
    scan = PteScanner(FREE, memory, flat_rates(0.0, 5), scratch(), mms)
    order, clock = [], 0
    for _ in range(5):
        before = scan.mms.nr_visits.copy()
        clock, _ = one_visit(scan, clock)
        order += np.flatnonzero(scan.mms.nr_visits > before).tolist()
    assert order == [0, 1, 2, 3, 4]


def test_a_thread_without_mms_rests_as_long_as_it_may() -> None:
    memory = flat_memory(GRANULE)
    mms = [ScannedMm("mm", ((0, 1, 32.0),)), ScannedMm("page cache only", ())]
    scan = PteScanner(V0, memory, flat_rates(0.0, 2), scratch(), mms, [[0], [1], []])
    for thread in (1, 2):
        assert scan.run(thread, 0, 10**9, STILL, True).clock == 10**9
        assert scan.rest(thread, 5, 10**9) == (10**9, 0)
