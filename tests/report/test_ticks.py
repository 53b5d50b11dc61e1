import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiering.report.ticks import label, linear_ticks, log_ticks, nice_bounds


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 15, [0, 2.5, 5, 7.5, 10, 12.5, 15]),
        (-3, 3, [-3, -2, -1, 0, 1, 2, 3]),
        (7, 7, [7]),
    ],
)
def test_linear_ticks_are_round_numbers(low: float, high: float, ticks: list[float]) -> None:
    assert linear_ticks(low, high) == ticks


@given(st.floats(-1e12, 1e12), st.floats(1e-6, 1e12))
def test_linear_ticks_lie_inside_and_are_neither_few_nor_many(low: float, length: float) -> None:
    ticks = linear_ticks(low, low + length)
    if length > 1e-9 * abs(low):
        assert 2 <= len(ticks) <= 8
    slack = 1e-6 * length + 1e-9 * abs(low)
    assert all(low - slack <= tick <= low + length + slack for tick in ticks)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1, 100, [1, 2, 5, 10, 20, 50, 100]),
        (400, 5000, [500, 1000, 2000, 5000]),
        (1, 1e4, [1, 10, 100, 1e3, 1e4]),
        (1, 1e18, [1, 100, 1e4, 1e6, 1e8, 1e10, 1e12, 1e14, 1e16, 1e18]),
    ],
)
def test_logarithmic_ticks_are_powers_of_ten_or_a_few_between(
    low: float, high: float, ticks: list[float]
) -> None:
    assert log_ticks(low, high) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("values", "log", "zero", "bounds"),
    [
        ([3, 9.5], False, True, (0, 10)),
        ([3, 9.5], False, False, (2, 10)),
        ([-4, -1], False, True, (-4, 0)),
        ([5, 5], False, False, (4, 6)),
        ([0, 0], False, True, (0, 1)),
        ([], False, True, (0, 1)),
        ([math.nan, math.inf, 2], False, True, (0, 2)),
        ([30, 4000], True, True, (10, 10_000)),
        ([0, -1, math.nan], True, True, (1, 10)),
        ([100], True, True, (100, 1000)),
    ],
)
def test_bounds_show_all_values_and_end_at_ticks(
    values: list[float], log: bool, zero: bool, bounds: tuple[float, float]
) -> None:
    assert nice_bounds(values, log, zero) == pytest.approx(bounds)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.25, "0.25"), (0.001, "0.001"), (100, "100"), (999, "999"), (1000, "1k"),
        (1500, "1.5k"), (20e6, "20M"), (-3e9, "-3G"), (2.5e-6, "2.5µ"), (1e18, "1000P"),
    ],
)  # fmt: skip
def test_labels_are_short(value: float, text: str) -> None:
    assert label(value) == text
