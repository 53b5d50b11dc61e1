import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiering.engine import elementary
from tiering.engine.log_exp import exp_minus, log_of, one_minus_exp_minus

TOLERANCE = 1e-14
TINY = float(np.finfo(np.float64).tiny)


@settings(deadline=None)  # the first call compiles
@given(st.floats(TINY, 1e308))
def test_log_agrees_with_the_library(x: float) -> None:
    assert log_of(x) == pytest.approx(math.log(x), rel=TOLERANCE, abs=0)


@settings(deadline=None)
@given(st.floats(0, 700))
def test_exp_agrees_with_the_library(x: float) -> None:
    assert exp_minus(x) == pytest.approx(math.exp(-x), rel=TOLERANCE, abs=0)


@settings(deadline=None)
@given(st.floats(TINY, 800))
def test_one_minus_exp_agrees_with_the_library(x: float) -> None:
    assert one_minus_exp_minus(x) == pytest.approx(-math.expm1(-x), rel=TOLERANCE, abs=0)


def test_the_bits_are_those_of_an_array() -> None:
    """And so the same on any CPU, compiled or not (test_elementary.py has the golden ones)."""
    values = np.concatenate([np.linspace(1e-3, 700.0, 1001), 10.0 ** np.arange(-300, 300)])
    assert [log_of(x) for x in values] == elementary.log(values).tolist()
    values = values[values < 708.0]
    assert [exp_minus(x) for x in values] == elementary.exp(-values).tolist()
    assert [-one_minus_exp_minus(x) for x in values] == elementary.expm1(-values).tolist()


def test_known_values_are_exact() -> None:
    assert log_of(1.0) == 0.0
    assert log_of(TINY) == pytest.approx(-1022 * math.log(2), rel=TOLERANCE)
    assert exp_minus(0.0) == 1.0
    assert exp_minus(708.5) == 0.0
    assert one_minus_exp_minus(0.0) == 0.0
    assert one_minus_exp_minus(1e9) == 1.0
