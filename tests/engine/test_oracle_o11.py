"""Oracle O11: a source that samples one access in k sees a thinned Poisson process."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tiering.engine.irm import irm_trace, zipf_law
from tiering.engine.jit import loop
from tiering.engine.poisson import at_least, first_touch
from tiering.engine.random import GAMMA, mix64, stream_key, uniform_of

P_THRESHOLD = 1e-4
NR_FOLIOS = 20_000
AGAIN, WHERE, TAKEN = 1, 2, 3  # streams of a folio's key


@loop
def sample(key, x, k, out):  # type: ignore[no-untyped-def]
    """out: i64[], samples of each folio in a window of x expected touches, one touch in k taken."""
    for i in range(out.size):
        own = mix64(key + np.uint64(i) * GAMMA)
        left, touch = x, 0
        while uniform_of(own, AGAIN, touch) <= at_least(left, 1):
            left -= first_touch(left, uniform_of(own, WHERE, touch))
            out[i] += 1 if uniform_of(own, TAKEN, touch) * k <= 1.0 else 0
            touch += 1


def sampled(x: float, k: int) -> NDArray[np.int64]:
    out = np.zeros(NR_FOLIOS, np.int64)
    sample(stream_key(11), x, float(k), out)
    return out


@pytest.mark.compiled  # up to a million touches
@pytest.mark.parametrize(("x", "k"), [(0.5, 1), (3.0, 4), (20.0, 16), (50.0, 100)])
def test_o11_a_folio_is_seen_with_the_thinned_probability(x: float, k: int) -> None:
    seen = int((sampled(x, k) > 0).sum())
    assert stats.binomtest(seen, NR_FOLIOS, -math.expm1(-x / k)).pvalue > P_THRESHOLD
    wrong = -math.expm1(-1.1 * x / k)  # negative control: a tenth more accesses sampled
    assert stats.binomtest(seen, NR_FOLIOS, wrong).pvalue < P_THRESHOLD


@pytest.mark.compiled
def test_the_number_of_samples_is_poisson() -> None:
    x, k = 20.0, 8
    counts = np.minimum(sampled(x, k), 9)
    law = [*stats.poisson.pmf(range(9), x / k), stats.poisson.sf(8, x / k)]
    seen = np.bincount(counts, minlength=10)
    assert stats.chisquare(seen, np.array(law) * NR_FOLIOS).pvalue > P_THRESHOLD


@pytest.mark.compiled
@pytest.mark.parametrize("k", [10, 100])
def test_o11_distinct_pages_of_every_kth_access(k: int) -> None:
    """A counter that takes each k-th access of the process sees sum (1 - exp(-L_i W / k)) pages."""
    nr_pages, nr_accesses = 5000, 400_000
    law = zipf_law(nr_pages, 0.9)

    def expected(every: float) -> tuple[float, float]:
        p = -np.expm1(-law * nr_accesses / every)
        return float(p.sum()), math.sqrt(float((p * (1 - p)).sum()))  # sigma: no less than exact

    seen = np.unique(irm_trace(law, nr_accesses, 11)[k - 1 :: k]).size
    mean, sigma = expected(k)
    assert abs(seen - mean) < 3.9 * sigma
    assert abs(seen - expected(0.8 * k)[0]) > 3.9 * sigma
