"""Hotness records bit by bit, and the walk over those that are ready."""

from typing import Any

import numpy as np
import pytest

from tests.engine.machines import Layout as Vma
from tests.engine.machines import laid_out
from tiering.engine.folios import GRANULE
from tiering.engine.reports import in_runs
from tiering.hotness.pghot import PghotRecords
from tiering.hotness.pghot_knobs import Pghot, PghotPrecise
from tiering.hotness.pghot_record import BYTE, PRECISE, Layout, Rules, latency_of, updated

MS = 1_000_000
ROOM = 1 << 22


def after(
    times_ms: list[int],
    layout: Layout = BYTE,
    threshold: int = 2,
    window_ms: int = 3000,
    node: int = 0,
) -> int:
    """The record after reports at these times."""
    record = 0
    for now_ms in times_ms:
        rules = Rules(threshold, window_ms)
        record = int(updated(np.int64(record), np.int64(now_ms), layout, rules, node))
    return record


@pytest.mark.parametrize(
    ("times_ms", "record"),
    [
        ([1000], 0b0_00111_01),  # the eighth bucket of 128 ms
        ([1000, 1100], 0b1_01000_10),
        ([1000, 1100, 1200, 1201, 1202], 0b1_01001_11),  # saturates at 3
        ([1000, 3967], 0b1_11110_10),  # 23 buckets are 2,944 ms
        ([1000, 3968], 0b0_11111_01),  # 24 are more than the window
        ([1000, 1000 + 4096], 0b1_00111_10),  # the time has wrapped around: as if at once
        ([1000, 1000 + 4096 + 128 * 24], 0b0_11111_01),
        ([1000, 1000 + 100 * 4096 + 256], 0b1_01001_10),
        ([1000, 1100, 4300], 0b1_00001_01),  # begins to count anew, but is ready still
    ],
)
def test_a_byte_record_by_hand(times_ms: list[int], record: int) -> None:
    assert after(times_ms) == record


@pytest.mark.parametrize(
    ("times_ms", "freq", "time", "ready"),
    [
        ([1000], 1, 1000, False),
        ([1000, 6000], 2, 6000, True),
        ([1000, 6001], 1, 6001, False),
        ([1000] * 9, 7, 1000, True),
        ([1000, 1000 + 16_384 + 5000], 2, 6000, True),
        ([1000, 1000 + 16_384 - 1], 1, 999, False),
    ],
)
def test_a_precise_record_by_hand(times_ms: list[int], freq: int, time: int, ready: bool) -> None:
    record = after(times_ms, PRECISE, 2, 5000, node=5)
    assert record == (ready << 31) | (time << 13) | (freq << 10) | 5


def test_a_record_that_is_empty_counts_its_first_report_as_one_whatever_the_time() -> None:
    assert all(after([t]) & 3 == 1 for t in range(0, 9000, 64))
    assert all((after([t], PRECISE, 2, 5000) >> 10) & 7 == 1 for t in range(0, 40_000, 640))


@pytest.mark.parametrize("threshold", [1, 2, 3])
def test_ready_comes_with_the_report_that_reaches_the_threshold(threshold: int) -> None:
    for nr in range(1, 5):
        assert bool(after([10] * nr, threshold=threshold) & 0x80) == (nr >= threshold)


@pytest.mark.parametrize(("layout", "step", "range_ms"), [(BYTE, 128, 4096), (PRECISE, 1, 16_384)])
def test_latency_is_whole_buckets_modulo_the_range(
    layout: Layout, step: int, range_ms: int
) -> None:
    record = np.int64(after([50_000], layout))
    for since in (0, 1, 127, 128, 1000, 3999, 5000, 16_383, 16_384, 40_000):
        buckets = (50_000 + since) // step - 50_000 // step
        expected = buckets * step % range_ms
        assert latency_of(record, np.int64(50_000 + since), layout) == expected


def test_what_comes_round_long_after_counts_as_often_as_the_window_is_of_the_range() -> None:
    """3,072 of 4,096 ms, and 5,001 of 16,384: most of what is ready in bytes was not touched twice
    within the window."""
    gaps = np.random.default_rng(3).integers(60_000, 600_000, 20_000)
    byte = sum(after([0, int(gap)]) >= 0x80 for gap in gaps) / gaps.size
    precise = sum(after([0, int(gap)], PRECISE, 2, 5000) >= 1 << 31 for gap in gaps) / gaps.size
    assert byte == pytest.approx(24 / 32, abs=0.015)
    assert precise == pytest.approx(5001 / 16_384, abs=0.015)


class Kept:
    """Records of VMAs on a top-tier and two lower nodes."""

    def __init__(self, vmas: list[Vma], knobs: Any = None) -> None:
        self.memory = laid_out(vmas, [ROOM] * 3)
        self.records = PghotRecords(knobs or Pghot(), self.memory, 3, np.zeros(9, np.int64))

    def report(self, folios: list[int], at_ms: int, now_ms: int = -1) -> None:
        found = in_runs(np.array(folios, np.uint32), at_ms * MS)
        hot = self.records.record(found, (at_ms if now_ms < 0 else now_ms) * MS, "chmu")
        assert hot.folios.folios.size == 0, "nothing is hot at once"
        found.folios[:] = 0  # a source uses its buffers again

    def walk(self, nid: int, at_ms: int, most: int = 2048) -> list[tuple[list[int], list[int]]]:
        """(folios, latencies) of every piece of a walk that costs nothing."""
        cursor, pieces = self.records.begin(nid), []
        while cursor[0] < self.memory.nr.size:
            hot, clock = self.records.due(nid, cursor, at_ms * MS, 2**62, 0.0, most)
            assert clock == at_ms * MS
            if hot.folios.folios.size:
                pieces.append((hot.folios.folios.tolist(), hot.latency_ms.tolist()))
        return pieces


def test_ready_records_are_taken_once_with_the_time_since_the_last_report() -> None:
    one = Kept([Vma(100)])
    one.report([3, 7, 50], 1000)
    assert not one.records.wakes(1, 1000 * MS)
    one.report([7, 50], 1200)
    one.report([50], 1400)
    assert one.records.wakes(1, 1400 * MS)
    assert one.walk(1, 1500) == [([7, 50], [256, 128])]
    assert not one.records.wakes(1, 1500 * MS)
    assert one.walk(1, 1500) == []
    assert np.flatnonzero(one.records.records).tolist() == [3]
    assert one.records.recorded == {"chmu": 6}


def test_reports_of_the_top_tier_are_dropped_and_nodes_have_walks_of_their_own() -> None:
    one = Kept([Vma(10, nid=1), Vma(10, nid=0), Vma(10, nid=2)])
    for at_ms in (100, 200):
        one.report([2, GRANULE + 1, 2 * GRANULE + 3], at_ms)
    assert one.records.recorded == {"chmu": 4}
    assert not one.records.wakes(0, 200 * MS)
    assert one.walk(2, 200) == [([2 * GRANULE + 3], [0])]
    assert one.walk(1, 200) == [([2], [0])]


def test_a_walk_gives_what_is_ready_section_by_section_and_no_more_than_asked_for() -> None:
    one = Kept([Vma(9 * GRANULE)])
    folios = [5, 3 * GRANULE, 3 * GRANULE + 1, 4 * GRANULE + 8191, 8 * GRANULE]
    one.report(folios, 10)
    one.report(folios, 20)
    pieces = [found for found, _ in one.walk(1, 30, most=2)]
    assert pieces == [folios[:2], folios[2:3], folios[3:4], folios[4:]]


def test_only_hot_sections_cost_time_and_a_clock_that_is_up_stops_the_walk() -> None:
    one = Kept([Vma(8 * GRANULE + 100)])
    one.report([5 * GRANULE], 10)
    one.report([5 * GRANULE], 20)
    cursor = one.records.begin(1)
    clock, seen = 20 * MS, []
    while cursor[0] < one.memory.nr.size:
        before = clock
        hot, clock = one.records.due(1, cursor, clock, before + 10_000, 2.5, 100)
        seen.append((clock - before, hot.folios.folios.tolist()))
    each = GRANULE * 5 // 2
    assert seen[:4] == [(each, []), (each, [5 * GRANULE]), (each, []), (each, [])]
    assert sum(cost for cost, _ in seen) == 4 * each


def test_a_report_that_is_handed_on_later_is_not_seen_before() -> None:
    one = Kept([Vma(100)])
    one.report([1, 2], 500)
    one.report([1, 2], 600, now_ms=550)
    one.report([2], 700, now_ms=560)
    assert not one.records.wakes(1, 599 * MS)
    assert one.records.wakes(1, 600 * MS)
    assert one.walk(1, 600) == [([1, 2], [0, 0])]
    assert one.records.recorded == {"chmu": 4}
    assert not one.records.wakes(1, 700 * MS)
    assert one.records.recorded == {"chmu": 5}


def test_a_process_that_exits_leaves_no_record_and_no_report_on_its_way() -> None:
    one = Kept([Vma(10, mm=0), Vma(10, mm=1)])
    both = [3, GRANULE + 4]
    one.report(both, 10)
    one.report(both, 20)
    one.report([4, 5, GRANULE + 5], 40, now_ms=20)
    one.records.forget(0)
    assert one.walk(1, 40) == [([GRANULE + 4], [0])]
    assert np.flatnonzero(one.records.records).tolist() == [GRANULE + 5]


def test_a_byte_or_four_for_every_page_and_nothing_where_nobody_remembers() -> None:
    for knobs, nr_bytes in ((Pghot(), 1), (PghotPrecise(), 4)):
        one = Kept([Vma(3 * GRANULE)], knobs)
        assert one.records.records.nbytes == 3 * GRANULE * nr_bytes


def test_a_window_and_a_threshold_can_be_changed_while_it_runs() -> None:
    one = Kept([Vma(10)], PghotPrecise())
    one.report([1, 2], 0)
    one.records.retune("promote_freq_window_ms", 1000)
    one.report([1], 1001)
    assert one.walk(1, 1001) == []
    one.records.retune("freq_threshold", 1)
    one.report([2], 3000)
    assert one.walk(1, 3000) == [([2], [0])]


@pytest.mark.parametrize(
    "knobs", [Pghot(), Pghot(3, 1000), PghotPrecise(), PghotPrecise(7, 16_383)]
)
def test_records_agree_with_counts_and_whole_times_kept_page_by_page(knobs: Any) -> None:
    """A minute of reports of 300 folios, some often and some seldom, and a walk now and then."""
    rng = np.random.default_rng(11)
    bucket, fields, most = (1, 16_384, 7) if isinstance(knobs, PghotPrecise) else (128, 32, 3)
    one = Kept([Vma(300)], knobs)
    count, last, ready = [0] * 300, [0] * 300, [False] * 300
    nr_taken = 0
    for at_ms in range(1, 60_000, 37):
        nr = int(rng.integers(1, 20))
        folios = sorted({int(300 * rng.random() ** 3) for _ in range(nr)})
        one.report(folios, at_ms)
        for folio in folios:
            since = (at_ms // bucket - last[folio] // bucket) % fields * bucket
            begins = since > knobs.promote_freq_window_ms
            count[folio] = 1 if begins else min(count[folio] + 1, most)
            last[folio] = at_ms
            ready[folio] |= count[folio] >= knobs.freq_threshold
        if rng.random() < 0.1:
            taken = [folio for folio in range(300) if ready[folio]]
            since_last = [
                (at_ms // bucket - last[folio] // bucket) % fields * bucket for folio in taken
            ]
            assert one.walk(1, at_ms) == ([(taken, since_last)] if taken else [])
            nr_taken += len(taken)
            for folio in taken:
                count[folio], last[folio], ready[folio] = 0, 0, False
    assert nr_taken > 500
