"""The gate before promotion, worked by hand."""

from typing import Any

import numpy as np

from tests.engine.machines import Layout, laid_out
from tiering.engine.folios import GRANULE, Memory
from tiering.engine.reports import in_runs
from tiering.hotness.last_report import LastReport
from tiering.promotion.hot_threshold import (
    AT_ONCE,
    CANDIDATES,
    LIMITED,
    TOO_OLD,
    HotThreshold,
    ThresholdGate,
)

MS = 1_000_000
S = 1000 * MS
FULL = HotThreshold(hot_threshold_ms=1000)
"""The target has no room to spare."""


def gate_to(
    target: int, knobs: HotThreshold, memory: Memory, promo: int = 0, window: int = 0,
    at_once: bool = False,
) -> ThresholdGate:  # fmt: skip
    """For processes that all go to one node; both nodes have 16 GiB."""
    targets, sizes = np.full(2, target, np.int64), np.full(2, 1 << 22, np.int64)
    return ThresholdGate(
        knobs, memory, targets, sizes, np.full(2, promo, np.int64), window, at_once
    )


class Gate:
    """A target of 16 GiB with a promo mark of 500 pages and no room to spare, and 1,000 folios."""

    def __init__(
        self, knobs: HotThreshold = FULL, free: int = 0, order: int = 0, at_once: bool = False
    ) -> None:
        self.memory = laid_out([Layout(min(1000, GRANULE >> order), order)], [1 << 22, 1 << 22])
        self.memory.free[0] = free
        self.gate = gate_to(0, knobs, self.memory, 500, 3000, at_once)

    def ask(self, latencies: list[int], now_ms: int) -> list[int]:
        """Which of folios 0, 1, ... pass."""
        hot = in_runs(np.arange(len(latencies), dtype=np.uint32), now_ms * MS)
        chosen = self.gate.choose(hot, np.array(latencies, np.int64), now_ms * MS)
        assert chosen.ends.tolist() == ([chosen.folios.size] if chosen.folios.size else [])
        return [int(folio) for folio in chosen.folios]

    def count(self, field: int) -> int:
        return int(self.gate.state[0, field])


def test_a_latency_below_the_threshold_passes() -> None:
    one = Gate()
    assert one.ask([0, 999, 1000, 5000, 3], 10) == [0, 1, 4]
    assert one.count(CANDIDATES) == 3
    assert one.count(TOO_OLD) == 2


def test_with_room_to_spare_everything_passes_and_the_threshold_is_as_at_first() -> None:
    """1 GiB is as much as a sixteenth of 16 GiB: 2^18 pages above promo."""
    one = Gate(free=500 + 2**18)
    assert one.ask([5000], 10) == []
    one.ask([0], 60_001)
    assert one.gate.threshold_ms == 1125
    one.memory.free[0] += 1
    assert one.ask([5000, 9999], 60_010) == [0, 1]
    assert one.count(AT_ONCE) == 2
    assert one.gate.threshold_ms == 1000


def test_room_to_spare_is_a_sixteenth_of_a_large_node_or_what_the_knob_says() -> None:
    for knobs, spare in (
        (FULL._replace(spare_mib=0), 2**18),
        (FULL._replace(spare_mib=2048), 2**19),
    ):
        one = Gate(knobs, free=500 + spare)
        assert one.ask([5000], 10) == []
        one.memory.free[0] += 1
        assert one.ask([5000], 10) == [0]


def test_what_moves_before_the_next_is_asked_takes_its_room() -> None:
    """Hint faults one by one use up what is to spare; kmigrated asks for a batch as a whole."""
    spare = 500 + 2**18 + 3
    assert Gate(free=spare).ask([5000] * 5, 10) == [0, 1, 2, 3, 4]
    one = Gate(free=spare, at_once=True)
    assert one.ask([5000] * 5, 10) == [0, 1, 2]
    assert (one.count(AT_ONCE), one.count(TOO_OLD), one.count(CANDIDATES)) == (3, 2, 0)
    large = Gate(free=spare, order=1, at_once=True)
    assert large.ask([5000] * 5, 10) == [0, 1]
    assert large.count(AT_ONCE) == 4, "pages"


def test_a_hint_fault_is_judged_by_the_latency_that_it_brings() -> None:
    one = Gate()
    faults = in_runs(np.array([1, 2, 3], np.uint32))._replace(
        latency_ms=np.array([5, 1000, 999], np.int32)
    )
    hot = LastReport().record(faults, 0, "hint_fault")
    chosen = one.gate.choose(hot.folios, hot.latency_ms, 10 * MS)
    assert chosen.folios.tolist() == [1, 3]


def test_without_a_record_and_with_no_threshold_it_is_a_second_unless_there_is_room() -> None:
    memory = laid_out([Layout(9)], [0, 1 << 22])
    gate = gate_to(0, HotThreshold(), memory)
    hot = in_runs(np.array([1, 2], np.uint32))
    assert gate.choose(hot, np.array([999, 1001]), 0).folios.tolist() == [1]
    memory.free[0] = 1 << 22
    assert gate.choose(hot, np.array([999, 1001]), 0).folios.tolist() == [1, 2]


def test_another_rate_holds_at_once() -> None:
    one = Gate(FULL._replace(promote_rate_limit_mib_s=1))
    one.gate.retune("promote_rate_limit_mib_s", 2)
    assert len(one.ask([0] * 600, 1001)) == 512


def test_without_pressure_the_threshold_climbs_by_an_eighth_of_it_a_minute_to_twice() -> None:
    one, seen = Gate(), []
    for minute in range(1, 11):
        one.ask([0], minute * 60_001)
        seen.append(one.gate.threshold_ms)
    assert seen == [1125, 1250, 1375, 1500, 1625, 1750, 1875, 2000, 2000, 2000]


def test_with_too_many_candidates_it_falls_to_one_step_and_within_a_tenth_it_stays() -> None:
    """1 MiB/s and windows of 1 s allow 256 candidates: up below 230, down above 281."""
    knobs = FULL._replace(promote_rate_limit_mib_s=1, threshold_window_ms=1000)
    for nr, thresholds in (
        (229, [1125, 1250]), (230, [1000, 1000]), (281, [1000, 1000]), (282, [875, 750]),
    ):  # fmt: skip
        one, seen = Gate(knobs), []
        for window in range(1, 3):
            one.ask([0] * nr, window * 1001 - 500)
            one.ask([99_999], window * 1001)
            seen.append(one.gate.threshold_ms)
        assert seen == thresholds, nr
    one = Gate(knobs)
    for window in range(1, 12):
        one.ask([0] * 900, window * 1001)
    assert one.gate.threshold_ms == 125


def test_candidates_beyond_the_rate_are_refused_until_a_second_is_over() -> None:
    """1 MiB/s: the 256th candidate of a second is one too many."""
    one = Gate(FULL._replace(promote_rate_limit_mib_s=1))
    assert one.ask([0] * 300, 500) == list(range(255))
    assert one.count(LIMITED) == 45
    assert one.ask([0], 1000) == []
    assert one.ask([0] * 300, 1001) == list(range(256)), "the first begins the second"
    assert one.count(CANDIDATES) == 601


def test_a_large_folio_counts_with_all_its_pages() -> None:
    one = Gate(FULL._replace(promote_rate_limit_mib_s=8), order=9)
    assert one.ask([0] * 6, 10) == [0, 1, 2]
    assert one.count(CANDIDATES) == 6 * 512


def test_a_rate_of_nothing_lets_nothing_pass() -> None:
    assert Gate(FULL._replace(promote_rate_limit_mib_s=0)).ask([0, 0], 10) == []


def test_whose_latency_nobody_knows_is_taken_for_touched_now() -> None:
    one = Gate()
    hot = in_runs(np.arange(5, dtype=np.uint32))
    assert one.gate.choose(hot, np.zeros(0, np.int64), 10 * MS).folios.tolist() == [0, 1, 2, 3, 4]


def test_the_threshold_is_the_window_of_the_record_where_no_knob_says_it() -> None:
    one = Gate(HotThreshold())
    assert one.gate.threshold_ms == 3000
    one.gate.refer(4000)
    assert one.gate.threshold_ms == 4000
    one.ask([0], 60_001)
    assert one.gate.threshold_ms == 4500
    one.gate.retune("hot_threshold_ms", 100)
    assert one.ask([150, 4000, 90], 60_002) == [0, 1, 2], "the one in force stays for the window"
    one.memory.free[0] = 1 << 22
    one.ask([0], 60_003)
    one.memory.free[0] = 0
    assert one.ask([150, 90], 60_004) == [1]


def test_runs_that_pass_in_part_keep_their_stamps() -> None:
    memory: Any = laid_out([Layout(2 * GRANULE)], [0, 1 << 22])
    gate = gate_to(0, FULL, memory)
    hot = in_runs(np.array([1, 2, GRANULE, GRANULE + 9], np.uint32), 77)
    chosen = gate.choose(hot, np.array([5000, 5000, 5, 5000], np.int64), 0)
    assert (chosen.folios.tolist(), chosen.ends.tolist(), chosen.stamps.tolist()) == (
        [GRANULE], [1], [77],
    )  # fmt: skip


def test_each_target_node_has_a_threshold_a_rate_and_room_of_its_own() -> None:
    """Two processes at home on two nodes; the first node alone has room to spare."""
    memory = laid_out([Layout(600, mm=0), Layout(600, mm=1)], [1 << 22, 1 << 22])
    memory.free[:] = [1 << 20, 0]
    sizes, promo = np.full(2, 1 << 22, np.int64), np.zeros(2, np.int64)
    knobs = FULL._replace(promote_rate_limit_mib_s=1)
    gate = ThresholdGate(knobs, memory, np.array([0, 1]), sizes, promo, 0)
    first, second = np.arange(600), GRANULE + np.arange(600)
    hot = in_runs(np.concatenate([first, second]).astype(np.uint32))
    chosen = gate.choose(hot, np.full(1200, 999), 0).folios
    assert chosen.tolist() == [*first, *second[:255]]
    assert gate.state[:, AT_ONCE].tolist() == [600, 0]
    assert gate.state[:, CANDIDATES].tolist() == [0, 600]
    assert gate.counters["pgpromote_candidate"] == 600
