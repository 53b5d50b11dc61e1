"""What classes of processes take and keep of the top tier, worked by hand."""

import numpy as np
import pytest

from tests.engine.machines import Layout, laid_out, pace, row_rates
from tests.engine.reclaiming import Patient, patient
from tests.engine.test_migrate import FOREVER, ROOM, TERMS, Bench
from tiering.engine import shares
from tiering.engine.books import (
    CAPPED,
    LIMITED,
    MOVED,
    NO_ROOM,
    OVER_SHARE,
    REFUSED,
    STALE,
    WINDOW_NS,
    Terms,
    books,
)
from tiering.engine.chunks import WAITING, chunks, push, room_needed, with_room
from tiering.engine.folios import GRANULE, Memory, unplace
from tiering.engine.invariants import BooksDoNotBalance, check_books
from tiering.engine.migrate import drain
from tiering.engine.reclaim import TURN
from tiering.engine.reports import in_runs
from tiering.engine.shares import ANY, MOVED_NOW, PARTS, REFUSED_SO_FAR, Shares, neutral_shares
from tiering.engine.touch import scratch


def classes(last: int = 0, **fields: list[int]) -> Shares:
    """Two classes; what is not said is neutral."""
    asked = neutral_shares(2)._replace(last=last)
    for name, values in fields.items():
        asked.of[:, getattr(shares, name.upper())] = values
    return asked


def grouped(memory: Memory) -> Memory:
    """Process 0 is of class 0, process 1 of class 1; counts what they hold."""
    memory = memory._replace(group=np.arange(2), held=np.zeros(2, np.int64))
    top = memory.nr - memory.nr_slow
    np.add.at(memory.held, memory.mm, top * memory.pages[memory.row0])
    return memory


class Pair(Bench):
    """Two processes of which some wait to be promoted."""

    def drain(self, terms: Terms = TERMS, clock: int = 0, until: int = FOREVER) -> int:
        rates = row_rates([0.0] * len(self.memory.pages), [0, 1])
        end = drain(
            self.memory, rates, scratch(), self.queue, clock, until, pace(0.0, 2), terms,
            self.books,
        )  # fmt: skip
        check_books(self.memory, np.array(self.capacity), np.array([True, False]))
        return int(end)


def pair(shares: Shares, waiting: list[tuple[list[int], int]], order: int = 0) -> Pair:
    """Ten folios of each process on the slow node; those of the second begin at GRANULE."""
    memory = grouped(laid_out([Layout(10, order), Layout(10, order, mm=1)], [ROOM, ROOM]))
    queue = chunks(1, 1)
    for numbers, stamp in waiting:
        found = in_runs(np.array(numbers, np.uint32), stamp)
        queue = with_room(queue, *room_needed(found, found.folios.size))
        push(queue, found, found.folios.size)
    return Pair(memory, queue, books(2, 2, shares), [ROOM, ROOM])


MINE = list(range(10))
OTHERS = list(range(GRANULE, GRANULE + 10))


def fates(one: Bench) -> dict[int, int]:
    """Candidates by what became of them, those of any."""
    return {fate: int(nr) for fate, nr in enumerate(one.books.outcome) if nr}


@pytest.mark.parametrize("batch_nr", [1, 4, 16])
def test_a_class_is_promoted_up_to_its_most_and_no_page_beyond(batch_nr: int) -> None:
    one = pair(classes(most=[7, ANY]), [(MINE, 0), (OTHERS, 0)])
    one.drain(TERMS._replace(batch_nr=batch_nr))
    assert fates(one) == {MOVED: 7 + 10, CAPPED: 3}
    assert one.memory.held.tolist() == [7, 10]
    assert one.books.shares.of[:, REFUSED_SO_FAR].tolist() == [3, 0]
    assert one.queue.at[WAITING] == 0


def test_the_most_of_a_class_counts_pages_of_large_folios() -> None:
    one = pair(classes(most=[512 * 3 + 511, ANY]), [(MINE, 0)], order=9)
    one.drain()
    assert fates(one) == {MOVED: 3, CAPPED: 7}
    assert one.memory.held.tolist() == [512 * 3, 0]


def test_a_bound_does_not_wake_kswapd() -> None:
    one = pair(classes(most=[0, ANY]), [(MINE, 0)])
    one.drain()
    assert fates(one) == {CAPPED: 10}
    assert not one.books.refused.any()


def test_a_class_that_is_never_promoted_gets_nothing_and_every_refusal_is_counted() -> None:
    one = pair(classes(promote=[0, 1]), [(MINE, 0), (OTHERS, 0)])
    clock = one.drain()
    assert fates(one) == {MOVED: 10, REFUSED: 10}
    assert one.memory.held.tolist() == [0, 10]
    assert clock == 20 * (1000 + 100) + 10 * 4096, "what is refused costs no copy"


def test_what_is_already_on_the_top_tier_is_stale_before_it_is_refused() -> None:
    one = pair(classes(promote=[1, 0]), [([3], 0), ([3], 0)])
    one.drain()
    assert fates(one) == {MOVED: 1, STALE: 1}


def test_shares_split_a_limited_rate() -> None:
    """Ten pages a second, of which the first class may use 3 and the second 60 %."""
    asked = classes(part=[PARTS * 3 // 10, PARTS * 6 // 10])
    one = pair(asked, [(MINE, 0), (OTHERS, 0), ([9, GRANULE + 9], WINDOW_NS)])
    limited = TERMS._replace(limit=10, batch_nr=16)
    clock = one.drain(limited)
    assert fates(one) == {MOVED: 3 + 6, OVER_SHARE: 7 + 4}
    assert one.memory.held.tolist() == [3, 6]
    one.drain(limited, max(clock, WINDOW_NS))
    assert one.memory.held.tolist() == [4, 7], "a new period, a new share"
    assert one.books.shares.of[:, MOVED_NOW].tolist() == [1, 1]


def test_shares_of_more_than_the_whole_meet_the_limit_itself() -> None:
    one = pair(classes(part=[PARTS, PARTS // 2]), [(MINE[:8], 0), (OTHERS, 0)])
    one.drain(TERMS._replace(limit=10))
    assert fates(one) == {MOVED: 8 + 2, LIMITED: 8}


def test_a_bound_comes_before_the_room_of_the_node() -> None:
    one = pair(classes(most=[4, ANY]), [(MINE, 0)])
    one.drain(TERMS._replace(reserve=ROOM - 2))
    assert fates(one) == {MOVED: 2, NO_ROOM: 8}
    one = pair(classes(most=[1, ANY]), [(MINE, 0)])
    one.drain(TERMS._replace(reserve=ROOM - 2))
    assert fates(one) == {MOVED: 1, CAPPED: 9}


def two_tenants(shares: Shares, mglru: bool, order: int = 0) -> Patient:
    """Ten folios of each process fill the top tier."""
    vmas = [Layout(10, order, 0), Layout(10, order, 0, mm=1)]
    one = patient(vmas, [20 << order, ROOM, ROOM], mglru=mglru)
    one.memory = grouped(one.memory)
    one.rates, one.pace = row_rates([0.0, 0.0], [0, 1]), pace(0.0, 2)
    one.sink = one.sink._replace(shares=shares)
    one.sunk = one.sunk._replace(dirty=np.zeros(2, np.bool_))
    return one


LRUS = pytest.mark.parametrize("mglru", [False, True])


@LRUS
def test_a_protected_class_loses_nothing_while_another_has_inactive_folios(mglru: bool) -> None:
    one = two_tenants(classes(low=[10, 0], last=1), mglru)
    one.shrink(wanted=10)
    assert one.memory.held.tolist() == [10, 0]
    assert one.sunk.pages[0] == 10
    assert one.sunk.low[0] == 0


@LRUS
def test_protection_gives_way_when_nothing_else_is_left(mglru: bool) -> None:
    one = two_tenants(classes(low=[10, 0], last=1), mglru)
    one.shrink(wanted=14)
    assert one.memory.held.tolist() == [6, 0]
    assert one.sunk.low[0] == 4, "and each page of it is counted"
    assert one.state[TURN] == 1


@LRUS
def test_what_is_above_the_protection_sinks_to_the_page(mglru: bool) -> None:
    one = two_tenants(classes(low=[7, 9], last=1), mglru)
    one.shrink(wanted=4)
    assert one.memory.held.tolist() == [7, 9]
    assert one.sunk.low[0] == 0


@LRUS
def test_a_large_folio_that_would_cross_the_protection_stays(mglru: bool) -> None:
    one = two_tenants(classes(low=[512 * 8 - 1, 0], last=1), mglru, order=9)
    one.shrink(wanted=512 * 12)
    assert one.memory.held.tolist() == [512 * 8, 0]


@LRUS
def test_reclaim_begins_with_the_class_whose_turn_is_first(mglru: bool) -> None:
    one = two_tenants(classes(rank=[1, 0], last=1), mglru)
    one.shrink(wanted=6)
    assert one.memory.held.tolist() == [10, 4]
    one.shrink(wanted=12)
    assert one.memory.held.tolist() == [8, 0]


@LRUS
def test_classes_that_ask_for_nothing_change_nothing(mglru: bool) -> None:
    plain, classed = two_tenants(neutral_shares(0), mglru), two_tenants(classes(), mglru)
    plain.memory = plain.memory._replace(group=np.zeros(0, np.int64), held=np.zeros(0, np.int64))
    clocks = [one.shrink(wanted=13, until=FOREVER) for one in (plain, classed)]
    assert clocks[0] == clocks[1]
    assert np.array_equal(plain.memory.folio, classed.memory.folio)


def test_what_an_exiting_process_held_is_no_longer_counted() -> None:
    one = two_tenants(classes(most=[15, 15]), False)
    unplace(one.memory, 0, 1)
    one.check()
    assert one.memory.held.tolist() == [0, 10]


def test_a_wrong_count_of_a_class_is_found() -> None:
    one = two_tenants(classes(), False)
    one.memory.held[1] -= 1
    with pytest.raises(BooksDoNotBalance, match="top-tier pages by class"):
        one.check()
