"""NUMA balancing's marks and faults: budgets and periods by hand, the law of latencies, costs.

Most cases take many granules, and with the compiler off they would take minutes.
"""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.engine.machines import Layout, flat_rates, rates_of_rows
from tests.sources.faulting import FREE, MS, NOBODY, ROOM, S, Task
from tiering.engine.folios import ACCESSED, FAULTED, GRANULE, HINT, SHARED, unplace
from tiering.engine.invariants import check_books
from tiering.engine.look import latch
from tiering.engine.sweep import sweep_table
from tiering.sources.hint_knobs import HintFault
from tiering.sources.hint_mark import adapted, period_bounds
from tiering.sources.source import Step


@pytest.mark.compiled
def test_nothing_is_marked_before_scan_delay_and_then_one_scan_size_a_second() -> None:
    one = Task([Layout(40 * GRANULE)])
    one.run(S)
    assert one.updates == 0
    for second in range(1, 6):
        one.run(second * S + 1)
        assert one.updates == min(second * 65_536, 40 * GRANULE)
    assert one.marked == list(range(40 * GRANULE))


@pytest.mark.compiled
def test_a_chunk_in_which_a_page_was_marked_uses_up_the_budget() -> None:
    """Two thirds of a chunk of 256 MiB are marked already; the last third is what is left."""
    one = Task([Layout(24 * GRANULE)])
    one.run(S + 1)
    one.source.marks.page[0] = 6 * GRANULE - 3 * 512
    one.run(2 * S + 1)
    assert one.updates == 65_536 + 6 * GRANULE - 3 * 512
    assert one.source.marks.page[0] == 14 * GRANULE - 3 * 512


@pytest.mark.compiled
def test_chunks_without_anything_to_mark_are_passed_over_up_to_eight_of_them() -> None:
    one = Task([Layout(70 * GRANULE, nid=0), Layout(30 * GRANULE)])
    one.run(S + 1)
    assert (one.updates, one.source.marks.vma[0], one.source.marks.page[0]) == (0, 0, 64 * GRANULE)
    one.run(2 * S + 1)
    assert one.marked == list(range(70 * GRANULE, 78 * GRANULE))
    assert one.source.marks.nr_scanned[0] == 78 * GRANULE


@pytest.mark.compiled
def test_the_end_of_a_chunk_is_rounded_up_to_2_mib() -> None:
    one = Task([Layout(8 * GRANULE)], knobs=FREE._replace(scan_size_mb=3))
    one.run(S + 1)
    assert one.updates == 1024
    one.run(2 * S + 1)
    assert one.updates == 2048


@pytest.mark.compiled
def test_the_end_of_the_address_space_ends_the_visit() -> None:
    one = Task([Layout(3 * GRANULE)])
    one.run(S + 1)
    assert one.updates == 3 * GRANULE
    assert one.source.passes.tolist() in ([], [[0, 0, 0]])
    one.run(5 * S + 1)
    assert one.updates == 3 * GRANULE, "what is marked stays marked"
    assert one.source.marks.nr_visits[0] == 5


def test_top_tier_shared_and_marked_folios_are_left_alone() -> None:
    one = Task([Layout(512, nid=0), Layout(512)])
    one.memory.folio[GRANULE : GRANULE + 100] |= np.uint32(SHARED)
    one.memory.folio[GRANULE + 100 : GRANULE + 150] |= np.uint32(HINT)
    one.memory.hinted[1] = 50
    one.run(S + 1)
    assert one.updates == 362
    assert one.marked == list(range(GRANULE + 100, GRANULE + 512))
    check_books(one.memory, np.array([ROOM, ROOM]), np.array([True, False]))


@pytest.mark.parametrize(
    ("scan_mib", "rss_mib", "least", "most"),
    [
        (256, 100, 1000, 60_000),
        (256, 512, 500, 30_000),
        (256, 2560, 100, 6000),
        (256, 25_600, 100, 600),
        (256, 256_000_000, 100, 100),
        (2560, 2560, 1000, 60_000),
        (4096, 40_960, 1000, 6000),
        (64, 640, 100, 6000),
        (64, 64_000, 25, 60),
    ],
)
def test_bounds_of_the_period_follow_from_the_size_of_the_process(
    scan_mib: int, rss_mib: int, least: int, most: int
) -> None:
    assert period_bounds(1000, 60_000, scan_mib, rss_mib * 256) == (least, most)


@pytest.mark.parametrize(
    ("period", "most", "counted", "after"),
    [  # remote, local, shared, private
        (1000, 60_000, [0, 0, 0, 0], 1000),
        (1000, 600, [0, 0, 0, 0], 1000),  # nothing is clamped before the first fault
        (1000, 60_000, [50, 0, 0, 50], 2000),  # mode 2: promoted, private, not local
        (40_000, 60_000, [50, 0, 0, 50], 60_000),
        (1000, 60_000, [0, 100, 0, 100], 1300),
        (1000, 60_000, [0, 100, 30, 70], 1100),
        (1000, 60_000, [0, 100, 31, 69], 1300),  # shared, but all of it local
        (1000, 60_000, [30, 70, 100, 0], 1100),
        (1000, 60_000, [31, 69, 100, 0], 900),
        (1000, 60_000, [100, 0, 100, 0], 300),
        (1001, 60_000, [100, 0, 100, 0], 294),
        (200, 60_000, [100, 0, 100, 0], 100),
        (1000, 1100, [0, 100, 0, 100], 1100),
    ],
)
def test_the_period_follows_the_shares_of_local_and_of_private_faults(
    period: int, most: int, counted: list[int], after: int
) -> None:
    assert adapted(period, 100, most, np.array(counted)) == after


def test_what_is_counted_is_taken_but_not_local_faults_after_doubling() -> None:
    counted = np.array([5, 0, 0, 5])
    adapted(1000, 100, 60_000, counted)
    assert counted.tolist() == [5, 0, 0, 0]
    counted[:] = [5, 3, 3, 0]
    adapted(1000, 100, 60_000, counted)
    assert counted.tolist() == [0, 0, 0, 0]


@pytest.mark.compiled
def test_the_period_of_an_mm_changes_at_the_end_of_a_pass_that_promoted() -> None:
    one = Task([Layout(10 * GRANULE)])
    one.run(2 * S + 1)
    assert one.source.marks.period_ms[0] == 1000
    one.moved[0] = 1
    one.run(4 * S + 1)
    assert one.source.marks.period_ms[0] == 2000
    one.run(9 * S)
    assert one.source.marks.period_ms[0] == 2000


@pytest.mark.compiled
def test_one_task_waits_32_times_as_long_as_it_marked_and_many_tasks_take_turns() -> None:
    knobs = FREE._replace(pte_update_ns=1000.0, scan_size_mb=32)
    alone, crowd = (Task([Layout(64 * GRANULE)], knobs=knobs, threads=n) for n in (1, 8))
    spent = GRANULE * 1000
    for one in (alone, crowd):
        one.run(20 * S)
    assert crowd.updates == 19 * GRANULE
    interval = S + 32 * spent
    assert alone.updates == (1 + (19 * S - 1) // interval) * GRANULE
    assert alone.charge[0] == alone.updates * 1000.0
    assert spent / interval < 1 / 32


@pytest.mark.parametrize(("order", "entries"), [(0, 8192), (4, 8192), (9, 16)])
@pytest.mark.compiled
def test_marking_and_faults_are_charged_to_the_task(order: int, entries: int) -> None:
    """16 PTEs of a folio of 64 KiB are marked one by one, a folio of 2 MiB has one PMD."""
    knobs = HintFault(pte_update_ns=50.0, pte_skip_ns=8.0, fault_ns=1500.0)
    one = Task([Layout(GRANULE >> order, order)], share=1.0, knobs=knobs)
    step = one.source.run(0, 0, S + 1, one.pace, True)
    assert step == Step(S + 1, entries * 50, 0, False)
    assert one.charge.tolist() == [entries * 50.0]
    assert one.updates == GRANULE
    one.clock = step.clock
    one.run(S + 20 * MS)
    assert one.faults == GRANULE >> order
    assert one.charge[0] == entries * 50.0 + (GRANULE >> order) * 1500.0


def ks(latencies: NDArray[np.int32], mean_ms: float) -> float:
    """p that these are whole parts of exponential numbers; ms are spread over their own width."""
    spread = latencies + np.random.default_rng(1).random(latencies.size)
    return float(stats.kstest(spread, "expon", args=(0.0, mean_ms)).pvalue)


@pytest.mark.compiled
def test_latencies_are_exponential_whatever_the_width_of_the_looks() -> None:
    """Touched once in 800 ms on average; looks are 10 ms apart at first and 1 s in the end."""
    one = Task([Layout(2 * GRANULE)], share=1 / (800 * MS))
    one.run(30 * S)
    latencies = np.concatenate(one.latencies)
    first = np.unique(np.concatenate(one.folios), return_index=True)[1]
    assert first.size == 2 * GRANULE
    p = ks(latencies[first], 800.0)
    assert p > 1e-4
    assert ks(latencies[first], 760.0) < 1e-4, "the test sees five percent"


@pytest.mark.compiled
def test_latencies_within_one_look_follow_the_cut_off_exponential() -> None:
    one = Task([Layout(2 * GRANULE)], share=1 / (4 * MS))
    one.run(S + 11 * MS)
    latencies = np.concatenate(one.latencies)
    x = 2.5
    edges = -np.expm1(-np.arange(11) / 4.0) / -np.expm1(-x)
    counts = np.bincount(latencies, minlength=10)
    p = stats.chisquare(counts, np.diff(edges) * latencies.size).pvalue
    assert p > 1e-4
    assert abs(latencies.size - 2 * GRANULE * -np.expm1(-x)) < 5 * np.sqrt(2 * GRANULE)
    uniform = stats.chisquare(counts, np.full(10, latencies.size / 10)).pvalue
    assert uniform < 1e-4, "a time drawn evenly over the look is another law"


@pytest.mark.compiled
def test_looks_of_others_in_between_leave_the_law_and_lose_no_fault() -> None:
    """Reclaim looks each 3 ms and clears accessed bits."""
    one = Task([Layout(2 * GRANULE)], share=1 / (100 * MS))
    one.run(S + 1)
    while one.clock < 3 * S:
        for granule in range(2):
            tau = float(one.clock)
            latch(one.memory, one.rates, one.scratch, granule, max(tau, one.memory.last[granule]))
        folio = one.memory.folio
        folio &= np.uint32(~ACCESSED & 0xFFFFFFFF)
        one.run(one.clock + 3 * MS)
    first = np.unique(np.concatenate(one.folios), return_index=True)[1]
    assert first.size == 2 * GRANULE
    assert ks(np.concatenate(one.latencies)[first], 100.0) > 1e-4


def test_a_fault_is_a_touch_and_takes_the_mark() -> None:
    one = Task([Layout(3000)], share=1 / (20 * MS), knobs=FREE._replace(scan_period_min_ms=60_000))
    one.run(S + 20 * MS + 1)
    reported = np.concatenate(one.folios)
    assert 1000 < reported.size < 3000
    assert (one.memory.folio[reported] & np.uint32(HINT | FAULTED) == 0).all()
    assert (one.memory.folio[reported] & np.uint32(ACCESSED) != 0).all()
    assert sorted([*reported.tolist(), *one.marked]) == list(range(3000))
    assert one.memory.hinted[0] == 3000 - reported.size


def test_what_is_not_touched_for_passes_keeps_its_first_scan_time() -> None:
    """Nobody touches it for 5 s, in which it was visited five times; then everybody does."""
    rates = rates_of_rows([[NOBODY], [1.0 / MS]], [5.5 * S, np.inf])
    one = Task([Layout(100)], rates=rates)
    one.run(6 * S)
    latencies = np.concatenate(one.latencies)
    assert latencies.size == 100
    assert (latencies >= 4500).all()
    assert (latencies < 4520).all()


def test_a_short_field_wraps_around() -> None:
    """4.5 s are 404 ms more than 12 bits of ms hold."""
    rates = rates_of_rows([[NOBODY], [1.0 / MS]], [5.5 * S, np.inf])
    one = Task([Layout(100)], rates=rates, knobs=FREE._replace(access_time_bits=12))
    one.run(6 * S)
    latencies = np.concatenate(one.latencies)
    assert (latencies >= 404).all()
    assert (latencies < 424).all()


def test_a_swept_page_faults_when_the_sweep_comes_to_it() -> None:
    """A page each 0.1 ms from page 0 on at time 0: after a second it is at page 10,000 mod 4000."""
    rates = flat_rates(NOBODY)._replace(
        sweeps=sweep_table([(0, GRANULE, 1, 4000, 1, 1, 1 / (MS / 10))])
    )
    one = Task([Layout(4000)], rates=rates)
    one.memory.sweep[0] = 0
    one.run(S + 400 * MS + 1)
    order = np.argsort(np.concatenate(one.folios))
    latencies = np.concatenate(one.latencies)[order]
    exact = (np.arange(4000) - 2000) % 4000 / 10
    assert (np.abs(latencies - exact) <= 1.0).all()
    assert latencies[2995] == 99


@pytest.mark.compiled
def test_an_exit_takes_the_marks_and_the_next_life_begins_anew() -> None:
    one = Task([Layout(2 * GRANULE)], share=1 / (5 * S))
    one.run(S + 1)
    assert one.memory.hinted.sum() == 2 * GRANULE
    one.source.leave(0)
    unplace(one.memory, 0, 2)
    assert one.memory.hinted.sum() == 0
    one.run(4 * S)
    assert one.faults == 0
    one.source.enter(0, 4 * S)
    assert one.source.marks.next_scan[0] == 5 * S


@pytest.mark.compiled
def test_switched_off_nothing_is_marked_and_old_marks_still_fault() -> None:
    one = Task([Layout(16 * GRANULE)], share=1 / (100 * MS))
    one.run(S + 1)
    one.source.retune("numa_balancing", "off", one.clock)
    one.run(9 * S)
    assert one.updates == one.faults == 65_536


@pytest.mark.compiled
def test_a_short_buffer_loses_nothing() -> None:
    one = Task([Layout(80 * GRANULE)], share=1.0 / MS, knobs=FREE._replace(scan_size_mb=2560))
    one.run(S + 40 * MS)
    assert one.faults == 80 * GRANULE
    assert np.array_equal(np.sort(np.concatenate(one.folios)), np.arange(80 * GRANULE))


def test_rest_sleeps_to_the_next_visit_or_look() -> None:
    one = Task([Layout(100)], share=NOBODY)
    assert one.source.rest(0, 0, 9 * S) == (S, 0)
    one.run(S + 1)
    assert one.source.rest(0, S + 1, 9 * S) == (S + 10 * MS, 0)
