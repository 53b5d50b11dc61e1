"""The hotness unit that is always on: exact laws of what it lists, counters, lists, filters."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.engine.machines import Layout, laid_out, row_rates
from tests.sources.test_chmu import EPOCH_NS, FREE, ROOM, Device, within
from tiering.engine.flow import Pace
from tiering.engine.folios import GRANULE, NID_MASK, NID_SHIFT, SLOW
from tiering.engine.poisson_tail import tail, term
from tiering.engine.random import stream_key, uniform_of
from tiering.engine.sweep import sweep_table
from tiering.engine.touch import scratch
from tiering.sources.chmu import ChmuReader, granules_in
from tiering.sources.chmu_always import COUNT, poisson_from, swept_accesses
from tiering.sources.chmu_unit import LISTED, LOST

ON = FREE._replace(epoch_type="always_on")


class Lasting(Device):
    """A device that is read window by window."""

    clock = 0

    def windows(self, nr: int) -> list[set[int]]:
        """Folios reported in each of the next windows."""
        return [self._window() for _ in range(nr)]

    def _window(self) -> set[int]:
        until, found = (self.clock // EPOCH_NS + 1) * EPOCH_NS + 1, set()
        while self.clock < until:
            step = self.reader.run(0, self.clock, until, self.pace, True)
            self.clock = step.clock
            found |= set(self.reader.reports.folios.tolist())
        return found

    @property
    def counts(self) -> NDArray[np.uint32]:
        """Counters of the slow node, by the first page of the unit."""
        counts: NDArray[np.uint32] = self.reader.unit.counters[0] & COUNT
        return counts


@pytest.mark.compiled  # a million numbers
@pytest.mark.parametrize("x", [1e-6, 0.3, 1.0, 7.7, 250.5, 40_000.0])
def test_numbers_are_drawn_from_the_exact_poisson_law(x: float) -> None:
    key, mode = stream_key(3), int(x)
    peak = term(x, mode)
    drawn = np.array([poisson_from(x, mode, peak, uniform_of(key, 1, i)) for i in range(60_000)])
    law = stats.poisson(x)
    edges = np.unique(law.ppf(np.linspace(0.0, 1.0, 22)[1:-1]))
    chances = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
    counts = np.bincount(np.searchsorted(edges, drawn), minlength=chances.size)
    keep = chances * drawn.size > 5
    if keep.sum() > 1:
        scale = counts[keep].sum() / chances[keep].sum()
        assert stats.chisquare(counts[keep], chances[keep] * scale).pvalue > 1e-4
        wrong = np.diff(np.concatenate([[0.0], stats.poisson(1.1 * x).cdf(edges), [1.0]]))
        scale = counts[keep].sum() / wrong[keep].sum()
        assert stats.chisquare(counts[keep], wrong[keep] * scale).pvalue < 1e-4
    assert drawn.min() >= 0


@pytest.mark.parametrize("vector", [True, False])
@pytest.mark.parametrize(("x", "threshold"), [(0.3, 1), (2.0, 3), (9.0, 8), (300.0, 290)])
def test_in_the_first_window_a_unit_is_listed_as_at_the_end_of_an_epoch(
    x: float, threshold: int, vector: bool
) -> None:
    nr = 10_000
    one = Lasting([Layout(nr)], x, ON._replace(hotness_threshold=threshold), vector)
    (found,) = one.windows(1)
    assert within(len(found), nr, tail(x, threshold))


@pytest.mark.compiled
@pytest.mark.parametrize(("x", "threshold"), [(0.4, 2), (0.9, 3), (5.0, 4), (3.0, 1)])
def test_a_counter_goes_on_from_window_to_window_by_the_exact_law(x: float, threshold: int) -> None:
    """c = (c + N) mod T: the law of c after each window is worked out number by number."""
    nr = 40_000
    one = Lasting([Layout(nr)], x, ON._replace(hotness_threshold=threshold))
    law = stats.poisson(x).pmf(np.arange(200))
    state = np.zeros(threshold)
    state[0] = 1.0
    for found in one.windows(5):
        listed, after = 0.0, np.zeros(threshold)
        for c in range(threshold):
            listed += state[c] * law[threshold - c :].sum()
            for n, p in enumerate(law):
                after[(c + n) % threshold] += state[c] * p
        assert within(len(found), nr, listed)
        state = after
    counts = np.bincount(one.counts[:nr], minlength=threshold)
    assert counts.size == threshold
    if threshold > 1:
        assert stats.chisquare(counts, state * nr).pvalue > 1e-4
        forgotten = np.array([(law[c::threshold]).sum() for c in range(threshold)])
        if abs(forgotten - state).max() > 0.01:
            assert stats.chisquare(counts, forgotten / forgotten.sum() * nr).pvalue < 1e-4


def test_over_many_windows_a_unit_is_listed_once_in_threshold_accesses() -> None:
    nr, x, threshold, over = 2000, 3.0, 8, 10
    one = Lasting([Layout(nr)], x, ON._replace(hotness_threshold=threshold))
    one.windows(over)
    left = int(one.counts.sum())
    counted = int(one.reader.unit.at[LISTED]) * threshold + left
    assert abs(counted - nr * x * over) < 5 * np.sqrt(nr * x * over)


def test_one_access_in_so_many_counts() -> None:
    nr = 10_000
    knobs = ON._replace(hotness_threshold=2, downsampling_factor=4)
    (found,) = Lasting([Layout(nr)], 8.0, knobs).windows(1)
    assert within(len(found), nr, tail(2.0, 2))


@pytest.mark.compiled
def test_counters_go_to_the_units_that_come_first_and_stay_with_them() -> None:
    """A threshold out of reach: who has a counter keeps it, and nobody else gets one."""
    nr, few = 8000, 700
    knobs = ON._replace(hotness_threshold=60_000, nr_counters=few)
    one = Lasting([Layout(nr)], 2.0, knobs)
    one.windows(1)
    first = np.flatnonzero(one.counts)
    assert first.size == few
    one.windows(2)
    assert np.array_equal(np.flatnonzero(one.counts), first)
    assert one.reader.unit.held.sum() == few


@pytest.mark.compiled
@pytest.mark.parametrize("threshold", [2, 4])
def test_the_law_of_few_counters_is_that_of_counters_taken_one_by_one(threshold: int) -> None:
    """Every access of a window in its order; who comes while counters are free gets one."""
    rng, nr, x, few = np.random.default_rng(5), 8000, 2.0, 3000
    listed = 0
    for _ in range(20):
        numbers = rng.poisson(x, nr)
        unit = np.repeat(np.arange(nr), numbers)
        first = np.full(nr, 2.0)
        np.minimum.at(first, unit, rng.random(unit.size))
        listed += int((numbers[np.argsort(first)[:few]] >= threshold).sum())
    p = listed / (20 * nr)
    knobs = ON._replace(hotness_threshold=threshold, nr_counters=few)
    (found,) = Lasting([Layout(nr)], x, knobs).windows(1)
    assert within(len(found), nr, p)
    assert not within(len(found), nr, tail(x, threshold)), "counters matter here"


def test_a_counter_is_freed_when_its_unit_is_listed() -> None:
    """All are listed in the first window, and all counters are free for the second."""
    nr, few = 4000, 500
    one = Lasting([Layout(nr)], 60.0, ON._replace(hotness_threshold=8, nr_counters=few))
    first, second = one.windows(2)
    assert len(first) == len(second) == few
    assert one.counts.sum() == 0
    assert first != second


def test_at_a_threshold_of_one_a_counter_is_free_again_at_once() -> None:
    nr = 8000
    (found,) = Lasting([Layout(nr)], 0.8, ON._replace(nr_counters=1)).windows(1)
    assert within(len(found), nr, tail(0.8, 1))


def test_plenty_of_counters_are_as_good_as_one_for_every_unit() -> None:
    found = []
    for nr_counters in (0, 5000):
        knobs = ON._replace(hotness_threshold=3, nr_counters=nr_counters)
        found.append(Lasting([Layout(4000)], 1.5, knobs).windows(3))
    assert found[0] == found[1]


def test_a_full_list_keeps_as_many_entries_as_it_has_spread_over_all_that_came() -> None:
    nr, most = 2 * GRANULE, 1000
    one = Lasting([Layout(nr)], 60.0, ON._replace(hotness_threshold=50, hotlist_max=most))
    (found,) = one.windows(1)
    came = int(one.reader.unit.total[0])
    assert one.reader.unit.at[LISTED] == most == len(found)
    assert one.reader.unit.at[LOST] == came - most > 0
    low = sum(folio < GRANULE for folio in found)
    assert abs(low - most // 2) < 50
    assert f"{came - most} entries lost" in one.reader.events[0]["text"]


def test_every_entry_takes_its_time_to_read_and_a_folio_is_reported_once() -> None:
    """100 accesses at a threshold of 10: about ten entries of one folio."""
    one = Lasting([Layout(50)], 100.0, ON._replace(hotness_threshold=10, entry_ns=250.0))
    step = one.reader.run(0, 0, EPOCH_NS + 1, one.pace, True)
    assert step.nr_reports == 50
    assert step.busy_ns == 250 * int(one.reader.unit.at[LISTED])
    assert within(int(one.reader.unit.at[LISTED]) * 10, 50_000, 0.1)


@pytest.mark.parametrize("log2", [13, 16, 21])
def test_all_folios_of_a_listed_unit_are_reported(log2: int) -> None:
    width, nr = 1 << (log2 - 12), GRANULE
    knobs = ON._replace(hotness_granual=log2, hotness_threshold=2)
    one = Lasting([Layout(nr)], 1.5 / width, knobs)
    units = 0
    for found in one.windows(2):
        folios = np.array(sorted(found), np.int64)
        _, counts = np.unique(folios // width, return_counts=True)
        assert (counts == width).all()
        units += counts.size
        if not one.clock // EPOCH_NS > 1:
            assert within(counts.size, nr // width, tail(1.5, 2))
    assert units > 0
    assert np.flatnonzero(one.counts & 0xFFFF).size <= nr // width


def test_a_large_folio_is_listed_by_any_of_its_units() -> None:
    nr = 500
    (found,) = Lasting([Layout(nr, 4)], 1.6, ON._replace(hotness_threshold=2)).windows(1)
    assert within(len(found), nr, 1.0 - (1.0 - tail(0.1, 2)) ** 16)


def test_a_folio_that_moves_away_leaves_its_count_behind() -> None:
    one = Lasting([Layout(1000)], 5.0, ON._replace(hotness_threshold=1000))
    one.windows(1)
    assert (one.counts[:1000] > 0).sum() > 900
    words = one.memory.folio
    words[:500] &= np.uint32(~(NID_MASK | SLOW) & 0xFFFFFFFF)
    one.windows(1)
    assert one.counts[:500].sum() == 0
    words[:500] |= np.uint32(SLOW | 1 << NID_SHIFT)
    one.windows(1)
    assert one.counts[:500].mean() < 0.5 * one.counts[500:1000].mean()


def test_no_accessed_bit_is_read_or_cleared() -> None:
    one = Lasting([Layout(500)], 2.0, ON)
    before = one.memory.folio.copy()
    one.windows(2)
    assert np.array_equal(one.memory.folio, before)
    assert one.memory.looks[0] == 0


def test_the_accesses_of_a_sweep_to_a_page_are_counted_one_by_one() -> None:
    pages, stride, burst = 37, 5, 3
    sweeps = sweep_table([(0, GRANULE, 1, pages, stride, burst, 0.5)])
    order = [p for column in range(stride) for p in range(column, pages, stride)]
    for tau0, tau1 in ((0.0, 100.0), (31.0, 33.0), (50.5, 2000.0), (8.0, 8.0)):
        counts = np.zeros(pages)
        for m in range(int(np.ceil(0.5 * tau0)), int(np.ceil(0.5 * tau1))):
            counts[order[m // burst % pages]] += 1
        got = [swept_accesses(sweeps, 0, 0, page, 1, tau0, tau1) for page in range(pages)]
        assert got == counts.tolist()
    whole = swept_accesses(sweeps, 0, 0, 0, 64, 0.0, 2000.0)
    assert whole == 1000.0, "pages behind the end of the region are none"


def filtered(knobs: Any, write_share: float, x: float, nr: int) -> ChmuReader:
    memory = laid_out([Layout(nr)], [ROOM, ROOM])
    tau = np.zeros(1)
    reader = ChmuReader(
        knobs, memory, row_rates([x / EPOCH_NS]), scratch(), np.array([0, 1], np.uint8), tau,
        np.array([write_share]),
    )  # fmt: skip
    pace = Pace(np.zeros(2, np.int64), tau, np.ones(1), np.full(1, np.inf))
    clock = 0
    found = 0
    while clock < EPOCH_NS + 1:
        step = reader.run(0, clock, EPOCH_NS + 1, pace, True)
        clock, found = step.clock, found + step.nr_reports
    reader.reports = reader.reports._replace(ends=np.array([found]))
    return reader


@pytest.mark.parametrize("kind", ["epoch", "always_on"])
@pytest.mark.parametrize(("access", "part"), [("both", 1.0), ("reads", 0.75), ("writes", 0.25)])
def test_reads_or_writes_alone_are_counted_if_the_filter_says_so(
    kind: Any, access: Any, part: float
) -> None:
    nr, x = 8000, 4.0
    knobs = FREE._replace(epoch_type=kind, access_type=access, hotness_threshold=3)
    reader = filtered(knobs, 0.25, x, nr)
    assert within(int(reader.reports.ends[0]), nr, tail(part * x, 3))
    nobody = filtered(knobs._replace(access_type="writes"), 0.0, x, 100)
    assert nobody.reports.ends[0] == 0


@pytest.mark.compiled
@pytest.mark.parametrize("kind", ["epoch", "always_on"])
def test_only_the_range_is_counted_in_whole_256_mib(kind: Any) -> None:
    """512 MiB are 16 granules; 300 .. 310 MiB lie in the second 256."""
    knobs = FREE._replace(epoch_type=kind, range_base_mib=300, range_size_mib=10)
    one = Lasting([Layout(16 * GRANULE)], 30.0, knobs)
    (found,) = one.windows(1)
    assert found == set(range(8 * GRANULE, 16 * GRANULE))


@pytest.mark.parametrize(
    ("base", "size", "granules"),
    [(0, 256, (0, 8)), (256, 256, (8, 16)), (255, 2, (0, 16)), (1024, 1, (32, 40))],
)
def test_a_range_is_rounded_to_the_bits_that_it_touches(
    base: int, size: int, granules: tuple[int, int]
) -> None:
    assert granules_in(FREE._replace(range_base_mib=base, range_size_mib=size)) == granules
    first, end = granules_in(FREE._replace(range_base_mib=base))
    assert (first, end > 2**40) == (0, True)


@pytest.mark.compiled
def test_counters_of_an_epoch_are_not_taken_by_what_lies_outside_the_range() -> None:
    counters_of_half = 8 * GRANULE
    knobs = FREE._replace(range_base_mib=256, range_size_mib=256, nr_counters=counters_of_half)
    one = Lasting([Layout(16 * GRANULE)], 0.7, knobs)
    (found,) = one.windows(1)
    assert within(len(found), 8 * GRANULE, tail(0.7, 1))


@pytest.mark.compiled
def test_each_device_counts_its_own_part_of_a_unit() -> None:
    """Units of two pages, one on each of two devices: half the accesses each."""
    nr, x, threshold = 8000, 1.5, 2
    memory = laid_out([Layout(nr)], [ROOM] * 3, [0, 1, 1])
    memory.folio[1:nr:2] ^= np.uint32((1 ^ 2) << NID_SHIFT)
    tau, slow = np.zeros(1), np.array([0, 1, 1], np.uint8)
    knobs = ON._replace(hotness_granual=13, hotness_threshold=threshold)
    reader = ChmuReader(knobs, memory, row_rates([x / EPOCH_NS]), scratch(), slow, tau)
    pace = Pace(np.zeros(2, np.int64), tau, np.ones(1), np.full(1, np.inf))
    clock, found = 0, np.zeros(0, np.uint32)
    while clock < EPOCH_NS + 1:
        clock = reader.run(0, clock, EPOCH_NS + 1, pace, True).clock
        found = np.concatenate([found, reader.reports.folios])
    assert np.unique(found).size == found.size
    for odd in (0, 1):
        assert within(int((found % 2 == odd).sum()), nr // 2, tail(x, threshold))
