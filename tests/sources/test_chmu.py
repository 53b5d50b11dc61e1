"""The hotness unit of a CXL device: law, lists, counters, units, and what it leaves alone."""

from typing import Any

import numpy as np
import pytest

from tests.engine.machines import Layout, flat_rates, laid_out
from tiering.engine.flow import Pace
from tiering.engine.folios import ACCESSED, GRANULE, NID_SHIFT, Memory
from tiering.engine.poisson_tail import tail
from tiering.engine.touch import scratch
from tiering.sources.chmu import ChmuReader
from tiering.sources.chmu_knobs import Chmu
from tiering.sources.chmu_list import hot_share
from tiering.sources.chmu_unit import EPOCH, LISTED, LOST
from tiering.sources.source import Step

MS = 1_000_000
EPOCH_NS = 100 * MS
ROOM = 1 << 22
FREE = Chmu(hotness_threshold=1, hotlist_max=0, entry_ns=0.0)


class Device:
    """A slow node whose folios are all accessed `x` times an epoch, on average."""

    def __init__(
        self, vmas: list[Layout], x: float, knobs: Chmu = FREE, vector: bool = True
    ) -> None:
        self.memory: Memory = laid_out(vmas, [ROOM, ROOM])
        nr = max(vma.mm for vma in vmas) + 1
        self.pace = Pace(np.zeros(2, np.int64), np.zeros(nr), np.full(nr, 1.0), np.full(nr, np.inf))
        rates = flat_rates(x / EPOCH_NS, nr)
        if nr == 1 and len(vmas) > 1:
            raise ValueError("one VMA a process: rates are one row each")
        slow = np.array([0, 1], np.uint8)
        self.reader = ChmuReader(knobs, self.memory, rates, scratch(vector), slow, self.pace.tau)
        self.found: list[np.ndarray] = []

    def run(self, until: int, stops: bool = True) -> Step:
        """Go on to `until`, keeping what was reported."""
        clock, step = 0, Step(0, 0, 0, False)
        while clock < until:
            step = self.reader.run(0, clock, until, self.pace, stops)
            clock = step.clock
            self.found.append(self.reader.reports.folios.copy())
        return step

    @property
    def folios(self) -> list[int]:
        return [int(folio) for folio in np.concatenate(self.found)]


def within(nr: int, trials: int, p: float) -> bool:
    """Whether a count is within 5 sigma of a binomial one."""
    return bool(abs(nr - trials * p) <= 5.0 * np.sqrt(trials * p * (1.0 - p)) + 1e-9)


@pytest.mark.parametrize("vector", [True, False])
@pytest.mark.parametrize(("x", "threshold"), [(0.3, 1), (2.0, 3), (9.0, 8), (700.0, 720)])
def test_a_folio_is_listed_if_so_many_accesses_were_counted(
    x: float, threshold: int, vector: bool
) -> None:
    nr = 20_000
    one = Device([Layout(nr)], x, FREE._replace(hotness_threshold=threshold), vector)
    one.run(EPOCH_NS + 1)
    assert within(len(one.folios), nr, tail(x, threshold))
    assert len(set(one.folios)) == len(one.folios)


def test_one_access_in_so_many_is_counted() -> None:
    nr = 20_000
    one = Device([Layout(nr)], 8.0, FREE._replace(hotness_threshold=2, downsampling_factor=4))
    one.run(EPOCH_NS + 1)
    assert within(len(one.folios), nr, tail(2.0, 2))


@pytest.mark.compiled  # plain Python has one kind of code
def test_vector_code_and_portable_code_list_the_same_folios() -> None:
    lists = []
    for vector in (True, False):
        one = Device([Layout(3 * GRANULE + 77)], 0.4, vector=vector)
        one.run(3 * EPOCH_NS + 1)
        lists.append(one.folios)
    assert lists[0] == lists[1]
    assert len(lists[0]) > GRANULE


def test_epochs_begin_anew_and_are_independent() -> None:
    nr = GRANULE
    one = Device([Layout(nr)], 0.5)
    one.run(2 * EPOCH_NS + 1)
    first, second = (set(found.tolist()) for found in one.found if found.size)
    assert one.reader.unit.at[EPOCH] == 2
    p = tail(0.5, 1)
    assert within(len(first & second), nr, p * p)


def test_nothing_is_listed_before_the_first_epoch_ends_nor_of_the_top_tier() -> None:
    one = Device([Layout(100, nid=1, mm=0), Layout(100, nid=0, mm=1)], 50.0)
    one.run(EPOCH_NS)
    assert one.folios == []
    one = Device([Layout(100, nid=1, mm=0), Layout(100, nid=0, mm=1)], 50.0)
    one.run(EPOCH_NS + 1)
    assert one.folios == list(range(100))


def test_the_unit_reads_and_clears_no_accessed_bit() -> None:
    one = Device([Layout(500)], 2.0)
    one.memory.folio[::7] |= np.uint32(ACCESSED)
    before = one.memory.folio.copy()
    one.run(3 * EPOCH_NS + 1)
    assert len(one.folios) > 500
    assert np.array_equal(one.memory.folio, before)
    assert one.memory.looks[0] == 0
    assert one.memory.last[0] == 0.0


def test_a_list_that_is_full_loses_what_comes_after() -> None:
    one = Device([Layout(2 * GRANULE)], 60.0, FREE._replace(hotlist_max=GRANULE + 5))
    one.run(EPOCH_NS + 1)
    assert one.folios == list(range(GRANULE + 5))
    assert one.reader.unit.at[LOST] == GRANULE - 5
    assert one.reader.events[0]["text"] == f"chmu: hot list full, {GRANULE - 5} entries lost"
    assert one.reader.events[0]["t_ns"] >= EPOCH_NS


def test_reading_an_entry_takes_its_time() -> None:
    one = Device([Layout(400)], 60.0, FREE._replace(entry_ns=250.0))
    step = one.reader.run(0, 0, 2 * EPOCH_NS, one.pace, True)
    assert step == Step(EPOCH_NS + 400 * 250, 400 * 250, 400, True)
    assert one.reader.reports.stamps.tolist() == [step.clock]
    one.reader.dilate(2.0)
    step = one.reader.run(0, step.clock, 3 * EPOCH_NS, one.pace, True)
    assert step.busy_ns == 400 * 500


def test_counters_go_to_the_units_that_come_first() -> None:
    """At a threshold of 1 every unit with a counter is listed, so as many as there are counters."""
    nr, counters = 40_000, 5_000
    one = Device([Layout(nr)], 0.8, FREE._replace(nr_counters=counters))
    one.run(EPOCH_NS + 1)
    assert within(len(one.folios), nr, counters / nr)
    plenty = Device([Layout(nr)], 0.8, FREE._replace(nr_counters=nr))
    plenty.run(EPOCH_NS + 1)
    assert within(len(plenty.folios), nr, tail(0.8, 1))


@pytest.mark.parametrize("threshold", [1, 2, 4])
def test_the_law_of_few_counters_is_that_of_counters_taken_one_by_one(threshold: int) -> None:
    """Every access of an epoch in its order; who comes while counters are left gets one."""
    rng, nr, x, counters = np.random.default_rng(5), 3000, 2.0, 1200
    listed, part = 0, 0.0
    for _ in range(20):
        counts = rng.poisson(x, nr)
        unit = np.repeat(np.arange(nr), counts)
        when = rng.random(unit.size)
        first = np.full(nr, 2.0)
        np.minimum.at(first, unit, when)
        taken = np.argsort(first)[:counters]
        listed += int((counts[taken] >= threshold).sum())
        part += float(first[taken[-1]]) / 20
    assert within(listed, 20 * nr, hot_share(x, part, threshold))
    without = tail(x, threshold)
    assert not within(listed, 20 * nr, without), "counters matter here"


@pytest.mark.compiled  # plain Python takes ten seconds and more
@pytest.mark.parametrize("log2", [13, 16, 21, 23])
def test_all_folios_of_a_hot_unit_are_reported(log2: int) -> None:
    width, nr = 1 << (log2 - 12), 8 * GRANULE
    x = 0.7 / width
    one = Device([Layout(nr)], x, FREE._replace(hotness_granual=log2))
    one.run(8 * EPOCH_NS + 1)
    folios = np.array(one.folios)
    units, counts = np.unique(folios // width, return_counts=True)
    assert folios.size % width == 0
    assert within(folios.size // width, 8 * nr // width, tail(0.7, 1))
    assert (counts % width == 0).all()
    assert units.size > 0


def test_what_lies_on_another_node_neither_counts_nor_is_reported() -> None:
    """Every other folio of the units is on the top tier."""
    one = Device([Layout(4096)], 0.5, FREE._replace(hotness_granual=14, hotness_threshold=2))
    one.memory.folio[1::2] &= np.uint32(~(0xF << NID_SHIFT) & 0xFFFFFFFF)
    one.run(EPOCH_NS + 1)
    folios = np.array(one.folios)
    assert (folios % 2 == 0).all()
    assert within(folios.size // 2, 1024, tail(1.0, 2))


def test_a_large_folio_is_found_by_any_of_its_units() -> None:
    """16 pages are 16 units of a sixteenth each."""
    nr = 4000
    one = Device([Layout(nr, 4)], 1.6, FREE._replace(hotness_threshold=2))
    one.run(EPOCH_NS + 1)
    none = 1.0 - tail(0.1, 2)
    assert within(len(one.folios), nr, 1.0 - none**16)


@pytest.mark.compiled  # plain Python takes ten seconds and more
def test_a_short_buffer_loses_nothing() -> None:
    nr = 40 * GRANULE
    one = Device([Layout(nr)], 30.0)
    one.run(EPOCH_NS + 1)
    assert len(one.found) > 1
    assert one.folios == list(range(nr))
    assert one.reader.unit.at[LISTED] == nr


def test_a_thread_that_does_not_stop_goes_on_to_the_end_of_the_tick() -> None:
    one = Device([Layout(10)], 30.0, FREE._replace(epoch_ms=10, entry_ns=100.0))
    step: Any = one.reader.run(0, 0, 95 * MS, one.pace, False)
    assert step.clock == 20 * MS
    assert step.nr_reports == 10
    assert one.reader.rest(0, step.clock - 1, 95 * MS) == (20 * MS, 0)
