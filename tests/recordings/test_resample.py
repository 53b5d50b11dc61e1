import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiering.recordings.resample as grid
from tests.recordings.records import MIB, recording
from tiering.recordings.__main__ import main
from tiering.recordings.damo import RecordingError, Regions, read_recording
from tiering.recordings.resample import resample

SHIPPED = Path(__file__).parents[2] / "scenarios" / "recordings"
Rows = list[tuple[float, float, int]]


def rate(nr: float) -> float:
    """The equation of docs/model.md with the library's logarithm, n = 20, 50 ms."""
    return -math.log(1 - min(nr, 19.5) / 20) / 0.05


def test_a_region_that_fills_its_cells_gives_them_its_rate() -> None:
    heat = resample(recording([(100, 104, 7)]), 2)
    assert heat.cells.tolist() == [50, 51]
    assert heat.runs == ((0, 2),)
    assert heat.rate[0].tolist() == pytest.approx([rate(7)] * 2, rel=1e-14)


def test_a_cell_is_weighted_by_area_and_the_unseen_part_counts_as_cold() -> None:
    heat = resample(recording([(0, 0.5, 8), (0.5, 1.5, 2), (3, 4, 20)]), 2)
    assert heat.rate[0].tolist() == pytest.approx(
        [rate(8 * 0.25 + 2 * 0.5), rate(20 * 0.5)], rel=1e-14
    )


def test_a_page_seen_in_every_sample_counts_half_a_sample_less() -> None:
    heat = resample(recording([(0, 2, 20)], [(0, 2, 25)]), 2)
    assert heat.rate[:, 0].tolist() == pytest.approx([math.log(40) / 0.05] * 2, rel=1e-14)


def test_a_cold_gap_splits_runs_and_is_counted_as_never_touched() -> None:
    heat = resample(recording([(0, 2, 1), (2, 10, 0), (10, 12, 3)], [(0, 2, 0), (2, 12, 0)]), 2)
    assert heat.runs == ((0, 1), (1, 2))
    assert heat.cells.tolist() == [0, 5]
    assert (heat.touched_mib, heat.never_touched_mib) == (4, 8)
    assert heat.rate[1].tolist() == [0, 0]
    assert heat.touches_per_s().tolist() == pytest.approx([512 * (rate(1) + rate(3)), 0])


def test_overlapping_regions_count_with_their_mean() -> None:
    heat = resample(recording([(4, 6, 10), (0, 2, 4), (0, 2, 8)]), 2)
    assert heat.rate[0].tolist() == pytest.approx([rate(6), rate(10)], rel=1e-14)


def test_huge_gaps_of_addresses_cost_nothing() -> None:
    heat = resample(recording([(0, 1, 5), (2.0**42 - 1, 2.0**42, 5)]), 1)
    assert heat.cells.tolist() == [0, 2**42 - 1]
    assert heat.rate[0].tolist() == pytest.approx([rate(5)] * 2, rel=1e-14)


def test_snapshots_before_skip_s_are_left_out() -> None:
    heat = resample(recording([(0, 64, 1)], [(0, 2, 2), (2, 64, 0)], [(0, 64, 0)]), 2, 1.0)
    assert heat.touched_mib == 2
    assert heat.duration_s.tolist() == [1, 1]
    assert (heat.nr_left_out, heat.never_touched_mib) == (1, 62)


def test_what_damo_writes_where_events_were_lost_is_left_out() -> None:
    whole: Rows = [(0, 8, 1)]
    kept = recording(whole, whole, [(0, 2, 1)], [(0, 2, 1)])
    assert resample(kept, 2).duration_s.size == 4, "less and less memory is not lost events"
    leftover = recording(whole, whole, [(0, 2, 1)])
    assert resample(leftover, 2).duration_s.size == 2
    leftover.end_ns[0] = leftover.start_ns[0] + 0.4e9
    assert resample(leftover, 2).duration_s.size == 1


@pytest.mark.parametrize(
    ("rows", "skip_s", "message"),
    [
        ([(0, 8, 0)], 0, "hand: DAMON saw no access at all in 1 snapshots, there is nothing to"),
        ([(0, 8, 1)], 9, "hand: no snapshot remains of 1 in 1.0 s, with skip_s = 9"),
        ([], 0, "hand: no snapshot remains of 1 in 1.0 s, with skip_s = 0"),
        ([(0, 2**21, 1)], 0, "hand: 2,097,152 MiB were touched, more than the 1,048,576 MiB"),
    ],
)
def test_what_cannot_be_replayed_is_one_sentence(rows: Rows, skip_s: float, message: str) -> None:
    with pytest.raises(RecordingError) as caught:
        resample(recording(rows), 2, skip_s)
    assert str(caught.value).startswith(message)


def test_a_grid_that_would_be_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MAX_CELLS", 7)
    with pytest.raises(RecordingError, match=r"4 cells in 2 snapshots are more than 7; choose"):
        resample(recording([(0, 8, 1)], [(0, 8, 1)]), 2)


PIECE = st.tuples(st.integers(0, 4000), st.integers(1, 3000), st.integers(0, 20))


def slow_rates(pieces: list[tuple[int, int, int]], pages_a_cell: int) -> dict[int, float]:
    """Cell -> rate, page by page; pieces are (first page, pages, nr_accesses)."""
    weighted: dict[int, int] = {}
    covered: dict[int, int] = {}
    for first, pages, nr in pieces:
        for page in range(first, first + pages):
            cell = page // pages_a_cell
            weighted[cell] = weighted.get(cell, 0) + nr
            covered[cell] = covered.get(cell, 0) + 1
    return {
        cell: rate(sum_ / max(covered[cell], pages_a_cell))
        for cell, sum_ in weighted.items()
        if sum_ > 0
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECE, min_size=1, max_size=8), st.sampled_from([1, 2, 4]))
def test_the_grid_equals_a_count_page_by_page(
    pieces: list[tuple[int, int, int]], cell_mib: int
) -> None:
    hand = recording([(0, 1, 0)])
    table = np.array(pieces, np.int64).T
    regions = Regions(
        (table[0] * 4096).astype(np.uint64),
        ((table[0] + table[1]) * 4096).astype(np.uint64),
        table[2],
    )
    hand = type(hand)("hand", 0.05, 1.0, hand.start_ns, hand.end_ns, (regions,))
    slow = slow_rates(pieces, cell_mib * MIB // 4096)
    if not slow:
        with pytest.raises(RecordingError, match="saw no access at all"):
            resample(hand, cell_mib)
        return
    heat = resample(hand, cell_mib)
    assert heat.cells.tolist() == sorted(slow)
    assert heat.rate[0].tolist() == pytest.approx([slow[c] for c in sorted(slow)], rel=1e-12)


def test_heat_of_redis_changes_over_time_and_has_a_hot_minority() -> None:
    heat = resample(read_recording(SHIPPED / "redis-hot10.damo"), 2, 20.0)
    changed = np.abs(np.diff(heat.rate, axis=0)).sum(axis=1)
    assert (changed > 0.05 * heat.rate[1:].sum(axis=1)).all()
    mean = np.sort((heat.rate * heat.duration_s[:, None]).sum(axis=0))[::-1]
    hottest = mean[: mean.size // 10].sum() / mean.sum()
    assert hottest > 0.5, "a tenth of the touched memory takes over half of the touches"


def test_default_intervals_saw_next_to_nothing_of_a_busy_redis() -> None:
    recorded = read_recording(SHIPPED / "redis-zipf.damo")
    silent = sum(not regions.nr_accesses.any() for regions in recorded.snapshots)
    assert silent > 100
    assert resample(recorded, 2).touches_per_s().min() == 0


def test_the_summary_names_what_a_file_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(SHIPPED / "redis-hot10.damo"), "--skip-s", "20"]) == 0
    shown = capsys.readouterr().out
    assert "63, 18 left out, 51.3 s replayed" in shown
    assert "9,728 MiB in 133 runs of 2 MiB cells; 11,776 MiB never touched" in shown


def test_the_summary_of_no_recording_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(SHIPPED / "none.damo")]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("recording none.damo: there is no such file in ")


@pytest.mark.parametrize("text", ["-5", "nan", "inf", "86401", "soon"])
def test_time_to_leave_out_has_a_range(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(SHIPPED / "redis-hot10.damo"), "--skip-s", text])
    assert caught.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.endswith(f"argument --skip-s: {text}: allowed is 0 .. 86_400 s")
