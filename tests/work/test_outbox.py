"""When finished blocks are published, by a clock of the test's own."""

from itertools import pairwise

import pytest

from tiering.stream.codec import Block
from tiering.stream.memory_bus import MemoryBus
from tiering.work.outbox import Outbox


class SlowBus(MemoryBus):
    """Publishing takes a while. now_s: the clock; published: when that was done."""

    now_s = 0.0

    def __init__(self, takes_s: float) -> None:
        super().__init__()
        self.takes_s, self.published = takes_s, list[float]()
        self.create("run", {})

    def append(self, run_id: str, attempt: int, blocks: list[tuple[int, bytes]]) -> None:
        self.published.append(self.now_s)
        self.now_s += self.takes_s


def publish(takes_s: float, until_s: float) -> SlowBus:
    """A block every 10 ms until then."""
    bus = SlowBus(takes_s)
    outbox = Outbox(bus, "run", bus.claim("run", "worker"), lambda: bus.now_s)
    step = 0
    while bus.now_s < until_s:
        outbox.put(Block(step, 0, b""), step)
        step += 1
        bus.now_s += 0.01
    return bus


@pytest.mark.parametrize("takes_s", [0.0, 0.004, 0.03])
def test_blocks_are_published_ten_times_a_second_however_long_that_takes(takes_s: float) -> None:
    assert len(publish(takes_s, until_s=10.0).published) == pytest.approx(100, abs=2)


def test_a_slow_server_is_not_flooded_with_what_was_missed() -> None:
    times = publish(takes_s=0.4, until_s=10.0).published
    assert min(b - a for a, b in pairwise(times)) >= 0.4 + 0.049


def test_what_is_published_early_moves_the_next_time_no_further_than_a_tenth() -> None:
    bus = SlowBus(takes_s=0.0)
    outbox = Outbox(bus, "run", bus.claim("run", "worker"), lambda: bus.now_s)
    outbox.put(Block(0, 0, b""), 0)
    bus.now_s = 0.03
    outbox.put(Block(1, 0, b""), 0)
    outbox.flush()
    outbox.put(Block(2, 0, b""), 0)
    assert 0 < outbox.due_s() <= 0.1 + 1e-9
