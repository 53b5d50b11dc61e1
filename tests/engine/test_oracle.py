import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.machines import flat_memory
from tiering.engine.folios import Memory
from tiering.engine.invariants import BooksDoNotBalance, check_books
from tiering.engine.oracle import ceiling, quota, rearrange

ROWS = np.array([100, 50, 200]), np.array([1.0, 3.0, 0.5]), np.ones(3, np.int64)


def best_share(nr: np.ndarray, rate: np.ndarray, pages: np.ndarray, capacity: int) -> float:
    return float(ceiling(nr, rate, pages, capacity)[0])


def test_the_hottest_rows_get_the_top_tier() -> None:
    assert quota(*ROWS, 120).tolist() == [70, 50, 0]
    assert quota(*ROWS, 1000).tolist() == [100, 50, 200]
    assert quota(*ROWS, 0).tolist() == [0, 0, 0]


def test_the_best_share_is_the_knapsack() -> None:
    assert best_share(*ROWS, 120) == pytest.approx((50 * 3 + 70 * 1) / (100 + 150 + 100))
    assert best_share(*ROWS, 350) == pytest.approx(1.0)
    assert best_share(np.array([5]), np.array([0.0]), np.ones(1, np.int64), 1) == 1.0


@given(
    st.lists(st.tuples(st.integers(0, 50), st.floats(0, 10)), min_size=1, max_size=6),
    st.integers(0, 100),
    st.randoms(use_true_random=False),
)
def test_no_choice_of_folios_beats_the_best_share(
    rows: list[tuple[int, float]], capacity: int, random: object
) -> None:
    folios = [rate for nr, rate in rows for _ in range(nr)]
    nr = np.array([nr for nr, _ in rows])
    rate = np.array([rate for _, rate in rows])
    ones = np.ones(len(rows), np.int64)
    if sum(folios) <= 0:
        return
    random.shuffle(folios)  # type: ignore[attr-defined]
    assert sum(folios[:capacity]) / sum(folios) <= best_share(nr, rate, ones, capacity) + 1e-9
    exact = sum(sorted(folios, reverse=True)[:capacity]) / sum(folios)
    assert best_share(nr, rate, ones, capacity) == pytest.approx(exact)


def small() -> Memory:
    memory = flat_memory(1000, room=1000)
    memory.free[0] = 600
    return memory


def books(memory: Memory) -> None:
    check_books(memory, np.array([600, 1000]), np.array([True, False]))


def test_rearranging_moves_what_is_wanted_and_keeps_the_books() -> None:
    memory = small()
    assert rearrange(memory, np.array([400]), 0, 1) == 400
    assert memory.resident.tolist() == [[400, 600]]
    books(memory)
    assert rearrange(memory, np.array([150]), 0, 1) == 0
    assert memory.resident.tolist() == [[150, 850]]
    books(memory)


@pytest.mark.parametrize("corruption", ["resident", "free", "nr_slow", "folio", "lists", "on_list"])
def test_books_that_do_not_balance_are_noticed(corruption: str) -> None:
    memory = small()
    books(memory)
    array = getattr(memory, corruption)
    array.flat[0] ^= array.dtype.type(0x1000 if corruption == "folio" else 1)
    with pytest.raises(BooksDoNotBalance):
        books(memory)
