import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiering.engine.folios import GRANULE
from tiering.engine.sweep import Sweeps, rank_of, sweep_block, sweep_table, swept_ranks


def one_sweep(pages: int, stride: int, burst: int, part: float = 1.0, order: int = 0) -> Sweeps:
    return sweep_table([(3, GRANULE >> order, 1 << order, pages, stride, burst, part)])


def visited(pages: int, stride: int) -> list[int]:
    """Pages in the order of the sweep."""
    return [page for first in range(stride) for page in range(first, pages, stride)]


def brute_force(
    pages: int, stride: int, burst: int, part: float, tau0: float, tau1: float
) -> set[int]:
    """Pages touched by the accesses m with part tau0 <= m < part tau1, one by one."""
    order = visited(pages, stride)
    first, end = int(np.ceil(part * tau0)), int(np.ceil(part * tau1))
    end = min(end, first + pages * burst)
    return {order[m // burst % pages] for m in range(first, end)}


def test_a_stride_of_three_goes_through_ten_pages_column_by_column() -> None:
    assert visited(10, 3) == [0, 3, 6, 9, 1, 4, 7, 2, 5, 8]
    sweeps = one_sweep(10, 3, 1)
    assert [rank_of(sweeps, 0, page) for page in visited(10, 3)] == list(range(10))


def test_two_accesses_a_page_by_hand() -> None:
    """Accesses 3, 4 and 5 touch pages 1, 2 and 2; 7, 8 and 9 of eight pages wrap around."""
    assert swept_ranks(one_sweep(8, 1, 2), 0, 3.0, 6.0) == (1, 2)
    assert swept_ranks(one_sweep(4, 1, 2), 0, 7.0, 10.0) == (3, 2)
    assert swept_ranks(one_sweep(4, 1, 2), 0, 2.1, 2.9)[1] == 0, "between two accesses"
    assert swept_ranks(one_sweep(4, 1, 2), 0, 1.0, 1e15) == (0, 4)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 5),
    st.sampled_from([1.0, 0.5, 0.3]),
    st.floats(0, 1000),
    st.floats(0, 400),
    st.sampled_from([0, 1, 4]),
)
def test_a_window_touches_the_pages_that_its_accesses_touch(
    pages: int, stride: int, burst: int, part: float, tau: float, window: float, order: int
) -> None:
    folios = -(-pages >> order)
    pages = folios << order
    stride = min(stride, pages)
    touched = np.zeros(folios, np.uint32)
    sweeps = one_sweep(pages, stride, burst, part, order)
    sweep_block(sweeps, 0, 3, 0, tau, tau + window, touched)
    wanted = {page >> order for page in brute_force(pages, stride, burst, part, tau, tau + window)}
    assert set(np.flatnonzero(touched).tolist()) == wanted


@pytest.mark.parametrize("order", [0, 4, 9])
def test_a_later_granule_goes_on_where_the_one_before_ends(order: int) -> None:
    """Page 8192 is the first of the second granule, whatever the order."""
    sweeps = one_sweep(3 * 8192, 1, 64, 1.0, order)
    touched = np.zeros(4, np.uint32)
    begin = 8192 * 64.0
    sweep_block(sweeps, 0, 4, 0, begin, begin + 64, touched)
    assert touched.tolist() == [1, 0, 0, 0]
    sweep_block(sweeps, 0, 3, 0, begin, begin + 64, touched)
    assert touched.tolist() == [0] * 4
    sweep_block(sweeps, 0, 4, 4, begin, begin + 64 * (4 << order) + 1, touched)
    assert touched.tolist() == [1, 0, 0, 0], "the first folio of a later block"
