import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.machines import Layout, laid_out
from tiering.engine.accuracy import hot_on_slow, hot_rows, judge
from tiering.engine.folios import CLASS_MASK, GRANULE, Memory
from tiering.engine.reports import in_runs

ROOM = 1 << 20


def hot(rate: list[float], pages: list[int], threshold: float) -> tuple[list[bool], bool]:
    found = np.zeros(len(rate), np.bool_)
    differ = hot_rows(
        np.ones(len(rate), np.int64), np.array(rate), np.array(pages), threshold, found
    )
    return found.tolist(), bool(differ)


def test_a_row_is_hot_by_its_rate_per_page() -> None:
    """8 touches of 16 pages are less than one touch of one page."""
    assert hot([1.0, 8.0, 600.0, 0.2], [1, 16, 512, 1], 0.6) == ([True, False, True, False], True)


def test_ties_with_the_last_that_fits_all_count() -> None:
    assert hot([2.0, 1.0, 1.0, 0.5], [1] * 4, 1.0) == ([True, True, True, False], True)


def test_rows_that_are_never_touched_are_not_hot_even_where_everything_fits() -> None:
    assert hot([2.0, 0.0], [1, 1], 0.0) == ([True, False], False)


def test_equal_rates_per_page_are_flat() -> None:
    assert hot([1.0, 16.0, 0.0], [1, 16, 1], 1.0) == ([True, True, False], False)


def two_rows(nr: int = 10) -> Memory:
    """An mm of which the even folios are row 0 and the odd ones row 1, all slow."""
    memory = laid_out([Layout(nr), Layout(1, mm=1)], [ROOM, ROOM])
    memory.rows[0] = 2
    memory.folio[:nr] |= np.arange(nr, dtype=np.uint32) % 2
    memory.resident[:2, 1] = [nr - nr // 2, nr // 2]
    memory.row0[1] = 1
    return memory


def test_a_pass_by_hand() -> None:
    """Of five hot folios on the slow tier three are reported, and one cold one."""
    memory, counts = two_rows(), np.zeros(4, np.int64)
    open_pass = np.array([[0, -1], [0, -1]])
    row_at, nr_rows = np.array([0, 2]), np.array([2, 0])
    is_hot, slow = np.array([True, False]), np.array([0, 1], np.uint8)
    passes = np.array([[0, 123, 4]])
    found = in_runs(np.array([0, 1, 2, 4], np.uint32))
    judge(memory, is_hot, row_at, nr_rows, slow, found, passes, open_pass, counts)
    assert counts.tolist() == [4, 3, 3, 5]
    assert open_pass[0].tolist() == [0, -1]


def test_a_pass_goes_on_over_several_calls_and_the_next_begins_anew() -> None:
    memory, counts = two_rows(), np.zeros(4, np.int64)
    open_pass = np.array([[0, -1], [0, -1]])
    rows = (np.array([0, 2]), np.array([2, 0]))
    is_hot, slow = np.array([True, False]), np.array([0, 1], np.uint8)
    none = np.zeros((0, 3), np.int64)
    for part, passes in (([0, 2], none), ([4], np.array([[0, 9, 1]])), ([8, 6], none)):
        found = in_runs(np.array(part, np.uint32))
        judge(memory, is_hot, *rows, slow, found, passes, open_pass, counts)
    assert counts.tolist() == [5, 5, 3, 5]
    assert open_pass[0].tolist() == [2, 5]


def test_a_pass_that_finds_nothing_counts_what_there_was_to_find() -> None:
    memory, counts = two_rows(), np.zeros(4, np.int64)
    open_pass = np.array([[0, -1], [0, -1]])
    nothing = in_runs(np.zeros(0, np.uint32))
    judge(
        memory, np.array([False, True]), np.array([0, 2]), np.array([2, 0]),
        np.array([0, 1], np.uint8), nothing, np.array([[0, 9, 0]]), open_pass, counts,
    )  # fmt: skip
    assert counts.tolist() == [0, 0, 0, 5]


@pytest.mark.parametrize("rows", [1, 31, 32, 33, 63, 64, 65, 200])
def test_hot_reports_are_counted_one_by_one_for_any_number_of_classes(rows: int) -> None:
    """Lookups by class take three ways; a brute-force recount takes one."""
    random = np.random.default_rng(rows)
    memory = laid_out([Layout(1)] * rows, [ROOM, ROOM])
    memory.row0[:], memory.rows[:] = 0, rows
    classes = random.integers(0, rows, GRANULE).astype(np.uint32)
    memory.folio[:GRANULE] = classes
    is_hot = random.random(rows) < 0.5
    reported = np.flatnonzero(random.random(GRANULE) < 0.3).astype(np.uint32)
    counts, open_pass = np.zeros(4, np.int64), np.array([[0, 77]])
    judge(
        memory, is_hot, np.zeros(1, np.int64), np.array([rows]), np.array([0, 1], np.uint8),
        in_runs(reported), np.zeros((0, 3), np.int64), open_pass, counts,
    )  # fmt: skip
    assert counts.tolist() == [reported.size, is_hot[classes[reported]].sum(), 0, 0]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_counts_are_those_of_a_brute_force_recount(seed: int) -> None:
    """Two mms of three granules each, random reports and passes in random pieces."""
    random = np.random.default_rng(seed)
    memory = laid_out([Layout(50, nid=1, mm=i // 3) for i in range(6)], [ROOM, ROOM])
    memory.row0[:] = [0, 0, 0, 3, 3, 3]
    memory.rows[:] = 3
    places = (np.arange(6)[:, None] * GRANULE + np.arange(50)).ravel()
    memory.folio[places] |= random.integers(0, 3, places.size).astype(np.uint32)
    row = memory.row0[places // GRANULE] + (memory.folio[places] & CLASS_MASK)
    memory.resident[:] = 0
    memory.resident[:, 1] = np.bincount(row, minlength=6)
    is_hot, slow = random.random(6) < 0.5, np.array([0, 1], np.uint8)
    row_of = dict(zip(places.tolist(), row.tolist(), strict=True))
    there = (memory.resident[:, 1] * is_hot).reshape(2, 3).sum(axis=1).tolist()
    counts, open_pass = np.zeros(4, np.int64), np.array([[0, -1], [0, -1]])
    wanted, so_far = np.zeros(4, np.int64), [0, 0]
    for _ in range(random.integers(1, 6)):
        runs, passes = [], []
        for _ in range(random.integers(0, 5)):
            granule = int(random.integers(6))
            run = granule * GRANULE + np.flatnonzero(random.random(50) < 0.4)
            runs += run.tolist()
            heat = sum(bool(is_hot[row_of[i]]) for i in run.tolist())
            wanted[:2] += [run.size, heat]
            so_far[granule // 3] += heat
            if random.random() < 0.4:
                mm = int(random.integers(2))
                passes.append([mm, 5, len(runs)])
                wanted[2:] += [min(so_far[mm], there[mm]), there[mm]]
                so_far[mm] = 0
        judge(
            memory, is_hot, np.array([0, 3]), np.array([3, 3]), slow,
            in_runs(np.array(runs, np.uint32)),
            np.array(passes, np.int64).reshape(-1, 3), open_pass, counts,
        )  # fmt: skip
        assert counts.tolist() == wanted.tolist()


def test_hot_folios_on_any_slow_node_are_there_to_be_found() -> None:
    memory = laid_out([Layout(4, nid=0), Layout(3), Layout(2, nid=2), Layout(9)], [ROOM] * 3)
    slow, is_hot = np.array([0, 1, 1], np.uint8), np.array([True, True, True, False])
    assert hot_on_slow(memory, is_hot, 0, 4, slow) == 5
    assert hot_on_slow(memory, is_hot, 2, 2, slow) == 2


def test_rows_without_folios_are_neither_hot_nor_different() -> None:
    hot = np.ones(3, np.bool_)
    there = np.array([1, 0, 2])
    differ = hot_rows(there, np.array([2.0, 9.0, 2.0]), np.ones(3, np.int64), 1.0, hot)
    assert hot.tolist() == [True, False, True]
    assert not differ
