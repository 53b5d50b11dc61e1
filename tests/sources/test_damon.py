"""DAMON's monitoring: regions by hand, the law of its samples, and what it costs."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.engine.machines import Layout, flat_rates, laid_out, pace, row_rates
from tiering.engine.damon_region import (
    ACCESSES_BP,
    AGE,
    BP,
    END,
    LAST_ACCESSES,
    NR_ACCESSES,
    NR_COLUMNS,
    SLOW_SIDE,
    START,
    TOP,
    VIRTUAL,
)
from tiering.engine.folios import ACCESSED, GRANULE, IDLE, YOUNG, Memory
from tiering.engine.look import latch
from tiering.engine.touch import Rates, scratch
from tiering.sources.damon import Kdamonds
from tiering.sources.damon_knobs import Damon
from tiering.sources.damon_regions import adaptation_bp, merge_alike, reset, split, tune
from tiering.sources.damon_state import (
    AGGR_US,
    APPLY,
    CHECKS,
    LAST_NR,
    PASSED,
    SAMPLE_US,
    STAGE,
    Context,
    context,
    rules_of,
)
from tiering.sources.damon_targets import cut_evenly, three_ranges
from tiering.sources.pte_state import ScannedMm

MS = 1_000_000
P_THRESHOLD = 1e-4
FREE: dict[str, Any] = {"paddr_check_ns": 0.0, "vaddr_check_ns": 0.0}
ROOM = [1 << 24, 1 << 24]


def kdamond(memory: Memory, rates: Rates, side: int = SLOW_SIDE, **knobs: Any) -> Kdamonds:
    """One kdamond; the only mm is one VMA of all memory."""
    nr = memory.nr.size
    mms = [ScannedMm("app", ((0, nr, 32.0 * nr),))]
    made = Damon()._replace(**FREE | knobs)
    found = Kdamonds(made, memory, rates, scratch(), mms, [side], np.array(ROOM), 1)
    found.enter(0, 0)
    return found


def run(one: Kdamonds, until_ms: int, speed: float = 1.0, clock: int = 0) -> list[list[int]]:
    """Accesses of the regions at the end of each aggregation; work time is in ns."""
    told = []
    while clock < until_ms * MS:
        clock = one.run(0, clock, until_ms * MS, pace(speed), True).clock
        found = one.contexts[0]
        if found.at[STAGE] == APPLY:
            told.append(found.regions.row[: found.regions.nr[0], NR_ACCESSES].tolist())
    return told


def context_of(*rows: tuple[int, int, int, int], **knobs: Any) -> Context:
    """Regions of one target by hand: pages, accesses now and before, age of each."""
    one = context(Damon()._replace(**knobs), VIRTUAL, 100, 1, np.uint64(7))
    start = 0
    for at, (pages, now, before, age) in enumerate(rows):
        row = one.regions.row[at]
        row[[START, END, NR_ACCESSES, LAST_ACCESSES, AGE]] = start, start + pages, now, before, age
        start += pages
    one.regions.nr[0] = len(rows)
    return one


def rows_of(one: Context) -> NDArray[np.int64]:
    return one.regions.row[: one.regions.nr[0]]


def test_neighbours_alike_merge_to_their_mean_by_size() -> None:
    one = context_of((10, 4, 4, 3), (30, 6, 6, 7), (10, 9, 9, 0))
    merge_alike(one.regions, 2, 1000)
    found = rows_of(one)
    assert found[:, [START, END]].tolist() == [[0, 40], [40, 50]]
    assert found[:, NR_ACCESSES].tolist() == [(4 * 10 + 6 * 30) // 40, 9]
    assert found[:, AGE].tolist() == [(4 * 10 + 8 * 30) // 40, 1]
    assert found[0, ACCESSES_BP] == 5 * BP


def test_a_change_beyond_the_threshold_ends_an_age() -> None:
    one = context_of((10, 4, 7, 3), (10, 4, 6, 3))
    merge_alike(one.regions, 2, 10)
    assert rows_of(one)[:, AGE].tolist() == [0, 4]


def test_a_merged_region_is_no_larger_than_the_limit() -> None:
    one = context_of((10, 4, 4, 0), (10, 4, 4, 0), (10, 4, 4, 0))
    merge_alike(one.regions, 2, 20)
    assert rows_of(one)[:, END].tolist() == [20, 30]


def test_regions_of_two_targets_or_with_a_gap_between_do_not_merge() -> None:
    one = context_of((10, 4, 4, 0), (10, 4, 4, 0), (10, 4, 4, 0))
    one.regions.row[1, NR_COLUMNS - 1] = 1
    one.regions.row[2, START] += 1
    merge_alike(one.regions, 2, 1000)
    assert one.regions.nr[0] == 3


def test_regions_are_cut_in_two_between_one_and_nine_tenths() -> None:
    one = context_of((1000, 0, 5, 3), (1000, 0, 6, 4))
    split(one, rules_of(Damon(), VIRTUAL, 1.0))
    found = rows_of(one)
    assert len(found) == 4
    assert found[0, END] % 100 == 0
    assert 100 <= found[0, END] <= 900
    assert found[:, LAST_ACCESSES].tolist() == [5, 5, 6, 6]
    assert found[:, AGE].tolist() == [3, 3, 4, 4]


def test_regions_are_cut_in_three_where_their_number_stayed() -> None:
    one = context_of((1000, 0, 5, 3), (1000, 0, 6, 4))
    one.at[LAST_NR] = 2
    split(one, rules_of(Damon(), VIRTUAL, 1.0))
    assert one.regions.nr[0] == 6
    assert (np.diff(rows_of(one)[:, [START, END]], axis=1) > 0).all()


def test_regions_are_not_cut_where_they_are_many_or_small() -> None:
    one = context_of(*[(1000, 0, 0, 0)] * 6)
    split(one, rules_of(Damon(max_nr_regions=10), VIRTUAL, 1.0))
    assert one.regions.nr[0] == 6
    small = context_of((1, 0, 0, 0), (2, 0, 0, 0), (3, 0, 0, 0))
    split(small, rules_of(Damon(), VIRTUAL, 1.0))
    assert small.regions.nr[0] <= 4


def test_cuts_are_even_over_the_tenths() -> None:
    counts = np.zeros(10, np.int64)
    one = context_of((10, 0, 0, 0))
    for _ in range(900):
        one.regions.row[0, END], one.regions.nr[0] = 10, 1
        one.at[LAST_NR] = 0
        split(one, rules_of(Damon(), VIRTUAL, 1.0))
        counts[one.regions.row[0, END]] += 1
    assert counts[0] == 0
    assert stats.chisquare(counts[1:]).pvalue > P_THRESHOLD


@pytest.mark.parametrize(
    ("accesses", "wanted"),
    [
        (0, 20_000),  # nothing found: twice as long
        (1, 13_750),  # 250 bp of the wanted 400 are 6,250: 3,750 are missing
        (20, 5_000),  # more than twice as much as wanted: half, and no less
    ],
)
def test_intervals_follow_the_part_of_checks_that_found_something(
    accesses: int, wanted: int
) -> None:
    one = context_of((100, accesses, accesses, 0), (100, 0, 0, 0), access_bp=400)
    assert adaptation_bp(one, rules_of(Damon(access_bp=400), VIRTUAL, 1.0)) == wanted


def test_a_step_of_the_tuning_changes_both_intervals_and_keeps_ages() -> None:
    one = context_of((100, 0, 0, 40), access_bp=400)
    rules = rules_of(Damon(access_bp=400), VIRTUAL, 1.0)
    tune(one, rules)
    assert (one.at[SAMPLE_US], one.at[AGGR_US]) == (10_000, 200_000)
    assert one.regions.row[0, AGE] == 20
    for _ in range(20):
        tune(one, rules)
    assert one.at[SAMPLE_US] == 10_000_000, "no longer than its limit"


def test_a_step_of_the_tuning_begins_apply_intervals_anew_or_not() -> None:
    for posted, wanted in (("as_posted", 50 + 100), ("as_intended", 50 + 25)):
        knobs: dict[str, Any] = {"access_bp": 400, "tuned_apply": posted}
        one = context_of((100, 0, 0, 40), **knobs)
        one = one._replace(schemes=np.array([[0, 0, 0, 0, 0, 1, 1_000_000, 100]], np.int64))
        one.at[PASSED] = 50
        tune(one, rules_of(Damon()._replace(**knobs), VIRTUAL, 1.0))
        assert one.schemes[0, 7] == wanted, "a second at 10 ms, or the 250 ms that were left"


def test_the_next_aggregation_begins_with_what_the_last_one_counted() -> None:
    one = context_of((100, 7, 3, 1))
    reset(one.regions)
    assert rows_of(one)[0, [NR_ACCESSES, LAST_ACCESSES, ACCESSES_BP]].tolist() == [0, 7, 7 * BP]


def test_the_two_largest_gaps_of_an_address_space_are_left_out() -> None:
    """Pages 0..100, a gap to 8192, ..300, a smaller one to 16384, and so on."""
    sizes = [100, 300, 8000, 200]
    vmas = tuple((g, g + 1, pages / 256) for g, pages in enumerate(sizes))
    ranges = three_ranges(ScannedMm("mm", vmas))
    assert ranges == [(0, 100), (8192, 8492), (16384, 3 * 8192 + 200)]
    assert three_ranges(ScannedMm("mm", vmas[:1])) == [(0, 100)]
    assert three_ranges(ScannedMm("mm", ())) == []


def test_ranges_are_cut_evenly_and_the_last_piece_takes_the_rest() -> None:
    assert cut_evenly([(0, 100), (200, 205)], 10) == [
        *[(10 * k, 10 * k + 10) for k in range(10)], (200, 205),
    ]  # fmt: skip
    assert cut_evenly([(0, 7)], 3) == [(0, 2), (2, 4), (4, 7)]


def test_a_sample_clears_the_accessed_bit_and_leaves_young_and_idle() -> None:
    memory = laid_out([Layout(1)], ROOM, sampled=True)
    one = kdamond(memory, flat_rates(1.0))
    memory.folio[0] |= np.uint32(ACCESSED)
    one.run(0, 0, 1 * MS, pace(0.0), True)
    flags = int(memory.folio[0])
    assert not flags & ACCESSED
    assert flags & YOUNG
    assert flags & IDLE


def test_a_page_is_accessed_if_somebody_else_saw_its_bit_and_took_idle_away() -> None:
    memory = laid_out([Layout(1)], ROOM, sampled=True)
    one = kdamond(memory, flat_rates(0.0))
    one.run(0, 0, 4 * MS, pace(0.0), True)
    memory.folio[0] &= ~np.uint32(IDLE)
    one.run(0, 4 * MS, 6 * MS, pace(0.0), True)
    assert one.contexts[0].regions.row[0, NR_ACCESSES] == 1


@pytest.mark.compiled
def test_only_pages_of_the_side_are_sampled_and_reported() -> None:
    for side, wanted in ((SLOW_SIDE, {1}), (TOP, set()), (VIRTUAL, {1})):
        memory = laid_out([Layout(GRANULE, nid=0), Layout(GRANULE)], ROOM, sampled=True)
        one = kdamond(memory, row_rates([1.0, 1.0]), side)
        seen: set[int] = set()
        clock = 0
        while clock < 1000 * MS:
            clock = one.run(0, clock, 1000 * MS, pace(1.0), True).clock
            seen |= set((one.reports.folios // GRANULE).tolist())
        assert seen == wanted
        sampled = [bool((memory.folio[g * GRANULE :][:GRANULE] & IDLE).any()) for g in (0, 1)]
        assert sampled == {SLOW_SIDE: [False, True], TOP: [True, False], VIRTUAL: [True] * 2}[side]


@pytest.mark.compiled
@pytest.mark.parametrize("granules", [1, 8, 64])
def test_checks_are_bounded_by_regions_however_large_memory_is(granules: int) -> None:
    memory = laid_out([Layout(granules * GRANULE)], ROOM, sampled=True)
    one = kdamond(memory, flat_rates(2e-8), max_nr_regions=100)
    run(one, 10_000)
    checks = int(one.contexts[0].at[CHECKS])
    assert checks <= 100 * 10_000 // 5
    assert checks > 100 * 10_000 // 5 // 10


@pytest.mark.compiled
def test_a_check_has_its_price_and_makes_the_next_sample_late() -> None:
    memory = laid_out([Layout(64)], ROOM, sampled=True)
    one = kdamond(memory, flat_rates(0.0), paddr_check_ns=1_000_000.0)
    step = one.run(0, 0, 60 * MS, pace(1.0), True)
    assert int(one.contexts[0].at[CHECKS]) == 10, "5 ms, and a millisecond a check"
    assert step.busy_ns == pytest.approx(10 * MS, abs=MS)


def aggregated(nr_hot: int, touches_s: float, nr: int, pages: int = 1024) -> NDArray[np.int64]:
    """nr_accesses of aggregations of one region, of which the first pages are touched so often.

    One region as large as it is: it cannot be cut, as the kdamond may have no more.
    """
    memory = laid_out([Layout(nr_hot), Layout(pages - nr_hot)], ROOM, sampled=True)
    one = kdamond(memory, row_rates([touches_s * 1e-9, 0.0]), max_nr_regions=1, min_nr_regions=1)
    return np.array([counts[0] for counts in run(one, nr * 100)])


@pytest.mark.compiled
def test_o10_accesses_of_a_region_are_binomial() -> None:
    """Half of the pages at 50 touches a second, half idle, 20 samples of 5 ms."""
    counts = aggregated(512, 50.0, 8000)
    assert len(counts) == 8000
    assert stats.ttest_1samp(counts, 2.21199).pvalue > P_THRESHOLD
    assert stats.ttest_1samp((counts - 2.21199) ** 2, 1.96735).pvalue > P_THRESHOLD
    law = stats.binom.pmf(np.arange(21), 20, 0.110600) * counts.size
    seen = np.bincount(counts, minlength=21)
    last = int(np.flatnonzero(law >= 5)[-1])
    cut = [*seen[:last], seen[last:].sum()], [*law[:last], law[last:].sum()]
    assert stats.chisquare(*map(np.array, cut)).pvalue > P_THRESHOLD
    wrong = stats.ttest_1samp(counts, 2.21199 * 1.05)
    assert wrong.pvalue < P_THRESHOLD, "a law that is wrong"


@pytest.mark.compiled
def test_o10_a_few_hot_pages_are_missed_by_a_whole_aggregation() -> None:
    missed = int((aggregated(64, 1e6, 4000) == 0).sum())
    assert stats.binomtest(missed, 4000, (1 - 64 / 1024) ** 20).pvalue > P_THRESHOLD


@pytest.mark.compiled
def test_o10_holds_beside_somebody_who_looks_at_whole_granules() -> None:
    """Every 3 ms another reader latches and clears the bits, as kswapd does, with young and idle:
    the window of a sample is the same, since idle tells DAMON."""
    memory = laid_out([Layout(512), Layout(512)], ROOM, sampled=True)
    rates = row_rates([50e-9, 0.0])
    one = kdamond(memory, rates, max_nr_regions=1, min_nr_regions=1)
    counts, clock, work = [], 0, scratch()
    while clock < 60_000 * MS:
        until = (clock // (3 * MS) + 1) * 3 * MS
        clock = one.run(0, clock, until, pace(1.0), True).clock
        found = one.contexts[0]
        if found.at[STAGE] == APPLY:
            counts.append(int(found.regions.row[0, NR_ACCESSES]))
        for granule in (0, 1):
            latch(memory, rates, work, granule, float(clock))
        seen = memory.folio & np.uint32(ACCESSED) != 0
        memory.folio[seen] &= ~np.uint32(ACCESSED | IDLE)
    assert len(counts) == 600
    assert stats.ttest_1samp(counts, 2.21199).pvalue > P_THRESHOLD
    assert stats.ttest_1samp((np.array(counts) - 2.21199) ** 2, 1.96735).pvalue > P_THRESHOLD


@pytest.mark.compiled
@pytest.mark.parametrize("order", [4, 9])
def test_a_large_folio_is_sampled_as_one(order: int) -> None:
    """All folios expect 0.25 touches in 5 ms: q = 1 - exp(-1/4)."""
    memory = laid_out([Layout(256 >> (order // 4), order=order)], ROOM, sampled=True)
    one = kdamond(memory, flat_rates(50e-9), max_nr_regions=1, min_nr_regions=1)
    counts = np.array([told[0] for told in run(one, 100_000)])
    q = -np.expm1(-0.25)
    assert stats.ttest_1samp(counts, 20 * q).pvalue > P_THRESHOLD


@pytest.mark.compiled
def test_regions_come_to_lie_where_the_heat_changes() -> None:
    """The hot quarter is told from the rest to within a hundredth of the whole."""
    memory = laid_out([Layout(2 * GRANULE), Layout(6 * GRANULE)], ROOM, sampled=True)
    one = kdamond(memory, row_rates([1e-6, 0.0]), SLOW_SIDE)
    run(one, 20_000)
    found = one.contexts[0].regions.row[: one.contexts[0].regions.nr[0]]
    hot = found[found[:, LAST_ACCESSES] > 10]
    pages = int((hot[:, END] - hot[:, START]).sum())
    assert abs(pages - 2 * GRANULE) < 8 * GRANULE // 100
