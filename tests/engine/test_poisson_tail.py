from fractions import Fraction
from math import exp, factorial, lgamma

import pytest

from tiering.engine.poisson_tail import log_factorial, tail, term


def exactly(x: float, nr: int) -> float:
    """The tail by a sum of fractions."""
    fewer = sum((Fraction(x) ** k / factorial(k) for k in range(nr)), Fraction(0))
    return 1.0 - float(fewer * Fraction(exp(-x)))


@pytest.mark.parametrize("nr", [0, 1, 2, 15, 16, 17, 100, 1024, 65_535])
def test_the_logarithm_of_a_factorial(nr: int) -> None:
    assert log_factorial(nr) == pytest.approx(lgamma(nr + 1), rel=1e-13, abs=1e-11)


@pytest.mark.parametrize("nr", [1, 2, 3, 8, 40, 64])
@pytest.mark.parametrize("x", [1e-6, 0.1, 1.0, 2.5, 8.0, 8.1, 30.0, 64.0])
def test_the_tail_is_one_less_the_terms_before_it(x: float, nr: int) -> None:
    assert tail(x, nr) == pytest.approx(exactly(x, nr), abs=1e-12)


@pytest.mark.parametrize(("x", "nr"), [(0.5, 4), (100.0, 90), (1000.0, 1024), (6.6e4, 65_535)])
def test_neighbouring_tails_differ_by_a_term(x: float, nr: int) -> None:
    assert tail(x, nr) - tail(x, nr + 1) == pytest.approx(term(x, nr), rel=1e-6)
    assert 0.0 < tail(x, nr + 1) < tail(x, nr) < 1.0


def test_the_tail_ends_at_nothing_and_at_one() -> None:
    assert tail(0.0, 1) == 0.0
    assert tail(1e6, 1) == 1.0
    assert tail(1e-9, 65_535) == 0.0
    assert tail(1e5, 50_000) == 1.0
