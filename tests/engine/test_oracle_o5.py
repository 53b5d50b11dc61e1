"""Oracle O5: when a hint fault promotes, from the first touches of the touch clock.

A folio with L touches a second gets a mark every P seconds, at a uniform phase; while it is marked
another mark changes nothing. Its first touch faults and takes the mark away; it promotes if the
fault came within th of the mark.
"""

import math
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.engine.machines import flat_rates
from tiering.engine.first_touch import expected, time_of
from tiering.engine.jit import loop
from tiering.engine.poisson import at_least, first_touch
from tiering.engine.random import GAMMA, mix64, stream_key, uniform_of

P_THRESHOLD = 1e-4
NR_FOLIOS = 20_000
WHEN, TOUCHED, WHERE = 1, 2, 3  # streams of a folio's key
TABLE = [  # touches a second, th, P; success of a mark, periods burnt before it, seconds
    (1.0, 1.0, 10.0, 0.632121, 0.58205, 11.2385),
    (0.2, 1.0, 10.0, 0.181269, 5.38011, 59.2844),
    (0.05, 1.0, 10.0, 0.048771, 51.11122, 516.608),
    (2.0, 0.5, 5.0, 0.632121, 0.58205, 5.6193),
    (0.02, 1.0, 60.0, 0.019801, 71.26853, 4306.61),
]


class Promoted(NamedTuple):
    """Of every folio: f64 seconds, i64 periods before the mark that succeeded, i64 marks set."""

    seconds: NDArray[np.float64]
    burnt: NDArray[np.int64]
    marks: NDArray[np.int64]


@loop
def promote(rates, key, threshold, period, even, out):  # type: ignore[no-untyped-def]
    """Work time is in seconds. even: the wrong law, a fault anywhere between two marks alike."""
    for i in range(out.seconds.size):
        own = mix64(key + np.uint64(i) * GAMMA)
        phase = period * uniform_of(own, WHEN, 0)
        step, marked = 0, -1.0
        while out.seconds[i] < 0.0:
            begin = phase + step * period
            if marked < 0.0:
                marked = begin
                out.burnt[i] = step
                out.marks[i] += 1
            x = expected(rates, 0, 0, begin, begin + period)
            if uniform_of(own, TOUCHED, step) <= at_least(x, 1):
                u = uniform_of(own, WHERE, step)
                y = u * x if even else first_touch(x, u)
                fault = time_of(rates, 0, 0, begin, begin + period, y)
                if fault - marked < threshold:
                    out.seconds[i] = fault
                marked = -1.0
            step += 1


def promoted(touches_s: float, th: float, period: float, even: bool = False) -> Promoted:
    out = Promoted(
        np.full(NR_FOLIOS, -1.0), np.zeros(NR_FOLIOS, np.int64), np.zeros(NR_FOLIOS, np.int64)
    )
    promote(flat_rates(touches_s), stream_key(5), th, period, even, out)
    return out


def p_value(sample: NDArray[np.float64] | NDArray[np.int64], mean: float) -> float:
    """Of the sample's mean being that one."""
    return float(stats.ttest_1samp(sample, mean).pvalue)


def oracle(touches_s: float, th: float, period: float) -> tuple[float, float, float]:
    """(success of a mark, periods burnt, mean seconds), exact for this model."""
    early, late = math.exp(-touches_s * th), math.exp(-touches_s * period)
    burnt = (early + late / (1 - late)) / (1 - early)
    left = 1 / touches_s - th * early / (1 - early)
    return 1 - early, burnt, period / 2 + period * burnt + left


@pytest.mark.parametrize(("touches_s", "th", "period", "success", "burnt", "seconds"), TABLE)
def test_the_formula_gives_the_published_table(
    touches_s: float, th: float, period: float, success: float, burnt: float, seconds: float
) -> None:
    assert oracle(touches_s, th, period) == pytest.approx((success, burnt, seconds), rel=2e-5)


@pytest.mark.compiled  # up to two million windows
@pytest.mark.parametrize(("touches_s", "th", "period"), [row[:3] for row in TABLE])
def test_o5_promotion_at_a_hint_fault(touches_s: float, th: float, period: float) -> None:
    success, burnt, seconds = oracle(touches_s, th, period)
    found = promoted(touches_s, th, period)
    assert p_value(found.seconds, seconds) > P_THRESHOLD
    assert p_value(found.burnt, burnt) > P_THRESHOLD
    test = stats.binomtest(NR_FOLIOS, int(found.marks.sum()), success)
    assert test.pvalue > P_THRESHOLD
    assert found.seconds.std() / math.sqrt(NR_FOLIOS) < 0.01 * seconds  # it could tell a percent


@pytest.mark.compiled
def test_o5_tells_a_wrong_law_of_the_fault() -> None:
    """Negative control: as many touches, but spread evenly over the period."""
    touches_s, th, period = TABLE[0][:3]
    success, _, seconds = oracle(touches_s, th, period)
    found = promoted(touches_s, th, period, even=True)
    assert p_value(found.seconds, seconds) < P_THRESHOLD
    assert stats.binomtest(NR_FOLIOS, int(found.marks.sum()), success).pvalue < P_THRESHOLD


@pytest.mark.compiled
def test_half_of_the_marks_succeed_at_a_rate_of_ln_2_over_th() -> None:
    found = promoted(math.log(2) / 1.0, 1.0, 8.0)
    assert stats.binomtest(NR_FOLIOS, int(found.marks.sum()), 0.5).pvalue > P_THRESHOLD
