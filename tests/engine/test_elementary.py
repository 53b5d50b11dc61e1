import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiering.engine.elementary import exp, expm1, log, log1p, power

TOLERANCE = 1e-14


@given(st.floats(1e-300, 1e300))
def test_log_agrees_with_the_library(x: float) -> None:
    assert float(log(x)) == pytest.approx(math.log(x), rel=TOLERANCE, abs=0)


@given(st.floats(-0.999999, 1e6))
def test_log1p_agrees_with_the_library(x: float) -> None:
    assert float(log1p(x)) == pytest.approx(math.log1p(x), rel=TOLERANCE, abs=0)


@given(st.floats(-700, 700))
def test_exp_agrees_with_the_library(x: float) -> None:
    assert float(exp(x)) == pytest.approx(math.exp(x), rel=TOLERANCE, abs=0)


@given(st.floats(-50, 50))
def test_expm1_agrees_with_the_library(x: float) -> None:
    assert float(expm1(x)) == pytest.approx(math.expm1(x), rel=TOLERANCE, abs=0)


@given(st.floats(1, 1e9), st.floats(-4, 4))
def test_power_agrees_with_the_library(x: float, y: float) -> None:
    assert float(power(x, y)) == pytest.approx(math.pow(x, y), rel=1e-13, abs=0)


def test_known_values_are_exact() -> None:
    assert log(np.array([1.0])).tolist() == [0.0]
    assert exp(np.array([0.0])).tolist() == [1.0]
    assert log1p(np.array([0.0, 1e-300])).tolist() == [0.0, 1e-300]
    assert expm1(np.array([0.0])).tolist() == [0.0]
    assert power(7.0, 0.0) == 1.0


def test_exp_ends_in_zero_and_infinity() -> None:
    assert exp(np.array([-2000.0, 2000.0])).tolist() == [0.0, math.inf]


def test_a_number_alone_gets_the_bits_it_gets_in_an_array() -> None:
    values = np.linspace(0.01, 30.0, 1001)
    for function in (log, log1p, exp, expm1):
        together = function(values)
        assert together.tolist() == [float(function(value)) for value in values]


def test_the_bits_are_those_of_every_other_machine() -> None:
    # Written down once on x86-64; a library call or a fused multiply-add would change them.
    values = np.arange(1, 1001) / 50.0
    digest = [np.bitwise_xor.reduce(f(values).view(np.uint64)) for f in (log, log1p, exp, expm1)]
    assert [hex(int(word)) for word in digest] == [
        "0xc058eb69662796e6",
        "0x7fc0c679ae403b43",
        "0x12a2e1ee736cb36",
        "0x1fbf47b2955abc3",
    ]
