from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from tests.engine.machines import Layout, laid_out, row_rates
from tests.engine.test_flow import MS, NODES
from tiering.engine.books import MOVED, NO_ROOM, Terms, books
from tiering.engine.carry import HOPELESS_NS, carry
from tiering.engine.chunks import WAITING, chunks, push, room_needed, with_room
from tiering.engine.flow import OWED_NS, TICK_NS, TIME, flow, settle
from tiering.engine.folios import AS_IT_IS, PINNED, Memory
from tiering.engine.invariants import check_books
from tiering.engine.movers import Movers
from tiering.engine.reclaim import NR_STATE
from tiering.engine.reports import in_runs
from tiering.engine.sink import Sink, sunk
from tiering.engine.touch import scratch

FOLIO_NS = 100_000
EACH_NS = pytest.approx(FOLIO_NS, rel=0.005)  # a page is copied in 410 ns or less
ROOM = 1000


@dataclass
class Bench:
    """A machine of two nodes, a process of 750 ns think time and some threads that move folios."""

    memory: Memory
    capacity: list[int]
    movers: Movers
    rates: Any = field(default_factory=lambda: row_rates([1e-9, 1e-9]))
    reserve: int = 0

    def __post_init__(self) -> None:
        self.books = books(2, 1)
        self.books.reserve[0] = self.reserve
        self.flow = flow(
            np.ones(1), np.ones(1), np.full(1, 750.0), np.zeros(1), np.full(1, np.inf),
            NODES.idle_ns, 0.0, self.books.dirty,
        )  # fmt: skip
        self.flow.running[0] = True
        self.flow.dirty[0] = True
        settle(self.flow, self.rates, self.memory, NODES)
        self.sunk = sunk(2, self.books.dirty)
        self.queue = chunks(4, 64)
        self.sink = Sink(
            np.array([[1], [-1]]), np.zeros(2, np.int64), np.array([0, 1], np.uint8), False, 0.0,
            0.0, float(FOLIO_NS), 1e9, 0,
        )  # fmt: skip

    def add(self, numbers: list[int], stamp: int) -> None:
        found = in_runs(np.array(numbers, np.uint32), stamp)
        self.queue = with_room(self.queue, *room_needed(found, len(numbers)))
        push(self.queue, found, len(numbers))

    def carry(self, first: int, stop: int) -> bool:
        terms = Terms(0, 0.0, float(FOLIO_NS), 1e9, 1, self.reserve, 0, False, -1)
        goes_on = carry(
            self.memory, self.rates, scratch(), self.flow, NODES, self.queue, terms, self.books,
            self.sink, self.sunk, self.movers, first, stop,
        )  # fmt: skip
        check_books(self.memory, np.array(self.capacity), np.array([True, False]))
        return bool(goes_on)

    @property
    def time(self) -> int:
        return int(self.flow.at[TIME])


def threads(nids: list[int], sleep_ms: int = 0, wanted: int = 0, low: int = 0) -> Movers:
    """nids: -1 for a thread that drains, else the node of a kswapd."""
    nr = len(nids)
    return Movers(
        clock=np.zeros(nr, np.int64),
        busy=np.zeros(nr, np.int64),
        nid=np.array(nids, np.int64),
        awake=np.array([nid < 0 for nid in nids]),
        state=np.zeros((nr, NR_STATE), np.int64),
        weight=np.full(nr, 1024.0),
        wanted=np.array([wanted, 0], np.int64),
        low=np.array([low, 0], np.int64),
        sleep_ns=np.array([sleep_ms * MS], np.int64),
        scanning=np.zeros(2, np.int64),
        paid=np.zeros(2, np.int64),
    )


def bench(
    movers: Movers, on_top: int = 0, on_slow: int = 500, room: int = ROOM, reserve: int = 0
) -> Bench:
    memory = laid_out([Layout(on_slow, 0, 1), Layout(on_top, 0, 0)], [room, ROOM])
    memory.entry[:] = AS_IT_IS
    return Bench(memory, [room, ROOM], movers, reserve=reserve)


def test_a_step_goes_to_its_end_where_nothing_moves() -> None:
    one = bench(threads([-1], sleep_ms=40))
    assert not one.carry(70 * MS, 70 * MS)
    assert one.time == 70 * MS
    assert one.flow.tau[0] == pytest.approx(70 * MS / 1000, rel=1e-6)
    assert one.movers.busy[0] == 0


def test_the_migration_thread_drains_sleeps_40_ms_and_looks_again() -> None:
    """One folio at 0 ms takes until 0.1 ms; the next comes at 5 ms and waits until 40.1 ms."""
    one = bench(threads([-1], sleep_ms=40))
    one.add([0], 0)
    one.add([1], 5 * MS)
    assert one.carry(10 * MS, 100 * MS) is False, "all of it is done"
    assert one.movers.busy[0] / 2 == EACH_NS
    assert one.books.age.tolist() == [pytest.approx(35 * MS + FOLIO_NS, rel=1e-4)] * 2
    assert one.time == 60 * MS, "a tick more than folios moved in, until their copies are over"


def test_a_queue_longer_than_a_tick_is_drained_without_a_pause() -> None:
    one = bench(threads([-1], sleep_ms=40))
    one.add(list(range(250)), 0)
    one.carry(10 * MS, 100 * MS)
    assert one.movers.busy[0] / 250 == EACH_NS
    assert one.time == 40 * MS, "the last ones move in the third tick"
    assert one.queue.at[WAITING] == 0


def test_ticks_end_at_stop_and_go_on_in_the_next_call() -> None:
    one = bench(threads([-1], sleep_ms=40))
    one.add(list(range(250)), 0)
    assert one.carry(5 * MS, 15 * MS) is True
    assert one.time == 15 * MS
    assert 150 <= one.books.pages[0] <= 151
    assert one.carry(20 * MS, 100 * MS) is False
    assert one.books.pages[0] == 250


def test_a_scanner_that_is_done_early_scans_on_before_time_goes_on() -> None:
    one = bench(threads([-1]))
    one.add([0, 1, 2], 0)
    assert one.carry(10 * MS, 100 * MS) is True
    assert one.time == 0
    assert one.movers.clock[0] / 3 == EACH_NS
    assert not one.movers.awake[0]
    assert one.movers.scanning[0] == one.movers.busy[0], "its CPU time is accounted with the step"
    one.carry(10 * MS, 10 * MS)
    assert one.time == 10 * MS
    assert one.movers.scanning[0] == 0


def test_speeds_follow_the_placement_tick_by_tick() -> None:
    """100 of 500 folios a tick come from 250 to 100 ns."""
    one = bench(threads([-1], sleep_ms=40))
    one.add(list(range(500)), 0)
    speeds = []
    for end in range(10, 60, 10):
        one.carry(end * MS, end * MS)
        speeds.append(1 / one.flow.speed[0])
    assert speeds == pytest.approx([1000 - 150 * part / 5 for part in (1, 2, 3, 4, 5)], rel=0.01)


def test_kswapd_wakes_below_low_works_until_wanted_and_sleeps() -> None:
    one = bench(threads([0], wanted=60, low=50), on_top=960)
    one.carry(10 * MS, 10 * MS)
    assert one.memory.free[0] == 40, "nobody wakes for what was there before the run"
    assert one.carry(20 * MS, 20 * MS) is True, "copies load the tick after theirs"
    assert one.memory.free[0] == 60
    assert one.movers.busy[0] / 20 == EACH_NS
    assert not one.movers.awake[0]
    assert one.flow.copy_read[0] == pytest.approx(20 * 4096 / (10 * MS))
    assert one.flow.copy_write[1] == pytest.approx(20 * 4096 / (10 * MS))
    assert one.carry(30 * MS, 100 * MS) is False
    assert one.time == 30 * MS
    assert one.flow.copy_read[0] == one.flow.copy_write[1] == 0


def test_kswapd_sleeps_at_low() -> None:
    one = bench(threads([0], wanted=60, low=50), on_top=950)
    assert one.carry(10 * MS, 100 * MS) is False
    assert one.memory.free[0] == 50
    assert one.time == 10 * MS


def test_kswapd_without_hope_sleeps_for_a_second() -> None:
    one = bench(threads([0], wanted=60, low=50), on_top=960)
    one.memory.folio[8192 : 8192 + 960] |= np.uint32(PINNED)
    one.carry(TICK_NS, TICK_NS)
    for end in range(2 * TICK_NS, HOPELESS_NS, TICK_NS):
        one.carry(end, end)
    assert one.sunk.failed[0] == 2 * 960
    assert one.movers.clock[0] == TICK_NS + 2 * 960 * FOLIO_NS + HOPELESS_NS
    assert one.movers.awake[0]


def test_a_promotion_without_room_wakes_kswapd_which_makes_room_for_the_next() -> None:
    """Above low and below wanted nobody wakes by himself; the first candidate fails."""
    one = bench(threads([-1, 0], sleep_ms=40, wanted=60, low=10), on_top=950, reserve=50)
    one.add(list(range(20)), 0)
    one.carry(10 * MS, 100 * MS)
    assert one.books.outcome[NO_ROOM] > 0
    assert one.books.pages[0] > 0
    assert one.sunk.pages[0] >= 10
    assert one.memory.free[0] >= 50


@pytest.mark.parametrize("sleep_ms", [0, 40])
def test_a_promotion_that_takes_the_last_page_above_low_wakes_kswapd_at_once(sleep_ms: int) -> None:
    """Room for 50 pages above low and 40 more above the reserve: none of 400 has to fail.

    kswapd is as fast as the thread that promotes. It makes room from the 51st page on.
    """
    one = bench(threads([-1, 0], sleep_ms, wanted=60, low=50), on_top=900, reserve=10)
    one.add(list(range(400)), 0)
    one.movers.clock[0] = MS
    while one.carry(one.time + 10 * MS, one.time + 10 * MS):
        pass
    assert one.books.outcome[MOVED] == 400
    assert one.books.outcome[NO_ROOM] == 0
    assert 50 <= one.memory.free[0] <= 60
    assert one.movers.clock[1] >= MS + 51 * FOLIO_NS
    assert one.movers.busy[1] / one.sunk.pages[0] == EACH_NS
    assert one.sunk.pages[0] == 400 - 100 + one.memory.free[0]


def test_a_reserve_that_is_never_free_moves_nothing_and_needs_no_ticks() -> None:
    one = bench(threads([-1], sleep_ms=40), on_top=950, reserve=50)
    one.add(list(range(20)), 0)
    assert one.carry(70 * MS, 100 * MS) is False
    assert one.books.outcome[NO_ROOM] == 20
    assert one.time == 70 * MS


@pytest.mark.parametrize("nr_threads", [1.0, 4.0])
def test_tasks_migrate_side_by_side_and_pay_with_stalls(nr_threads: float) -> None:
    """250 folios are 25 ms of thread time, whoever many threads share it."""
    one = bench(threads([-1]))
    one.movers.paid[0] = 1
    one.flow.threads[0] = one.flow.outstanding[0] = nr_threads
    settle(one.flow, one.rates, one.memory, NODES)
    one.add(list(range(250)), 0)
    one.carry(10 * MS, 10 * MS)
    assert one.books.pages[0] / 250 == pytest.approx(min(0.4 * nr_threads, 1.0), rel=0.01)
    spent = one.books.pages[0] * FOLIO_NS
    assert one.flow.stall_ns[0] == pytest.approx(spent, rel=0.005)
    one.carry(20 * MS, 200 * MS)
    assert one.movers.paid[1] / 250 == EACH_NS
    assert one.movers.paid[1] == one.movers.busy[0]
    assert one.flow.stall_ns[0] == pytest.approx(0.0, abs=1e-6)
    assert one.flow.cpu[OWED_NS] == 0.0, "no thread of the kernel used a CPU"
    accesses = (one.time - 25 * MS / nr_threads) * nr_threads / 1000
    assert one.flow.tau[0] == pytest.approx(accesses, rel=0.03), "a little faster on the top tier"


def test_candidates_that_come_later_wait_for_their_time_and_are_not_forgotten() -> None:
    one = bench(threads([-1]))
    one.movers.paid[0] = 1
    one.add([0], 0)
    one.add([1], 17 * MS)
    one.carry(10 * MS, 10 * MS)
    assert one.movers.awake[0]
    one.carry(20 * MS, 40 * MS)
    assert one.books.outcome[MOVED] == 2
    assert not one.movers.awake[0]
