"""Oracle O10: DAMON's samples, one page of a region at a time, from the touch clock.

Each sampling interval clears the accessed bit of one page, chosen at random, and looks at its end
whether it is set; nr_accesses of a region is how often it was in the n intervals of an aggregation.
"""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.engine.machines import rates_of_rows
from tiering.engine.first_touch import expected
from tiering.engine.jit import loop
from tiering.engine.poisson import at_least
from tiering.engine.random import GAMMA, mix64, stream_key, uniform_of

P_THRESHOLD = 1e-4
PAGES, SAMPLES, SAMPLE_S = 1024, 20, 0.005
AGGREGATIONS = 20_000
PAGE, TOUCHED = 1, 2  # streams of an aggregation's key


@loop
def aggregate(rates, key, nr_hot, fixed, out):  # type: ignore[no-untyped-def]
    """out: i64[], nr_accesses of one aggregation after another of a region of PAGES pages.

    The first nr_hot of them are row 0, the others row 1. fixed: the wrong way, one page for a whole
    aggregation. Work time is in seconds.
    """
    for a in range(out.size):
        own = mix64(key + np.uint64(a) * GAMMA)
        for k in range(SAMPLES):
            choice = uniform_of(own, PAGE, 0 if fixed else k)
            page = np.int64(np.ceil(choice * PAGES)) - 1
            begin = (a * SAMPLES + k) * SAMPLE_S
            x = expected(rates, 0, 0 if page < nr_hot else 1, begin, begin + SAMPLE_S)
            out[a] += 1 if uniform_of(own, TOUCHED, k) <= at_least(x, 1) else 0


def aggregated(touches_s: float, nr_hot: int, fixed: bool = False) -> NDArray[np.int64]:
    out = np.zeros(AGGREGATIONS, np.int64)
    aggregate(rates_of_rows([[touches_s, 0.0]], [np.inf]), stream_key(10), nr_hot, fixed, out)
    return out


def fits_binomial(counts: NDArray[np.int64], q: float) -> float:
    """p-value of the counts being Binomial(SAMPLES, q), rare ones together."""
    law = stats.binom.pmf(np.arange(SAMPLES + 1), SAMPLES, q) * counts.size
    seen = np.bincount(counts, minlength=SAMPLES + 1)
    last = int(np.flatnonzero(law >= 5)[-1])
    cut = [*seen[:last], seen[last:].sum()], [*law[:last], law[last:].sum()]
    return float(stats.chisquare(*map(np.array, cut)).pvalue)


def test_the_test_value_by_hand() -> None:
    """Half of the pages at 50 touches a second, half idle, 20 samples of 5 ms."""
    q = 0.5 * -math.expm1(-50 * SAMPLE_S)
    assert q == pytest.approx(0.110600, abs=5e-7)
    assert SAMPLES * q == pytest.approx(2.21199, abs=5e-6)
    assert SAMPLES * q * (1 - q) == pytest.approx(1.96735, abs=1e-5)


@pytest.mark.compiled  # 400,000 samples
def test_o10_accesses_of_a_region_are_binomial() -> None:
    counts = aggregated(50.0, PAGES // 2)
    assert stats.ttest_1samp(counts, 2.21199).pvalue > P_THRESHOLD
    assert stats.ttest_1samp((counts - 2.21199) ** 2, 1.96735).pvalue > P_THRESHOLD
    assert fits_binomial(counts, 0.110600) > P_THRESHOLD


@pytest.mark.compiled
def test_o10_tells_samples_that_are_not_independent() -> None:
    """Negative control: the mean is the same, but a page that is kept is hot or it is not."""
    counts = aggregated(50.0, PAGES // 2, fixed=True)
    assert stats.ttest_1samp((counts - 2.21199) ** 2, 1.96735).pvalue < P_THRESHOLD
    assert fits_binomial(counts, 0.110600) < P_THRESHOLD


@pytest.mark.compiled
def test_a_few_hot_pages_are_missed_by_a_whole_aggregation() -> None:
    """h of m pages that are always touched are missed with probability (1 - h / m)**n."""
    nr_hot = PAGES // 16
    missed = int((aggregated(1e9, nr_hot) == 0).sum())
    p = (1 - nr_hot / PAGES) ** SAMPLES
    assert stats.binomtest(missed, AGGREGATIONS, p).pvalue > P_THRESHOLD
