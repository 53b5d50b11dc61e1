"""First touch, second touch, number of touches of one window, against the laws they come from."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from tiering.engine.poisson import at_least, first_touch, second_touch, two_touches
from tiering.engine.random import stream_key, uniform, uniform_of

P_THRESHOLD = 1e-4
WINDOWS = st.floats(1e-12, 600.0)
UNIFORM = st.integers(1, 2**53).map(lambda whole: whole * 2.0**-53)


def cut_off(y: float, x: float) -> float:
    """Distribution function of the first touch."""
    return math.expm1(-y) / math.expm1(-x)


@settings(deadline=None)  # the first call compiles
@given(WINDOWS, UNIFORM)
def test_the_first_touch_inverts_the_distribution_function(x: float, u: float) -> None:
    y = first_touch(x, u)
    assert 0.0 < y <= x
    assert cut_off(y, x) == pytest.approx(u, rel=1e-12, abs=0)


@settings(deadline=None)
@given(st.floats(1e-6, 30.0), st.floats(1e-6, 1.0))
def test_the_distribution_function_inverts_the_first_touch(x: float, part: float) -> None:
    """As far as u knows y: near 1 a step of u is exp(y) steps of y."""
    y = part * x
    u = cut_off(y, x)
    slack = 4 * np.finfo(np.float64).eps * math.exp(y) * -math.expm1(-x)
    assert first_touch(x, u) == pytest.approx(y, rel=1e-12, abs=slack)


@settings(deadline=None)
@given(st.floats(1e-9, 50.0))
def test_the_last_uniform_gives_the_end_of_the_window(x: float) -> None:
    assert first_touch(x, 1.0) == pytest.approx(x, rel=1e-12, abs=0)


def test_hand_worked_first_touches() -> None:
    """Half of the folios touched in a window of ln 3 (two thirds of all) are so before ln 1.5."""
    assert first_touch(math.log(3), 0.5) == pytest.approx(math.log(1.5), rel=1e-14)
    assert first_touch(1e-300, 0.25) == pytest.approx(0.25e-300, rel=1e-14)  # evenly spread
    assert first_touch(1e12, 0.5) == pytest.approx(math.log(2), rel=1e-14)  # not cut off
    assert first_touch(0.0, 0.5) == 0.0


@pytest.mark.parametrize("nr", [1, 2, 3, 4, 5, 6, 7])
@settings(deadline=None)
@given(x=WINDOWS)
def test_numbers_of_touches_follow_the_poisson_law(nr: int, x: float) -> None:
    rel = 1e-13 if nr <= 3 else 1e-11
    assert at_least(x, nr) == pytest.approx(special.gammainc(nr, x), rel=rel, abs=1e-300)


@pytest.mark.parametrize(
    ("x", "p"), [(0.5, 0.090204), (1, 0.264241), (2, 0.593994), (4, 0.908422), (8, 0.996981)]
)
def test_o4_two_touches_in_a_window(x: float, p: float) -> None:
    assert two_touches(x) == pytest.approx(p, abs=5e-7)
    assert two_touches(x) == pytest.approx(1 - math.exp(-x) * (1 + x), rel=1e-13)


def test_two_touches_of_short_windows_keep_all_digits() -> None:
    """x**2 / 2 - x**3 / 3 where the formula itself would cancel to nothing."""
    for x in (1e-5, 1e-7, 1e-9):
        assert two_touches(x) == pytest.approx(x * x / 2 - x**3 / 3 + x**4 / 8, rel=1e-13, abs=0)
    assert 1 - math.exp(-1e-9) * (1 + 1e-9) == 0.0


@settings(deadline=None)
@given(st.floats(1e-9, 40.0), st.floats(0.0, 1.0))
def test_a_second_touch_comes_in_what_is_left(x: float, part: float) -> None:
    y = part * x
    assert second_touch(x, y) == pytest.approx(-math.expm1(y - x), rel=1e-13, abs=0)
    assert second_touch(x, x) == 0.0


@settings(deadline=None)
@given(st.floats(1e-3, 3.0))
def test_first_and_second_touch_make_two(x: float) -> None:
    """P(N >= 2) is the mean of P(another after y) over the law of y: by quadrature over u."""
    nodes, weights = special.roots_legendre(64)
    u = (nodes + 1) / 2
    another = [second_touch(x, first_touch(x, one)) for one in u]
    both = at_least(x, 1) * float(np.dot(weights / 2, another))
    assert both == pytest.approx(two_touches(x), rel=1e-6)


def test_the_bits_are_those_of_every_other_machine() -> None:
    """Golden words, compiled or not: they may change only with the model."""
    drawn = [first_touch(x / 8, u) for x in range(1, 80) for u in uniforms(1, 16)]
    twice = [two_touches(x / 16) for x in range(1, 200)]
    words = [np.bitwise_xor.reduce(np.array(values).view(np.uint64)) for values in (drawn, twice)]
    assert [hex(int(word)) for word in words] == ["0x60fa6fb553fb48", "0x3fb80c97292e0588"]


def uniforms(stream: int, nr: int) -> list[float]:
    return [uniform_of(stream_key(7), stream, i) for i in range(nr)]


@pytest.mark.parametrize("x", [0.1, 1.0, 5.0])
def test_first_touches_of_keyed_numbers_are_truncated_exponential(x: float) -> None:
    drawn = [first_touch(x, u) for u in uniforms(1, 4000)]
    assert stats.kstest(drawn, stats.truncexpon(b=x).cdf).pvalue > P_THRESHOLD


def test_the_law_of_the_first_touch_can_be_told_from_an_even_one() -> None:
    """Negative control: half a wrong law, a touch anywhere in the window alike."""
    drawn = [1.0 * u for u in uniforms(1, 4000)]
    assert stats.kstest(drawn, stats.truncexpon(b=1.0).cdf).pvalue < P_THRESHOLD


def test_uniform_numbers_are_never_0_and_may_be_1() -> None:
    assert uniform(np.uint64(0)) == 2.0**-53
    assert uniform(np.uint64(2**64 - 1)) == 1.0


def test_streams_of_one_key_are_unrelated() -> None:
    first, second = uniforms(1, 4000), uniforms(2, 4000)
    assert stats.kstest(first, "uniform").pvalue > P_THRESHOLD
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / math.sqrt(4000)
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 5 / math.sqrt(4000)


def test_touches_one_by_one_are_a_poisson_process() -> None:
    """Each next touch is a first touch of what is left: their number has the Poisson law."""
    x, runs = 2.5, 3000
    counts = np.zeros(runs, np.int64)
    for run in range(runs):
        key, left, step = stream_key(3, run), x, 0
        while uniform_of(key, 1, step) <= at_least(left, 1):
            left -= first_touch(left, uniform_of(key, 2, step))
            step += 1
        counts[run] = step
    seen = np.bincount(np.minimum(counts, 8), minlength=9)
    law = [*stats.poisson.pmf(range(8), x), stats.poisson.sf(7, x)]
    assert stats.chisquare(seen, np.array(law) * runs).pvalue > P_THRESHOLD
    wrong = [*stats.poisson.pmf(range(8), 1.1 * x), stats.poisson.sf(7, 1.1 * x)]
    assert stats.chisquare(seen, np.array(wrong) * runs).pvalue < P_THRESHOLD
