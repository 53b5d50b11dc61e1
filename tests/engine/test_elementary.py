import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from tiering.engine.elementary import exp, expm1, log, log1p, normal_tail, power

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


@given(st.floats(-9, 9))
def test_normal_tail_agrees_with_the_library(z: float) -> None:
    assert float(normal_tail(z)) == pytest.approx(float(special.ndtr(-z)), rel=3e-14, abs=0)


def test_normal_tail_agrees_with_fifty_digits_where_its_two_parts_meet() -> None:
    """One error bound on both sides of 2; reference values from Python's decimal module."""
    with localcontext(prec=50):
        for z in (1.0, 1.9999, 2.0, 2.0001, 3.0, 6.0, 9.0):
            exact = tail_of_fifty_digits(Decimal(z))
            assert abs(Decimal(float(normal_tail(z))) / exact - 1) < TOLERANCE, z


def tail_of_fifty_digits(z: Decimal) -> Decimal:
    """1/2 - phi(z) (z + z**3 / 3 + z**5 / 15 + ...), as many terms as it takes."""
    term = total = z
    k = 1
    while term > Decimal("1e-50"):
        term *= z * z / (2 * k + 1)
        total += term
        k += 1
    pi = Decimal("3.14159265358979323846264338327950288419716939937511")
    return Decimal("0.5") - (-z * z / 2).exp() / (2 * pi).sqrt() * total


def test_normal_tails_of_both_sides_make_one() -> None:
    z = np.linspace(0.0, 40.0, 401)
    assert (normal_tail(z) + normal_tail(-z)).tolist() == pytest.approx([1.0] * 401, rel=1e-15)
    assert (np.diff(normal_tail(z)) <= 0).all()
    assert normal_tail(0.0) == 0.5
    assert normal_tail(-40.0) == 1.0


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
    for function in (log, log1p, exp, expm1, normal_tail):
        together = function(values)
        assert together.tolist() == [float(function(value)) for value in values]


def test_the_bits_are_those_of_every_other_machine() -> None:
    # Written down once on x86-64; a library call or a fused multiply-add would change them.
    values = np.arange(1, 1001) / 50.0
    functions = (log, log1p, exp, expm1, normal_tail)
    digest = [np.bitwise_xor.reduce(f(values).view(np.uint64)) for f in functions]
    assert [hex(int(word)) for word in digest] == [
        "0xc058eb69662796e6",
        "0x7fc0c679ae403b43",
        "0x12a2e1ee736cb36",
        "0x1fbf47b2955abc3",
        "0x1eda756c35d37974",
    ]
