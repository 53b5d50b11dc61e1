"""Work times of first touches: the inverse of what the touch clock integrates."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.engine.machines import flat_rates, phased_rates, rates_of_rows
from tiering.engine.first_touch import expected, time_of
from tiering.engine.poisson import first_touch
from tiering.engine.random import stream_key, uniform_of
from tiering.engine.touch import Rates

P_THRESHOLD = 1e-4
EPS = float(np.finfo(np.float64).eps)
ENDLESS = 1e300
PHASES = st.lists(
    st.tuples(st.floats(0.01, 5.0) | st.just(0.0), st.floats(0.5, 50.0)), min_size=1, max_size=6
)


def rests() -> Rates:
    """Laps of 35 accesses and 0.7 touches, of which none come in (10, 15]."""
    return phased_rates([0.01, 0.0, 0.03], [10.0, 5.0, 20.0])


@pytest.mark.parametrize(
    ("y", "tau"),
    [
        (0.02, 7.0),  # in the phase of tau0
        (0.05, 10.0),  # at its very end, and not after the rest that follows
        (0.08, 16.0),
        (0.65, 35.0),  # at the end of the lap
        (0.67, 37.0),
        (0.70, 40.0),  # a whole lap
        (0.65 + 5 * 0.7, 6 * 35.0),
        (0.65 + 5 * 0.7 + 0.25, 6 * 35.0 + 20.0),
    ],
)
def test_hand_worked_times_over_phases_and_laps(y: float, tau: float) -> None:
    assert time_of(rests(), 0, 0, 5.0, ENDLESS, y) == pytest.approx(tau, rel=1e-14)
    assert expected(rests(), 0, 0, 5.0, tau) == pytest.approx(y, rel=1e-14)


def test_a_static_pattern_is_one_division() -> None:
    assert time_of(flat_rates(0.25), 0, 0, 8.0, ENDLESS, 3.0) == 20.0


def test_a_touch_is_never_later_than_the_window() -> None:
    assert time_of(flat_rates(0.25), 0, 0, 8.0, 19.0, 3.0) == 19.0
    assert time_of(rests(), 0, 0, 0.0, 12.0, 99.0) == 12.0


def test_a_folio_that_nobody_touches_waits_until_the_end() -> None:
    assert time_of(flat_rates(0.0), 0, 0, 8.0, 30.0, 1e-9) == 30.0
    assert time_of(phased_rates([0.0, 0.0], [1.0, 2.0]), 0, 0, 8.0, 30.0, 1e-9) == 30.0


def test_a_last_phase_without_end_is_waited_for() -> None:
    """A folio of the second step of a growing set: 0, then 0.1, then 0.05 for ever."""
    rates = phased_rates([0.0, 0.1, 0.05], [10.0, 10.0, np.inf])
    assert time_of(rates, 0, 0, 2.0, ENDLESS, 0.5) == pytest.approx(15.0)
    assert time_of(rates, 0, 0, 2.0, ENDLESS, 1.5) == pytest.approx(30.0)
    assert time_of(rates, 0, 0, 40.0, ENDLESS, 0.5) == pytest.approx(50.0)
    assert expected(rates, 0, 0, 2.0, 30.0) == pytest.approx(1.5)
    fades = phased_rates([0.1, 0.0], [10.0, np.inf])
    assert time_of(fades, 0, 0, 2.0, 99.0, 0.9) == 99.0


def test_each_row_has_times_of_its_own() -> None:
    rates = rates_of_rows([[0.01, 0.0], [0.0, 0.02]], [10.0, 10.0])
    assert time_of(rates, 0, 0, 0.0, ENDLESS, 0.1) == pytest.approx(10.0)
    assert time_of(rates, 0, 1, 0.0, ENDLESS, 0.1) == pytest.approx(15.0)
    assert time_of(rates, 0, 0, 0.0, ENDLESS, 0.15) == pytest.approx(25.0)


@settings(deadline=None)  # the first call compiles
@given(PHASES, st.floats(0.0, 500.0), st.floats(1e-6, 1e3))
def test_the_time_inverts_what_is_expected(
    phases: list[tuple[float, float]], tau0: float, y: float
) -> None:
    share, accesses = map(list, zip(*phases, strict=True))
    rates = phased_rates(share, accesses)
    tau = time_of(rates, 0, 0, tau0, ENDLESS, y)
    if max(share) == 0.0:
        assert tau == ENDLESS
        return
    assert tau > tau0
    slack = 8 * EPS * max(share) * tau  # a work time is no more exact than its last bit
    assert expected(rates, 0, 0, tau0, tau) == pytest.approx(y, rel=1e-12, abs=slack)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.1, 5.0), st.floats(0.5, 50.0)), min_size=1, max_size=6),
    st.floats(0.0, 500.0),
    st.floats(1e-6, 1e3),
)
def test_phases_and_laps_agree_with_going_through_them_one_by_one(
    phases: list[tuple[float, float]], tau0: float, y: float
) -> None:
    share, accesses = map(list, zip(*phases, strict=True))
    begin, tau, left = 0.0, tau0, y
    for k in itertools.cycle(range(len(phases))):
        end = begin + accesses[k]
        if end > tau:
            if share[k] * (end - tau) >= left:
                break
            left -= share[k] * (end - tau)
            tau = end
        begin = end
    found = time_of(phased_rates(share, accesses), 0, 0, tau0, ENDLESS, y)
    assert found == pytest.approx(tau + left / share[k], rel=1e-9)


def test_first_touches_over_phases_have_the_law_of_what_is_expected() -> None:
    """P(first touch by tau | one in the window) = (1 - exp(-x(tau))) / (1 - exp(-x))."""
    rates, tau0, tau1 = phased_rates([0.01, 0.0, 0.04], [20.0, 10.0, 20.0]), 5.0, 130.0
    x = expected(rates, 0, 0, tau0, tau1)
    drawn = [
        time_of(rates, 0, 0, tau0, tau1, first_touch(x, uniform_of(stream_key(5), 1, i)))
        for i in range(3000)
    ]

    def law(tau: np.ndarray) -> np.ndarray:
        so_far = [expected(rates, 0, 0, tau0, float(one)) for one in tau]
        return np.asarray(np.expm1(-np.array(so_far)) / math.expm1(-x))

    assert stats.kstest(drawn, law).pvalue > P_THRESHOLD
    steady = stats.truncexpon(b=x, loc=tau0, scale=(tau1 - tau0) / x).cdf
    assert stats.kstest(drawn, steady).pvalue < P_THRESHOLD  # the phases can be told
