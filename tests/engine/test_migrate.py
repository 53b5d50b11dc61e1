import itertools
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.machines import Layout, laid_out, pace, row_rates
from tiering.engine.books import (
    IS_PINNED,
    IS_SHARED,
    LIMITED,
    MOVED,
    NO_ROOM,
    STALE,
    WINDOW_NS,
    Books,
    Terms,
    books,
)
from tiering.engine.chunks import WAITING, Chunks, chunks, push, room_needed, with_room
from tiering.engine.folios import (
    ACCESSED,
    FAULTED,
    GRANULE,
    HINT,
    PINNED,
    SHARED,
    SLOW,
    UNTOUCHED,
    Memory,
)
from tiering.engine.invariants import check_books
from tiering.engine.migrate import STAMP_NS, drain
from tiering.engine.reports import in_runs
from tiering.engine.touch import scratch

ROOM = 1 << 20
FOREVER = 2**62
TERMS = Terms(0, 1000.0, 100.0, 1.0, 1, 0, 0, False, -1)
"""To node 0: 1,000 ns a batch of one folio, 100 ns a folio, one byte a ns."""


class Bench(NamedTuple):
    memory: Memory
    queue: Chunks
    books: Books
    capacity: list[int]

    def drain(self, terms: Terms = TERMS, clock: int = 0, until: int = FOREVER) -> int:
        shares = [0.0] * len(self.memory.pages)
        end = drain(
            self.memory, row_rates(shares), scratch(), self.queue, clock, until, pace(), terms,
            self.books,
        )  # fmt: skip
        check_books(self.memory, np.array(self.capacity), np.array([True, False]))
        return int(end)


def bench(
    vmas: list[Layout], *waiting: tuple[list[int], int], room: int = ROOM, stamps: bool = False
) -> Bench:
    """`waiting`: candidates and the time at which they arrive."""
    memory = laid_out(vmas, [room, ROOM], stamps=stamps)
    queue = chunks(1, 1)
    for numbers, stamp in waiting:
        folios = np.array(numbers, np.uint32)
        found = in_runs(folios, stamp)
        queue = with_room(queue, *room_needed(found, folios.size))
        push(queue, found, folios.size)
    return Bench(memory, queue, books(2, 1), [room, ROOM])


@pytest.mark.parametrize("order", [0, 4, 9])
def test_a_folio_costs_a_and_b_and_the_copy_of_all_its_pages(order: int) -> None:
    one = bench([Layout(3, order)], ([1], 0))
    assert one.drain() == 1000 + 100 + (4096 << order)
    assert one.books.pages.tolist() == [1 << order]
    assert one.books.from_nid.tolist() == [0, 1 << order]
    assert one.books.outcome[MOVED] == 1, "outcomes count folios"
    assert one.memory.free.tolist() == [ROOM - (1 << order), ROOM - (2 << order)]
    assert one.memory.folio[1] & np.uint32(UNTOUCHED)


def test_a_batch_ends_with_its_granule() -> None:
    """Six folios of three granules in batches of two: four, of which two are full."""
    numbers = [0, 1, 2, GRANULE, GRANULE + 1, 2 * GRANULE]
    one = bench([Layout(3 * GRANULE)], (numbers, 0))
    assert one.drain(TERMS._replace(batch_nr=2)) == 4 * 1000 + 6 * (100 + 4096)
    assert one.books.outcome[MOVED] == 6


def test_a_batch_that_has_begun_is_finished_after_the_end_of_time() -> None:
    one = bench([Layout(10)], (list(range(10)), 0))
    clock = one.drain(TERMS._replace(batch_nr=4), until=1)
    assert clock == 1000 + 4 * 4196
    assert one.queue.at[WAITING] == 6
    assert one.drain(TERMS._replace(batch_nr=4), clock, clock) == clock, "no time, no batch"


def test_a_batch_does_not_wait_for_candidates_that_arrive_later() -> None:
    one = bench([Layout(10)], ([0, 1], 0), ([2], 20_000), ([3], 20_001))
    clock = one.drain(TERMS._replace(batch_nr=8))
    assert clock == 1000 + 2 * 4196
    assert one.queue.at[WAITING] == 2
    clock = one.drain(TERMS._replace(batch_nr=8), 20_000)
    assert clock == 20_000 + 2 * (1000 + 4196), "a batch of each"
    assert one.books.age.tolist() == [5195, 5195], "the second waited for the first"


def test_a_batch_of_which_nothing_can_move_costs_a_and_b_all_the_same() -> None:
    one = bench([Layout(4, 0, nid=0)], ([0, 1], 0))
    assert one.drain(TERMS._replace(batch_nr=2)) == 1000 + 2 * 100
    assert one.books.outcome[STALE] == 2
    assert not one.books.dirty.any()


@pytest.mark.parametrize(("room", "moved"), [(512 + 99, 0), (512 + 100, 1), (2 * 512 + 100, 2)])
def test_a_large_folio_needs_all_its_pages_above_the_reserve(room: int, moved: int) -> None:
    one = bench([Layout(3, 9)], ([0, 1, 2], 0), room=room)
    one.drain(TERMS._replace(reserve=100))
    assert one.books.outcome[MOVED] == moved
    assert one.books.outcome[NO_ROOM] == 3 - moved
    assert one.books.refused.tolist() == [True, False]
    assert one.memory.free[0] == room - moved * 512


@pytest.mark.parametrize(("batch_nr", "moved"), [(1, 4), (3, 6), (20, 8)])
def test_it_stops_after_the_batch_for_which_kswapd_wakes(batch_nr: int, moved: int) -> None:
    """Eight pages are free; with the fourth page it is less than five."""
    one = bench([Layout(10)], (list(range(10)), 0), room=8)
    one.drain(TERMS._replace(batch_nr=batch_nr, wake=5))
    assert one.books.outcome[MOVED] == moved
    assert one.books.outcome[NO_ROOM] == (2 if batch_nr == 20 else 0)
    assert one.queue.at[WAITING] == (0 if batch_nr == 20 else 10 - moved)
    one.drain(TERMS._replace(wake=5))
    assert one.books.outcome[MOVED] == moved, "it has to wake first"


def test_it_stops_at_a_candidate_without_room_where_kswapd_would_wake() -> None:
    one = bench([Layout(3, 9), Layout(1, 0)], ([0, 1, GRANULE], 0), room=1000)
    one.drain(TERMS._replace(wake=100))
    assert one.books.outcome[[MOVED, NO_ROOM]].tolist() == [1, 1]
    assert one.queue.at[WAITING] == 1


def test_batches_are_full_although_stale_candidates_take_no_room() -> None:
    """The first four of fourteen are stale: three batches of four, one of two."""
    one = bench([Layout(14)], ([0, 1, 2, 3], 0), (list(range(14)), 0), room=24)
    clock = one.drain(TERMS._replace(batch_nr=4, wake=11))
    assert clock == (1 + 4) * 1000 + (4 + 14) * 100 + 14 * 4096
    assert one.books.outcome[[MOVED, STALE]].tolist() == [14, 4]


def test_a_small_folio_finds_room_where_a_large_one_does_not() -> None:
    one = bench([Layout(1, 9), Layout(1, 4)], ([0, GRANULE], 0), room=20)
    one.drain()
    assert one.books.outcome[[NO_ROOM, MOVED]].tolist() == [1, 1]
    assert one.books.pages[0] == 16


def test_the_limit_counts_pages_and_begins_anew_every_second() -> None:
    """600 pages a second: one of 512, then another 88; a second later again."""
    vmas = [Layout(4, 9), Layout(100, 0)]
    numbers = [0, 1, *range(GRANULE, GRANULE + 89)]
    one = bench(vmas, (numbers, 0), ([2], WINDOW_NS))
    limited = TERMS._replace(limit=600)
    clock = one.drain(limited)
    assert one.books.outcome[[MOVED, LIMITED]].tolist() == [1 + 88, 1 + 1]
    assert one.books.window.tolist() == [0, 600]
    one.drain(limited, max(clock, WINDOW_NS + 5))
    assert one.books.window.tolist() == [WINDOW_NS, 512]


def test_each_cause_of_failure_is_counted_by_itself() -> None:
    one = bench([Layout(8), Layout(1, 0, nid=0)], ([0, 1, 2, 3, GRANULE], 0), room=2)
    one.memory.folio[0] |= np.uint32(PINNED | SHARED)
    one.memory.folio[1] |= np.uint32(SHARED)
    one.drain(TERMS._replace(refuse_shared=True))
    causes = [MOVED, STALE, NO_ROOM, IS_PINNED, IS_SHARED, LIMITED]
    assert one.books.outcome[causes].tolist() == [1, 1, 1, 1, 1, 0]
    assert one.queue.at[WAITING] == 0


def test_a_candidate_of_a_process_that_is_gone_is_stale() -> None:
    one = bench([Layout(4)], ([2], 0))
    one.memory.folio[:4] &= np.uint32(0xFF)
    one.memory.nr[0], one.memory.nr_slow[0] = 0, 0
    one.memory.resident[:], one.memory.on_list[:], one.memory.free[1] = 0, 0, ROOM
    one.drain()
    assert one.books.outcome[STALE] == 1


def test_a_granule_is_looked_at_before_its_first_folio_moves() -> None:
    """What was touched on the slow tier must not be taken for a touch after the promotion."""
    one = bench([Layout(4)], ([1], 0))
    rates = row_rates([1e9])
    drain(
        one.memory, rates, scratch(), one.queue, 100, FOREVER, pace(1.0), TERMS, one.books
    )  # fmt: skip
    assert (one.memory.folio[:4] & np.uint32(ACCESSED) != 0).all()
    assert one.memory.folio[1] & np.uint32(UNTOUCHED)
    assert one.memory.last[0] == 100.0


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.1, 12.34, 6553.4, 6553.5, 6553.6, 9000.0])
def test_a_stamp_is_never_that_of_a_folio_that_was_not_promoted(seconds: float) -> None:
    clock = round(seconds * 10) * STAMP_NS
    one = bench([Layout(2)], ([1], clock), stamps=True)
    one.drain(clock=clock)
    assert one.memory.stamp[0] == 0
    assert one.memory.stamp[1] > 0


CASES = st.tuples(
    st.lists(
        st.tuples(st.lists(st.integers(0, 49), max_size=30), st.integers(0, 10**6)), max_size=6
    ),
    st.integers(1, 5),
    st.integers(0, 3000),
    st.integers(0, 200),
    st.lists(st.integers(1, 400_000), max_size=8),
)


PLACES = [*range(30), *range(GRANULE, GRANULE + 12), *range(2 * GRANULE, 2 * GRANULE + 8)]


def bench_of(case: tuple) -> tuple[Bench, Terms]:  # type: ignore[type-arg]
    """Orders 0, 4 and 9 in three VMAs, with pinned folios and little room."""
    arrivals, batch_nr, room, reserve, _ = case
    stamps = sorted(stamp for _, stamp in arrivals)
    waiting = [
        ([PLACES[i] for i in numbers], stamp)
        for (numbers, _), stamp in zip(arrivals, stamps, strict=True)
        if numbers
    ]
    one = bench([Layout(30), Layout(12, 4), Layout(8, 9)], *waiting, room=room, stamps=True)
    one.memory.folio[[3, GRANULE + 5, 2 * GRANULE + 1]] |= np.uint32(PINNED)
    return one, TERMS._replace(batch_nr=batch_nr, reserve=reserve)


@settings(max_examples=80, deadline=None)
@given(CASES)
def test_every_candidate_is_taken_once_and_has_one_fate(case: tuple) -> None:  # type: ignore[type-arg]
    one, terms = bench_of(case)
    *_, pieces = case
    total = int(one.queue.at[WAITING])
    clock = 0
    for until in itertools.accumulate(pieces):
        clock = max(one.drain(terms, clock, until), until)
        assert one.books.outcome.sum() + one.queue.at[WAITING] == total
    one.drain(terms, max(clock, 10**6))
    assert one.queue.at[WAITING] == 0
    assert one.books.outcome.sum() == total
    top = one.memory.folio[PLACES] & np.uint32(SLOW) == 0
    assert top.sum() == one.books.outcome[MOVED]
    pages = np.repeat([1, 16, 512], [30, 12, 8])
    assert (pages * top).sum() == one.books.pages[0] == one.books.from_nid[1]
    assert one.memory.free[0] >= min(terms.reserve, case[2])


@settings(max_examples=80, deadline=None)
@given(CASES)
def test_whole_batches_at_once_are_as_one_folio_after_the_other(case: tuple) -> None:  # type: ignore[type-arg]
    """Under a limit every candidate is decided by itself; this one is never reached."""
    swift, terms = bench_of(case)
    slow, _ = bench_of(case)
    limited = terms._replace(limit=2**40)
    clocks = [0, 0]
    for until in [*itertools.accumulate(case[4]), FOREVER]:
        clocks = [
            max(swift.drain(terms, clocks[0], until), min(until, 10**6)),
            max(slow.drain(limited, clocks[1], until), min(until, 10**6)),
        ]
        assert clocks[0] == clocks[1]
        assert np.array_equal(swift.memory.folio, slow.memory.folio)
        assert np.array_equal(swift.memory.stamp, slow.memory.stamp)
        assert swift.books.outcome.tolist() == slow.books.outcome.tolist()
        assert swift.books.age.tolist() == slow.books.age.tolist()


def test_a_mark_for_hint_faults_does_not_survive_a_promotion() -> None:
    one = bench([Layout(5)], ([1, 2], 0))
    one.memory.folio[1:4] |= np.uint32(HINT)
    one.memory.folio[2] |= np.uint32(FAULTED)
    one.memory.hinted[0] = 3
    one.drain()
    assert (one.memory.folio[1:3] & np.uint32(HINT | FAULTED) == 0).all()
    assert one.memory.hinted[0] == 1
    assert one.books.moved.tolist() == one.books.copied.tolist() == [2]
    assert one.books.tried.tolist() == [2]
