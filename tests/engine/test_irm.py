import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from tiering.engine.irm import BLOCK, alias_table, draw, irm_trace, scaled, zipf_law
from tiering.engine.random import stream_key

P_THRESHOLD = 1e-4
CELL = 2**32


def masses(table: NDArray[np.uint64]) -> list[int]:
    """What each page gets from all cells together, in units of 1 / (2**32 N)."""
    mass = [0] * table.size
    for page, cell in enumerate(table.tolist()):
        mass[page] += cell // CELL
        mass[cell % CELL] += CELL - cell // CELL
    return mass


def test_the_law_of_zipf_by_hand() -> None:
    assert zipf_law(3, 1.0) == pytest.approx([6 / 11, 3 / 11, 2 / 11], abs=1e-15)
    assert zipf_law(4, 0.0).tolist() == [0.25] * 4


def test_the_table_of_two_pages_by_hand() -> None:
    # Page 1 fills its own cell half; the rest of it is page 0, like the whole first cell.
    assert alias_table(np.array([0.75, 0.25])).tolist() == [0, CELL // 2 * CELL]


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=40).filter(any))
def test_the_table_represents_the_law_to_half_a_unit(parts: list[int]) -> None:
    law = np.array(parts) / sum(parts)
    mass = masses(alias_table(law))
    assert sum(mass) == CELL * law.size
    hottest = int(np.argmax(law))
    for page, p in enumerate(law.tolist()):
        rest = law.size if page == hottest else 1
        assert abs(mass[page] - p * CELL * law.size) <= 0.5 * rest + 1e-3


@given(st.integers(0, 2**64 - 1), st.integers(1, 2**32 - 1))
def test_scaling_loses_no_bits(bits: int, nr: int) -> None:
    assert int(scaled(np.uint64(bits), np.uint64(nr))) == bits * nr >> 32


def test_an_impossible_page_is_never_drawn() -> None:
    trace = irm_trace(np.array([0.0, 0.5, 0.0, 0.5]), 2000, 1)
    assert set(trace.tolist()) == {1, 3}


def test_a_trace_is_the_same_in_pieces_of_any_size() -> None:
    table, key = alias_table(zipf_law(50, 1.0)), stream_key(9)
    whole = np.empty(2 * BLOCK + 7, np.uint32)
    draw(table, key, 0, whole)
    for first, end in [(0, 1), (1, BLOCK), (BLOCK, 2 * BLOCK + 7), (2000, 2002)]:
        piece = np.empty(end - first, np.uint32)
        draw(table, key, first, piece)
        assert np.array_equal(piece, whole[first:end])


def test_every_key_names_a_stream_of_its_own() -> None:
    law = zipf_law(5000, 0.0)
    streams = {irm_trace(law, 100, *key).tobytes() for key in [(1,), (2,), (1, 0), (1, 1)]}
    assert len(streams) == 4
    assert np.array_equal(irm_trace(law, 100, 1, 1), irm_trace(law, 100, 1, 1))


def test_the_bits_of_a_trace_are_the_same_on_any_cpu_compiled_or_not() -> None:
    """A golden hash: it may change only with the model, and then the version must."""
    trace = irm_trace(zipf_law(1000, 0.99), 3000, 42)
    assert hashlib.sha256(trace.tobytes()).hexdigest()[:16] == "0fe2c5fc4d34f144"


def p_value(drawn: NDArray[np.float64], believed: NDArray[np.float64]) -> float:
    """Chi-squared of a trace of 5 M accesses drawn by one law and tested against another."""
    trace = irm_trace(drawn, 5_000_000, 3)
    counts = np.bincount(trace, minlength=believed.size)
    return float(stats.chisquare(counts, believed * trace.size, sum_check=False).pvalue)


@pytest.mark.compiled  # 5 M draws
@pytest.mark.parametrize("exponent", [0.0, 0.6, 0.99, 1.2])
def test_pages_are_drawn_by_the_law(exponent: float) -> None:
    law = zipf_law(5000, exponent)
    assert p_value(law, law) > P_THRESHOLD


@pytest.mark.compiled
def test_the_test_of_the_law_rejects_an_exponent_off_by_a_two_hundredth() -> None:
    assert p_value(zipf_law(5000, 0.995), zipf_law(5000, 0.99)) < P_THRESHOLD


@pytest.mark.compiled
def test_an_access_knows_nothing_of_the_ones_before_it() -> None:
    law = zipf_law(12, 0.7)
    trace = irm_trace(law, 2_000_000, 8).astype(np.int64)
    for lag in (1, 2, BLOCK):
        pairs = np.bincount(trace[:-lag] * 12 + trace[lag:], minlength=144)
        expected = np.outer(law, law).ravel() * pairs.sum()
        assert stats.chisquare(pairs, expected, sum_check=False).pvalue > P_THRESHOLD


NR_COUPONS, RUNS = 1000, 400


def collected(law: NDArray[np.float64]) -> NDArray[np.int64]:
    """i64[RUNS] accesses until every page was touched; 40 N always suffice."""
    table = alias_table(law)
    trace = np.empty(40 * law.size, np.uint32)
    needed = np.empty(RUNS, np.int64)
    for run in range(RUNS):
        draw(table, stream_key(5, run), 0, trace)
        pages, first = np.unique(trace, return_index=True)
        assert pages.size == law.size
        needed[run] = first.max() + 1
    return needed


def coupon_p_value(needed: NDArray[np.int64]) -> float:
    """z-test against the mean N H_N and the exact variance: sum of (1 - q) / q**2, q = k / N."""
    q = np.arange(1, NR_COUPONS + 1) / NR_COUPONS
    sigma = math.sqrt(float(((1 - q) / q**2).sum()) / RUNS)
    z = (needed.mean() - (1 / q).sum()) / sigma
    return float(2 * stats.norm.sf(abs(z)))


@pytest.mark.parametrize(
    ("pages", "harmonic"), [(2_097_152, 15.1333), (8_388_608, 16.5196)], ids=["8 GiB", "32 GiB"]
)
def test_o3_every_page_of_a_buffer_takes_some_sixteen_accesses(pages: int, harmonic: float) -> None:
    exact = float((1 / np.arange(pages, 0, -1)).sum())
    assert exact == pytest.approx(harmonic, abs=5e-5)
    assert exact == pytest.approx(math.log(pages) + 0.577216 + 1 / (2 * pages), abs=1e-6)
    if pages == 2_097_152:
        assert round(pages * exact) == pytest.approx(31_736_844, abs=1)


@pytest.mark.compiled  # 16 M draws
def test_o3_all_pages_are_touched_after_n_h_n_accesses() -> None:
    needed = collected(np.full(NR_COUPONS, 1 / NR_COUPONS))
    assert coupon_p_value(needed) > P_THRESHOLD
    for c in (-0.5, 0.0, 1.0):  # Erdos, Renyi 1961
        within = int((needed <= NR_COUPONS * (math.log(NR_COUPONS) + c)).sum())
        limit = math.exp(-math.exp(-c))
        assert stats.binomtest(within, RUNS, limit).pvalue > P_THRESHOLD


@pytest.mark.compiled
def test_o3_rejects_a_sampler_that_is_shy_of_a_twentieth_of_the_pages() -> None:
    law = np.full(NR_COUPONS, 1.0)
    law[::20] = 0.5
    assert coupon_p_value(collected(law / law.sum())) < P_THRESHOLD


@pytest.mark.parametrize(
    ("law", "words"),
    [
        (np.array([]), "law of 0 pages: 1 to 1073741824 are possible"),
        (np.array([0.5, 0.4]), "law: probabilities from 0.4 with sum 0.9"),
        (np.array([1.5, -0.5]), "law: probabilities from -0.5 with sum 1.0"),
        (np.array([0.5, np.nan]), "law: probabilities from nan with sum nan"),
    ],
)
def test_what_is_no_law_is_refused(law: NDArray[np.float64], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        alias_table(law)
