import hashlib
import itertools
import math

import numpy as np
import pytest
from scipy import stats

from tests.engine.machines import flat_memory, flat_rates, phased_rates
from tiering.engine.folios import ACCESSED
from tiering.engine.touch import (
    BLOCK,
    next_border,
    phase_of,
    scratch,
    set_thresholds,
    touch_probability,
)
from tiering.sources.pte_walk import walk_granule

P_THRESHOLD = 1e-4


@pytest.mark.parametrize("x", [0.0, 1e-12, 1e-6, 0.01, 0.5, 1.0, 5.0, 20.0, 39.0])
def test_touch_probability_is_one_minus_exp(x: float) -> None:
    assert touch_probability(x) == pytest.approx(-math.expm1(-x), rel=1e-12, abs=0)


def test_touch_probability_of_a_long_window_is_one() -> None:
    assert touch_probability(1e9) == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize(
    ("tau", "phase", "into"), [(0.0, 0, 0.0), (9.5, 0, 9.5), (10.0, 1, 0.0), (1e6, 1, 999_990.0)]
)
def test_an_endless_last_phase_is_entered_and_never_left(
    tau: float, phase: int, into: float
) -> None:
    """10 accesses of one touch in two, then one in four for ever."""
    rates, buffers = phased_rates([0.5, 0.25], [10.0, math.inf]), scratch()
    rates.lap_touches[:] = 5.0  # as the tables have it: of the phases that end
    assert phase_of(rates, 0, tau) == (0.0, phase, into)
    set_thresholds(rates, buffers, 0, 0, 1, 8.0, 12.0)
    assert buffers.threshold[0] / 2**32 == pytest.approx(-math.expm1(-1.5), abs=1e-9)
    assert next_border(rates, np.array([2.0]), np.array([4.0]), np.array([np.inf])) == 2.0
    assert next_border(rates, np.array([tau + 10]), np.ones(1), np.array([np.inf])) == np.inf


def touched_counts(nr: int, share: float, windows: list[float], seed: int) -> list[int]:
    """Folios found touched in each window; the young flag is wiped between looks."""
    memory, rates, buffers = flat_memory(nr, seed=seed), flat_rates(share), scratch()
    out = np.zeros(nr + 8192, np.uint32)
    counts, tau = [], 0.0
    walk_granule(memory, rates, buffers, 0, 0.0, out, 0)  # the first look reports all: not counted
    for window in windows:
        memory.folio[:] &= np.uint32(~0x8000 & 0xFFFFFFFF)
        tau += window
        counts.append(int(walk_granule(memory, rates, buffers, 0, tau, out, 0)))
    return counts


@pytest.mark.parametrize(("lt", "p"), [(0.1, 0.095163), (1.0, 0.632121), (5.0, 0.993262)])
def test_o1_accessed_bits_are_set_with_the_exact_probability(lt: float, p: float) -> None:
    nr, looks = 8192, 20
    total = sum(touched_counts(nr, 1.0, [lt] * looks, seed=3))
    test = stats.binomtest(total, nr * looks, -math.expm1(-lt))
    assert -math.expm1(-lt) == pytest.approx(p, abs=5e-7)
    assert test.pvalue > P_THRESHOLD


def test_o1_has_power_to_reject_a_wrong_rate() -> None:
    total = sum(touched_counts(8192, 1.02, [1.0] * 40, seed=3))
    assert stats.binomtest(total, 8192 * 40, 0.632121).pvalue < P_THRESHOLD


def test_o1_scans_are_independent_of_each_other() -> None:
    memory, rates, buffers = flat_memory(8192), flat_rates(1.0), scratch()
    out = np.zeros(16384, np.uint32)
    seen = []
    for look in range(9):
        memory.folio[:] &= np.uint32(~0x8000 & 0xFFFFFFFF)
        n = walk_granule(memory, rates, buffers, 0, 0.7 * look, out, 0)
        seen.append(np.isin(np.arange(8192), out[:n]))
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in itertools.pairwise(seen[1:])]
    assert max(map(abs, correlations)) < 5 / math.sqrt(8192)


@pytest.mark.parametrize(
    ("ratio", "fraction"),
    [(0.5, 0.393469), (1, 0.632121), (2, 0.864665), (3, 0.950213), (5, 0.993262)],
)
def test_o2_first_scan_covers_the_expected_fraction(ratio: float, fraction: float) -> None:
    nr, seeds = 8192, 10
    counts = [touched_counts(nr, 1.0 / nr, [ratio * nr], seed=s)[0] for s in range(seeds)]
    sigma = math.sqrt(fraction * (1 - fraction) / (nr * seeds))
    assert np.mean(counts) / nr == pytest.approx(fraction, abs=4 * sigma + 5e-7)


def test_two_half_windows_find_as_much_as_one_whole() -> None:
    """Latching: what was drawn stays in the accessed bit until it is cleared."""
    halves = touched_counts(8192, 1.0, [0.5, 0.5] * 20, seed=5)
    p = -math.expm1(-0.5)
    assert stats.binomtest(sum(halves), 8192 * 40, p).pvalue > P_THRESHOLD


def test_a_look_at_a_top_tier_folio_latches_without_clearing() -> None:
    memory, rates, buffers = flat_memory(8192, nid=0), flat_rates(1.0), scratch()
    out = np.zeros(16384, np.uint32)
    for tau in (0.5, 1.0):
        assert walk_granule(memory, rates, buffers, 0, tau, out, 0) == 0
    latched = int((memory.folio[:8192] & np.uint32(ACCESSED) != 0).sum())
    assert stats.binomtest(latched, 8192, -math.expm1(-1.0)).pvalue > P_THRESHOLD


def test_nothing_is_touched_in_an_empty_window() -> None:
    assert touched_counts(8192, 1.0, [0.0, 0.0], seed=1) == [0, 0]


def test_seeds_give_unrelated_streams() -> None:
    counts = [touched_counts(2048, 1.0, [0.7], seed=s)[0] for s in range(200)]
    assert np.var(counts) == pytest.approx(2048 * 0.5034 * 0.4966, rel=0.4)
    assert len(set(counts)) > 50


@pytest.mark.compiled  # 3 million draws: plain Python takes half a minute
def test_ties_are_decided_by_the_lower_half() -> None:
    """With the upper halves equal, exactly the lower 16 bits of the probability decide."""
    p = 0x8000_4000 / 2**32
    share = -math.log1p(-p)
    total = sum(touched_counts(8192, share, [1.0] * 400, seed=9))
    assert stats.binomtest(total, 8192 * 400, p).pvalue > P_THRESHOLD


def test_phases_repeat_after_a_lap() -> None:
    rates = phased_rates([1.0, 3.0], [10.0, 20.0])
    assert phase_of(rates, 0, 5.0) == (0.0, 0, 5.0)
    assert phase_of(rates, 0, 10.0) == (0.0, 1, 0.0)
    assert phase_of(rates, 0, 65.0) == (2.0, 0, 5.0)


def test_a_last_phase_that_never_ends_is_never_left() -> None:
    rates, buffers = phased_rates([0.03, 0.01], [10.0, np.inf]), scratch()
    assert phase_of(rates, 0, 4.0) == (0.0, 0, 4.0)
    assert phase_of(rates, 0, 1e6) == (0.0, 1, 1e6 - 10.0)
    set_thresholds(rates, buffers, 0, 0, 1, 5.0, 20.0)
    assert buffers.threshold[0] / 2**32 == pytest.approx(-math.expm1(-0.25), abs=1e-9)


@pytest.mark.parametrize(
    ("tau0", "tau1", "expected"),
    [(0.0, 10.0, 0.1), (5.0, 15.0, 0.2), (12.0, 18.0, 0.18), (25.0, 35.0, 0.2), (0.0, 90.0, 2.1)],
)
def test_touches_are_summed_over_the_phases_in_between(
    tau0: float, tau1: float, expected: float
) -> None:
    rates, buffers = phased_rates([0.01, 0.03], [10.0, 20.0]), scratch()
    set_thresholds(rates, buffers, 0, 0, 1, tau0, tau1)
    p = buffers.threshold[0] / 2**32
    assert p == pytest.approx(-math.expm1(-expected), abs=1e-9)


def test_the_next_border_is_the_end_of_phase_or_of_work() -> None:
    rates = phased_rates([1.0, 1.0], [10.0, 20.0])
    tau, speed = np.array([4.0]), np.array([2.0])
    assert next_border(rates, tau, speed, np.array([np.inf])) == 3.0
    assert next_border(rates, tau, speed, np.array([6.0])) == 1.0
    assert next_border(rates, np.array([29.0]), speed, np.array([np.inf])) == 0.5
    assert next_border(rates, tau, np.array([0.0]), np.array([6.0])) == math.inf


def test_a_short_granule_draws_like_a_long_one() -> None:
    long = flat_memory(8192)
    short = flat_memory(100)
    out = np.zeros(16384, np.uint32)
    for memory in (long, short):
        walk_granule(memory, flat_rates(1.0), scratch(), 0, 0.7, out, 0)
    assert np.array_equal(long.folio[:100], short.folio[:100])
    assert BLOCK < 8192


def test_the_bits_of_a_walk_are_the_same_on_any_cpu_compiled_or_not() -> None:
    """A golden hash: it may change only with the model, and then the version must."""
    memory, rates, buffers = (
        flat_memory(9000, seed=42),
        phased_rates([0.7, 0.1], [1.0, 2.0]),
        scratch(),
    )
    digest = hashlib.sha256()
    out = np.zeros(16384, np.uint32)
    for tau in (0.3, 0.9, 4.2):
        for granule in (0, 1):
            n = walk_granule(memory, rates, buffers, granule, tau, out, 0)
            digest.update(out[:n].tobytes() + memory.folio.tobytes())
    assert digest.hexdigest()[:16] == "221a44eff7f246b2"
