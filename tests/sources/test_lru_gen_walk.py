"""MGLRU's walk as a source: what it reports, clears and costs, and when."""

import math

import numpy as np
import pytest
from scipy import stats

from tests.engine.machines import Layout, flat_rates, laid_out, pace
from tiering.engine.flow import Pace
from tiering.engine.folios import ACCESSED, AS_IT_IS, GRANULE, LIST_SHIFT, YOUNG
from tiering.engine.touch import scratch
from tiering.sources.lru_gen_knobs import LruGenWalk
from tiering.sources.lru_gen_walk import LruGenWalker
from tiering.sources.pte_state import ScannedMm
from tiering.sources.source import Step

MS = 1_000_000
ROOM = 1 << 22
FREE = LruGenWalk(pte_ns=0.0, pte_skip_ns=0.0, pte_none_ns=0.0)


class Machine:
    """VMAs of one process each on nodes of which the first is the top tier."""

    def __init__(
        self, vmas: list[Layout], knobs: LruGenWalk = FREE, share: float = 0.0, nodes: int = 2,
        vector: bool = True, present: int = 512,
    ) -> None:  # fmt: skip
        nr = max(vma.mm for vma in vmas) + 1
        self.memory = laid_out(vmas, [ROOM] * nodes)
        self.memory.entry[:] = AS_IT_IS
        self.pace: Pace = pace(1.0 if share else 0.0, nr)
        mms = [ScannedMm(str(i), ((0, 1, 32.0),), None, ((present, False),)) for i in range(nr)]
        slow = np.arange(nodes) > 0
        self.walker = LruGenWalker(
            knobs, self.memory, flat_rates(share, nr), scratch(vector), mms, slow
        )
        self.clock = 0
        self.found: list[int] = []
        self.stamps: list[int] = []

    def run(self, until: int, stops: bool = True) -> Step:
        """Go on to `until`, keeping what was reported."""
        step = Step(self.clock, 0, 0, False)
        while self.clock < until:
            step = self.walker.run(0, self.clock, until, self.pace, stops)
            self.clock = step.clock
            self.found += self.walker.reports.folios.tolist()
            self.stamps += self.walker.reports.stamps.tolist()
        return step

    def touch(self, folios: list[int] | range) -> None:
        self.memory.folio[list(folios)] |= np.uint32(ACCESSED)

    def touched(self) -> list[int]:
        return np.flatnonzero(self.memory.folio & np.uint32(ACCESSED)).tolist()


def test_accessed_folios_of_lower_tiers_are_reported_once_and_their_bits_cleared() -> None:
    one = Machine([Layout(100), Layout(100, nid=0, mm=1)])
    one.touch([3, 50])
    one.touch([GRANULE + 7])
    one.run(1)
    assert one.found == [3, 50]
    assert one.touched() == [GRANULE + 7], "of the top tier nobody clears a bit"
    one.run(600 * MS)
    assert one.found == [3, 50]


def test_walks_begin_half_a_second_apart() -> None:
    one = Machine([Layout(1000)])
    for _ in range(3):
        one.touch([1])
        one.run(one.clock + 499 * MS)
    one.run(1600 * MS)
    assert one.stamps == [0, 500 * MS, 1000 * MS]


def test_a_walk_that_takes_longer_than_the_interval_is_followed_at_once() -> None:
    one = Machine([Layout(GRANULE)], FREE._replace(pte_ns=100_000.0))
    one.run(2 * GRANULE * 100_000)
    assert one.walker.walk.at.tolist()[-1] == 2
    assert one.clock == 2 * GRANULE * 100_000
    columns = one.walker.columns()
    assert columns["nr_visits"].tolist() == [2.0]
    assert columns["full_scan_ms"].tolist() == [GRANULE * 0.1]


@pytest.mark.parametrize(
    ("vma", "ns"),
    [
        (Layout(1000), 1000 * 15),
        (Layout(1000, nid=0), 1000 * 4),
        (Layout(10, order=4), 160 * 15),
        (Layout(10, order=9), 10 * 15),
    ],
)
def test_ptes_cost_by_node_and_a_huge_page_is_one_entry(vma: Layout, ns: int) -> None:
    knobs = LruGenWalk(pte_none_ns=0.0)
    one = Machine([vma], knobs)
    step = one.walker.run(0, 0, MS * 400, one.pace, True)
    assert step.busy_ns == ns
    one.walker.dilate(2.0)
    step = one.walker.run(0, 500 * MS, 501 * MS, one.pace, True)
    assert step.busy_ns == 2 * ns


def test_empty_ptes_of_page_tables_are_read_too() -> None:
    one = Machine([Layout(1024)], FREE._replace(pte_none_ns=2.0), present=128)
    assert one.walker.run(0, 0, MS, one.pace, True).busy_ns == 1024 * 3 * 2


def test_page_tables_are_walked_once_for_every_lower_tier_node() -> None:
    vmas = [Layout(100, nid=2, mm=0), Layout(100, nid=1, mm=1)]
    one = Machine(vmas, LruGenWalk(), nodes=3)
    one.touch([5])
    one.touch([GRANULE + 6])
    one.run(400 * MS)
    assert one.found == [GRANULE + 6, 5], "node 1 first"
    assert one.stamps == [100 * 4 + 100 * 15, 2 * (100 * 4 + 100 * 15) - 100 * 4]


def test_a_batch_is_reported_when_it_is_full_and_when_its_mm_ends() -> None:
    vmas = [Layout(3 * GRANULE, mm=0), Layout(10, mm=1)]
    one = Machine(vmas, FREE._replace(batch_nr=GRANULE + 1, pte_ns=1.0))
    one.touch(range(3 * GRANULE))
    one.touch(range(3 * GRANULE, 3 * GRANULE + 10))
    ends = []
    while one.clock < MS:
        step = one.walker.run(0, one.clock, MS, one.pace, True)
        one.clock = step.clock
        ends.append((step.nr_reports, step.ended))
    assert ends == [(2 * GRANULE, True), (GRANULE, True), (10, True), (0, False)]


@pytest.mark.compiled  # plain Python takes seconds
def test_what_does_not_fit_the_buffer_is_reported_in_pieces() -> None:
    nr = 40 * GRANULE
    one = Machine([Layout(nr)], FREE._replace(batch_nr=100_000))
    one.touch(range(nr))
    one.run(MS, stops=False)
    assert one.found == list(range(nr))


def test_accessed_folios_join_the_youngest_generation_of_their_node() -> None:
    one = Machine([Layout(100)])
    one.memory.entry[1] = 2
    one.memory.on_list[1] = (100, 0, 0, 0)
    one.touch(range(30))
    one.run(1)
    assert one.memory.on_list[1].tolist() == [70, 0, 30, 0]
    generations = (one.memory.folio[:100] >> np.uint32(LIST_SHIFT)) & np.uint32(3)
    assert generations.tolist() == [2] * 30 + [0] * 70


def test_young_of_page_idle_tracking_is_another_bit_and_reports_nobody() -> None:
    one = Machine([Layout(100)])
    one.memory.folio[:100] |= np.uint32(YOUNG)
    one.run(1)
    assert one.found == []


def test_page_cache_that_nobody_maps_is_in_no_page_table() -> None:
    one = Machine([Layout(1000)], LruGenWalk())
    one.memory.unmapped[:] = 1
    one.touch(range(1000))
    step = one.walker.run(0, 0, MS, one.pace, True)
    assert (step.nr_reports, step.busy_ns) == (0, 0)


@pytest.mark.parametrize("vector", [True, False])
@pytest.mark.parametrize("x", [0.3, 1.0, 4.0])
def test_o1_a_window_with_a_touch_is_found_with_the_exact_probability(
    x: float, vector: bool
) -> None:
    """1 - exp(-x) for x touches expected in half a second; O2 for the first walk at its end."""
    nr = 3 * GRANULE
    one = Machine([Layout(nr)], share=x / (500 * MS), vector=vector)
    one.run(1)
    assert one.found == [], "the first walk is at time 0"
    one.run(500 * MS + 1)
    p = -math.expm1(-x)
    assert stats.binomtest(len(one.found), nr, p).pvalue > 1e-4
    wrong = min(1.1 * p, 1.0)
    assert x > 1 or stats.binomtest(len(one.found), nr, wrong).pvalue < 1e-4
    before = len(one.found)
    one.run(1000 * MS + 1)
    assert stats.binomtest(len(one.found) - before, nr, p).pvalue > 1e-4


def test_a_new_interval_holds_for_the_sleep_that_is_on() -> None:
    one = Machine([Layout(10)])
    one.run(100 * MS)
    one.walker.retune("interval_ms", 200, 100 * MS)
    assert one.walker.rest(0, 100 * MS, 400 * MS) == (200 * MS, 0)
    one.walker.retune("interval_ms", 50, 100 * MS)
    assert one.walker.rest(0, 100 * MS, 400 * MS) == (100 * MS, 0)


def test_without_a_lower_tier_there_is_nothing_to_walk() -> None:
    one = Machine([Layout(10, nid=0)], nodes=1)
    assert one.walker.run(0, 0, MS, one.pace, True) == (MS, 0, 0, False)
    assert one.walker.rest(0, 5, MS) == (MS, 0)
