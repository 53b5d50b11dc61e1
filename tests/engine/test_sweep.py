"""Sweeps against their accesses one by one: touched, first touched, read how often."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiering.engine.first_touch import swept_at
from tiering.engine.sweep import Sweeps, read_block, sweep_block, sweep_table

SWEEPS = st.tuples(
    st.sampled_from([1, 4, 16]),  # pages a folio
    st.integers(1, 6),  # folios
    st.integers(1, 7),  # stride
    st.integers(1, 5),  # burst
    st.sampled_from([1.0, 0.5, 0.3]),  # part of the process's accesses
)
WINDOWS = st.tuples(st.floats(0.0, 300.0), st.floats(0.0, 150.0))


def table(shape: tuple[int, int, int, int, float]) -> tuple[Sweeps, int, int]:
    """(sweeps, folios, pages a folio)."""
    pages, nr, stride, burst, part = shape
    stride = min(stride, nr * pages)
    return sweep_table([(0, 8192 // pages, pages, nr * pages, stride, burst, part)]), nr, pages


def page_of(sweeps: Sweeps, m: int) -> int:
    """The page that access m touches."""
    n, stride, burst = int(sweeps.nr_pages[0]), int(sweeps.stride[0]), int(sweeps.burst[0])
    order = [page for column in range(stride) for page in range(column, n, stride)]
    return order[m // burst % n]


def accesses(sweeps: Sweeps, tau0: float, tau1: float) -> range:
    """Numbers of the accesses made in the window."""
    first, end = (math.ceil(float(sweeps.part[0]) * tau) for tau in (tau0, tau1))
    return range(first, end)


@settings(deadline=None)  # the first call compiles
@given(SWEEPS, WINDOWS)
def test_a_folio_is_first_touched_when_its_first_access_is_made(
    shape: tuple[int, int, int, int, float], window: tuple[float, float]
) -> None:
    sweeps, nr, pages = table(shape)
    tau0, tau1 = window[0], window[0] + window[1]
    made = accesses(sweeps, tau0, tau1)
    touched = np.zeros(nr, np.uint32)
    sweep_block(sweeps, 0, 0, 0, tau0, tau1, touched)
    for folio in range(nr):
        own = [m for m in made if page_of(sweeps, m) // pages == folio]
        assert touched[folio] == (len(own) > 0)
        when = swept_at(sweeps, 0, 0, folio, tau0, tau1)
        expected = max(own[0] / sweeps.part[0], tau0) if own else math.inf
        assert when == pytest.approx(expected, rel=1e-15)
        assert when == math.inf or tau0 <= when < tau1


@settings(deadline=None)
@given(SWEEPS, WINDOWS)
def test_a_read_counts_when_it_comes_from_another_folio(
    shape: tuple[int, int, int, int, float], window: tuple[float, float]
) -> None:
    sweeps, nr, pages = table(shape)
    tau0, tau1 = window[0], window[0] + window[1]
    made = accesses(sweeps, tau0, tau1)
    came_from = page_of(sweeps, made.start - 1) // pages
    reads = np.zeros(nr, np.int64)
    for m in made:
        folio = page_of(sweeps, m) // pages
        reads[folio] += folio != came_from
        came_from = folio
    for least in (1, 2, 3):
        out = np.zeros(nr, np.uint32)
        read_block(sweeps, 0, 0, 0, tau0, tau1, least, out)
        assert out.tolist() == (reads >= least).tolist()


def test_hand_worked_sweeps() -> None:
    """Three pages, two accesses each, every fourth of the process: page 1 at 2, 3, 8, 9, .."""
    sweeps = sweep_table([(0, 8192, 1, 3, 1, 2, 0.25)])
    assert swept_at(sweeps, 0, 0, 1, 0.0, 100.0) == 8.0
    assert swept_at(sweeps, 0, 0, 1, 9.0, 100.0) == 12.0  # the second access of the burst
    assert swept_at(sweeps, 0, 0, 1, 13.0, 100.0) == 32.0  # the next pass
    assert swept_at(sweeps, 0, 0, 1, 13.0, 32.0) == math.inf
    assert swept_at(sweeps, 0, 0, 1, 13.0, 33.0) == 32.0
    out = np.zeros(3, np.uint32)
    read_block(sweeps, 0, 0, 0, 9.0, 33.0, 1, out)
    assert out.tolist() == [1, 1, 1]
    read_block(sweeps, 0, 0, 0, 9.0, 32.0, 1, out)
    assert out.tolist() == [1, 0, 1]  # page 1 was come to before the window
