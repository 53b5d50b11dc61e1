"""Ages by periodic looks, and who sinks by them, by hand."""

import numpy as np

from tests.engine.machines import Layout, flat_rates, laid_out, pace
from tiering.engine.coldest import OLDEST, OVER, STAGE, Ages, Cold, ages, begin_walk, walk
from tiering.engine.folios import ACCESSED, GRANULE, IDLE, NID_MASK, PINNED, YOUNG, Memory
from tiering.engine.invariants import check_books
from tiering.engine.sink import Sink, Sunk, sunk
from tiering.engine.touch import scratch

FAR = 2**62
CAPACITY = [1 << 14, 1 << 14]
ALL = Cold(1, 1 << 14, 100.0, 0.0)
"""Whoever was not touched for a walk sinks."""
SINK = Sink(
    np.array([[1], [-1]], np.int64), np.zeros(2, np.int64), np.array([0, 1], np.uint8), False,
    250.0, 15.0, 1000.0, 4.096, 0,
)  # fmt: skip


class Daemon:
    """A node with folios of two granules, a page to a copy of 1,000 ns, and its thread."""

    def __init__(self, vmas: list[Layout], cold: Cold = ALL) -> None:
        self.memory: Memory = laid_out(vmas, CAPACITY)
        self.memory.last[:] = 1.0  # nobody touches anything on their own
        self.ages: Ages = ages(self.memory)
        self.sunk: Sunk = sunk(2, np.zeros(2, np.bool_))
        self.cold = cold
        self.scratch = scratch()
        self.clock = 0

    def walk(self, *touched: int) -> list[int]:
        """These folios are touched, and a walk follows; who sank."""
        for folio in touched:
            self.memory.folio[folio] |= np.uint32(ACCESSED)
        before = self.up()
        begin_walk(self.ages, 0)
        while self.ages.at[0, STAGE] != OVER:
            clock, _ = walk(
                self.memory, flat_rates(0.0, 2), self.scratch, self.ages, 0, self.cold, self.clock,
                FAR, pace(0.0, 2), SINK, self.sunk,
            )  # fmt: skip
            self.clock = int(clock)
        check_books(self.memory, np.array(CAPACITY), SINK.slow == 0)
        return sorted(before - self.up())

    def up(self) -> set[int]:
        """Folios on the top tier."""
        populated = np.concatenate(
            [np.arange(nr) + at * GRANULE for at, nr in enumerate(self.memory.nr.tolist())]
        )
        on_top = (self.memory.folio[populated] & np.uint32(NID_MASK)) == 0
        return set(populated[on_top].tolist())


def test_who_was_not_touched_since_the_walk_before_sinks() -> None:
    one = Daemon([Layout(4, nid=0)])
    assert one.walk() == [], "at the first look nobody is known to be idle"
    assert one.walk(1, 3) == [0, 2]
    assert one.clock == 2 * 4 * 100 + 2 * (1000 + 1000)
    assert one.walk() == [1, 3]


def test_ages_are_walks_without_a_touch_and_start_anew_with_one() -> None:
    one = Daemon([Layout(3, nid=0)], ALL._replace(least=3))
    one.walk()
    assert [one.walk(), one.walk(1)] == [[], []]
    assert one.ages.age[:3].tolist() == [2, 0, 2]
    assert one.walk() == [0, 2]
    assert one.ages.age[:3].tolist() == [0, 1, 0]
    for _ in range(300):
        one.cold = ALL._replace(least=OLDEST + 1)
        one.walk()
    assert one.ages.age[1] == OLDEST
    one.cold = ALL._replace(least=OLDEST)
    assert one.walk() == [1]


def test_the_oldest_sink_first_until_there_is_head_room() -> None:
    """Folio i of the first granule was touched i walks ago, and one each of the second."""
    one = Daemon([Layout(6, nid=0), Layout(6, nid=0)], ALL._replace(least=9))
    for walks in range(7):
        one.walk(*range(6 - walks), *range(GRANULE, GRANULE + 6 - walks))
    free = int(one.memory.free[0])
    one.cold = Cold(1, free + 5, 100.0, 0.0)
    one.walk()
    sank = sorted(set(range(6)) | set(range(GRANULE, GRANULE + 6)))
    sank = [folio for folio in sank if folio not in one.up()]
    assert sank == [3, 4, 5, GRANULE + 4, GRANULE + 5]
    assert one.memory.free[0] == free + 5
    assert one.walk() == [], "there is room enough"


def test_an_idle_flag_that_somebody_cleared_is_a_touch() -> None:
    """Reclaim that saw the accessed bit, or a read of page cache."""
    one = Daemon([Layout(2, nid=0)])
    one.walk()
    one.memory.folio[0] &= ~np.uint32(IDLE)
    assert one.walk() == [1]
    one.memory.folio[0] |= np.uint32(ACCESSED)
    one.cold = ALL._replace(least=9)
    one.walk()
    assert one.memory.folio[0] & np.uint32(ACCESSED | IDLE | YOUNG) == IDLE | YOUNG


def test_pinned_folios_stay_and_make_no_room() -> None:
    one = Daemon([Layout(3, nid=0)], ALL._replace(wanted=CAPACITY[0] - 1))
    one.memory.folio[0] |= np.uint32(PINNED)
    one.walk()
    assert one.walk() == [1, 2]


def test_a_folio_that_was_below_begins_anew() -> None:
    """Ages of a stay on the top tier before this one do not count."""
    one = Daemon([Layout(2, nid=1), Layout(1, nid=0)])
    one.ages.age[:2] = 7
    one.ages.oldest[0] = 8
    one.walk()
    assert one.ages.age[:2].tolist() == [0, 0]


def test_a_rate_makes_the_thread_wait_and_not_work() -> None:
    one = Daemon([Layout(10, nid=0)], ALL._replace(page_ns=50_000.0))
    one.walk()
    begin = one.clock
    begin_walk(one.ages, 0)
    busy = 0
    while one.ages.at[0, STAGE] != OVER:
        clock, used = walk(
            one.memory, flat_rates(0.0, 2), one.scratch, one.ages, 0, one.cold, one.clock, FAR,
            pace(0.0, 2), SINK, one.sunk,
        )  # fmt: skip
        one.clock, busy = int(clock), busy + int(used)
    assert one.clock - begin == 10 * 100 + 10 * 50_000
    assert busy == 10 * 100 + 10 * 2000


def test_large_folios_are_whole_pages_of_head_room() -> None:
    one = Daemon([Layout(4, order=9, nid=0)], ALL._replace(least=1))
    one.walk()
    one.cold = Cold(1, int(one.memory.free[0]) + 513, 100.0, 0.0)
    assert len(one.walk()) == 2
