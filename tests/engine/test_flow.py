import numpy as np
import pytest

from tests.engine.machines import Layout, flat_rates, laid_out, phased_rates
from tiering.engine.closed_loop import Nodes
from tiering.engine.flow import (
    APP_PART,
    APP_THREADS,
    BORDER,
    FAR,
    KERNEL_BUSY,
    TICK_NS,
    Flow,
    account_copies,
    advance,
    charge_cpu,
    copy_room,
    flow,
    settle,
    sink_room,
    slowdown,
    stalled,
)
from tiering.engine.folios import Memory
from tiering.engine.sink import Sunk, sunk
from tiering.engine.touch import Rates

NODES = Nodes(
    np.array([100.0, 250.0]), np.full(2, 1e-9), np.full(2, 2, np.int64),
    np.array([40.0, 20.0]), np.array([30.0, 10.0]),
)  # fmt: skip
MS = 1_000_000


def machine(
    threads: float = 2.0, cpus: float = 0.0, work: float = np.inf, rates: Rates | None = None
) -> tuple[Flow, Rates, Memory]:
    """One process of some threads on the slow node, 750 ns think time: an access takes 1,000 ns."""
    dirty = np.ones(1, np.bool_)
    one = flow(
        np.array([threads]), np.array([threads]), np.array([750.0]), np.zeros(1), np.array([work]),
        NODES.idle_ns, cpus, dirty,
    )  # fmt: skip
    one.running[0] = True
    rates = flat_rates(0.1) if rates is None else rates
    memory = laid_out([Layout(10)], [1000, 1000])
    settle(one, rates, memory, NODES)
    return one, rates, memory


def steps(one: Flow, rates: Rates, memory: Memory, ends_ms: list[float]) -> None:
    for end in ends_ms:
        advance(one, round(end * MS))
        settle(one, rates, memory, NODES)


def test_work_time_goes_on_at_the_speed_of_the_closed_loop() -> None:
    one, _, _ = machine()
    assert one.speed[0] == pytest.approx(2 / 1000, rel=1e-6)
    assert one.share[:, 0].tolist() == [0.0, 1.0]
    assert not one.dirty.any()
    advance(one, 3 * TICK_NS)
    assert one.tau[0] == pytest.approx(60_000, rel=1e-6)


@pytest.mark.parametrize("stall_ms", [0.001, 4.0, 20.0, 33.0])
def test_a_stall_costs_the_process_so_much_of_its_threads_time_and_no_more(
    stall_ms: float,
) -> None:
    one, rates, memory = machine()
    one.stall_ns[0] = stall_ms * MS
    settle(one, rates, memory, NODES)
    assert stalled(one)
    steps(one, rates, memory, [10, 20, 30, 40, 50])
    assert one.stall_ns[0] == pytest.approx(0.0, abs=1e-6)
    assert not stalled(one)
    lost = (2 * 50 - stall_ms) * MS / 1000
    assert one.tau[0] == pytest.approx(lost, rel=1e-6)


def test_a_stall_longer_than_a_tick_stands_the_process_still() -> None:
    one, rates, memory = machine()
    one.stall_ns[0] = 25 * MS  # of 20 in a tick
    settle(one, rates, memory, NODES)
    assert one.speed[0] == 0.0
    steps(one, rates, memory, [10])
    assert one.speed[0] == pytest.approx(0.75 * 2 / 1000, rel=1e-6)


def test_short_steps_pay_a_stall_bit_by_bit() -> None:
    one, rates, memory = machine()
    one.stall_ns[0] = 8 * MS
    settle(one, rates, memory, NODES)
    steps(one, rates, memory, [2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    owed = one.stall_ns[0]
    assert owed < 0.01 * MS
    assert one.tau[0] == pytest.approx((200 * MS - (8 * MS - owed)) / 1000, rel=1e-6)


def test_a_process_that_rests_owes_nothing() -> None:
    one, rates, memory = machine()
    one.stall_ns[0] = 8 * MS
    one.running[0] = False
    settle(one, rates, memory, NODES)
    assert not stalled(one)
    assert one.speed[0] == 0.0
    assert one.at[BORDER] == FAR


@pytest.mark.parametrize(
    ("cpus", "busy", "part"),
    [
        (0, 5.0, 1.0),  # no CPU accounting
        (16, 0.0, 1.0),
        (16, 8.0, 1.0),  # they run on idle CPUs
        (16, 9.0, 7 / 8),
        (8, 0.5, 7.5 / 8),
        (4, 0.0, 4 / 8),  # too many threads by themselves
        (4, 1.0, 3 / 8),
        (4, 9.0, 0.0),
    ],
)
def test_kernel_threads_take_what_is_not_idle_from_the_application(
    cpus: float, busy: float, part: float
) -> None:
    one, rates, memory = machine(8.0, cpus)
    one.cpu[KERNEL_BUSY] = busy
    settle(one, rates, memory, NODES)
    assert (one.cpu[APP_THREADS], one.cpu[APP_PART]) == (8, pytest.approx(part))
    assert one.speed[0] == pytest.approx(part * 8 / 1000, rel=1e-6)


@pytest.mark.parametrize("nr_kernel", [1, 3])
def test_what_kernel_threads_used_is_taken_once_over_steps_of_any_length(nr_kernel: int) -> None:
    one, _, _ = machine(8.0, 8.0)
    random, used, taken = np.random.default_rng(1), 0.0, 0.0
    for step in range(2000):
        duration = float(random.choice([1.0, 10.0, 100.0])) * MS
        taken += one.cpu[KERNEL_BUSY] * duration
        busy = float(random.random() < 0.1) * random.random() * duration if step < 1900 else 0.0
        used += busy
        charge_cpu(one, busy, duration, nr_kernel)
        assert 0 <= one.cpu[KERNEL_BUSY] <= nr_kernel
    assert taken == pytest.approx(used, rel=0.02)


def test_a_thread_that_is_ahead_of_the_time_takes_one_cpu_and_not_ten() -> None:
    """100 ms of work in a step of 10 ms: ten steps to come take all of it."""
    one, _, _ = machine(8.0, 8.0)
    charge_cpu(one, 100.0 * MS, 10.0 * MS, 1)
    taken = []
    for _ in range(12):
        taken.append(float(one.cpu[KERNEL_BUSY]))
        charge_cpu(one, 0.0, 10.0 * MS, 1)
    assert taken == [1.0] * 10 + [0.0] * 2


@pytest.mark.parametrize(
    ("cpus", "threads", "kernel", "weight", "slow"),
    [
        (0, 64, 1, 1024.0, 1.0),
        (16, 15, 1, 1024.0, 1.0),
        (16, 16, 1, 1024.0, 2.0),  # a rival on every CPU
        (16, 48, 1, 1024.0, 4.0),  # three
        (16, 16, 1, 2048.0, 1.5),
        (16, 16, 1, 15.0, 1 + 1024 / 15),
        (4, 2, 3, 1024.0, 1.5),  # half of the CPUs have one
    ],
)
def test_a_kernel_thread_shares_a_busy_cpu_by_weight(
    cpus: float, threads: float, kernel: int, weight: float, slow: float
) -> None:
    one, _, _ = machine(threads, cpus)
    assert slowdown(one, weight, kernel) == pytest.approx(slow)


@pytest.mark.parametrize(
    ("work", "tick"), [(19_999.0, 1), (20_001.0, 2), (1.0, 1), (np.inf, FAR // TICK_NS)]
)
def test_the_border_is_the_first_tick_at_or_after_the_end_of_work(work: float, tick: int) -> None:
    """At 2 accesses in 1,000 ns a tick has 20,000, a few less under load."""
    one, _, _ = machine(work=work)
    assert one.at[BORDER] // TICK_NS == tick


def test_the_border_is_ahead_even_where_the_phase_has_just_ended() -> None:
    one, rates, memory = machine(rates=phased_rates([0.1, 0.1], [30_000.0, 30_000.0]))
    assert one.at[BORDER] == 2 * TICK_NS
    advance(one, 2 * TICK_NS)
    settle(one, rates, memory, NODES)
    assert one.at[BORDER] == 4 * TICK_NS, "at 40,000 of 60,000 accesses"


def moved(from_nid: list[int], to_nid: list[int]) -> Sunk:
    down = sunk(2, np.zeros(1, np.bool_))
    down.from_nid[:], down.to_nid[:] = from_nid, to_nid
    return down


def test_copies_take_bandwidth_of_both_nodes_in_both_directions() -> None:
    """250 pages up and 100 down in 1,024,000 ns: 1 and 0.4 bytes a ns."""
    one, _, _ = machine()
    up, to, down = np.array([0, 250]), np.array([250, 0]), moved([100, 0], [0, 100])
    assert account_copies(one, up, to, down, 1_024_000)
    assert one.copy_read.tolist() == [0.4, 1.0]
    assert one.copy_write.tolist() == [1.0, 0.4]
    assert (up.sum() + to.sum(), down.from_nid.sum(), down.to_nid.sum()) == (0, 0, 0)
    assert account_copies(one, up, to, down, 1_024_000), "back to none is a change"
    assert one.copy_read.sum() == one.copy_write.sum() == 0.0
    assert not account_copies(one, up, to, down, 1_024_000)


def test_copies_slow_the_accesses_and_show_in_the_utilisation() -> None:
    one, rates, memory = machine(threads=64.0)
    quiet = one.utilisation.copy()
    account_copies(
        one, np.array([0, 250]), np.array([250, 0]), moved([0, 0], [0, 0]), 102_400
    )  # 10 bytes a ns
    settle(one, rates, memory, NODES)
    assert one.utilisation[0] - quiet[0] == pytest.approx(10 / 30, abs=1e-6)
    assert one.utilisation[1] - quiet[1] == pytest.approx(10 / 20, abs=1e-3)


def test_copies_get_what_accesses_leave_and_what_they_have_already() -> None:
    one, _, _ = machine()
    slow = np.array([0, 1], np.uint8)
    one.utilisation[:] = [0.5, 0.9]
    assert copy_room(one, NODES, 0, slow) == pytest.approx(0.1 * 20)
    one.copy_read[1] = 6.0
    assert copy_room(one, NODES, 0, slow) == pytest.approx(0.1 * 20 + 6)
    one.utilisation[:] = [0.9, 0.0]
    assert copy_room(one, NODES, 0, slow) == pytest.approx(0.1 * 30)
    one.utilisation[:] = 1.0
    one.copy_read[1] = 0.0
    assert copy_room(one, NODES, 0, slow) > 0.0, "never none, or a copy would take for ever"


def test_demotions_get_what_is_left_of_the_reads_above_and_the_writes_below() -> None:
    one, _, _ = machine()
    one.utilisation[:] = [0.9, 0.5]
    assert sink_room(one, NODES, 0, 1) == pytest.approx(0.1 * 40)
    one.copy_read[0] = 3.0
    assert sink_room(one, NODES, 0, 1) == pytest.approx(5.0), "half of the writes of CXL"
    one.utilisation[1], one.copy_write[1] = 1.0, 2.0
    assert sink_room(one, NODES, 0, 1) == pytest.approx(2.0)
