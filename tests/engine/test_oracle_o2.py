"""Oracle O2: how many pages a first scan finds touched (test_touch.py: the mean of a flat law).

The engine's touches are Poisson in work time, so what differs between folios is independent; a
trace has exactly so many accesses, so its variance is that of occupancy.
"""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.engine.machines import Layout, laid_out, rates_of_rows
from tiering.engine.folios import GRANULE, YOUNG
from tiering.engine.irm import alias_table, draw, zipf_law
from tiering.engine.random import stream_key
from tiering.engine.touch import scratch
from tiering.sources.pte_walk import walk_granule
from tiering.workloads.zipf import Zipf, build

P_THRESHOLD = 1e-4
NR_PAGES, RUNS = 1000, 2000


def distinct(law: NDArray[np.float64], accesses: int) -> NDArray[np.int64]:
    """i64[RUNS] pages of a trace that were touched at all."""
    table, trace = alias_table(law), np.empty(accesses, np.uint32)
    found = np.empty(RUNS, np.int64)
    for run in range(RUNS):
        draw(table, stream_key(2, run), 0, trace)
        found[run] = np.unique(trace).size
    return found


def occupancy(pages: int, accesses: int) -> tuple[float, float]:
    """(mean, variance) of the pages touched by uniform accesses."""
    once, twice = (1 - 1 / pages) ** accesses, (1 - 2 / pages) ** accesses
    variance = pages * once + pages * (pages - 1) * twice - (pages * once) ** 2
    return pages * (1 - once), variance


def test_the_variance_of_two_accesses_by_hand() -> None:
    """Both on one of two pages or not: 1 or 2 pages, each with probability a half."""
    assert occupancy(2, 2) == pytest.approx((1.5, 0.25))


@pytest.mark.compiled  # 4 million draws
@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_o2_touched_pages_of_a_trace_have_the_mean_and_variance_of_occupancy(ratio: float) -> None:
    found = distinct(np.full(NR_PAGES, 1 / NR_PAGES), round(ratio * NR_PAGES))
    mean, variance = occupancy(NR_PAGES, round(ratio * NR_PAGES))
    assert stats.ttest_1samp(found, mean).pvalue > P_THRESHOLD
    squares = (found - mean) ** 2
    assert stats.ttest_1samp(squares, variance).pvalue > P_THRESHOLD
    p = mean / NR_PAGES  # negative control: pages that know nothing of each other
    assert stats.ttest_1samp(squares, NR_PAGES * p * (1 - p)).pvalue < P_THRESHOLD


@pytest.mark.compiled
def test_o2_touched_pages_of_a_skewed_trace_are_the_sum_over_their_probabilities() -> None:
    law, accesses = zipf_law(NR_PAGES, 0.9), 2000
    exact = float((1 - (1 - law) ** accesses).sum())
    assert exact == pytest.approx(float(-np.expm1(-accesses * law).sum()), rel=1e-3)
    found = distinct(law, accesses)
    assert stats.ttest_1samp(found, exact).pvalue > P_THRESHOLD
    assert stats.ttest_1samp(found, 1.01 * exact).pvalue < P_THRESHOLD


@pytest.mark.compiled
@pytest.mark.parametrize("accesses", [1000.0, 20_000.0])
def test_o2_a_first_scan_of_a_zipf_vma_reports_the_sum_over_its_folios(accesses: float) -> None:
    """sum of 1 - exp(-n p_i): the expected length of a list of what was seen once."""
    region = build(Zipf(), GRANULE, 3)
    memory = laid_out([Layout(GRANULE)], [1 << 30, 1 << 30])
    rates, buffers = rates_of_rows(region.share.tolist(), [math.inf]), scratch()
    memory.folio[:GRANULE] |= region.classes.astype(np.uint32)
    memory.rows[:] = region.share.shape[1]
    p = -np.expm1(-accesses * region.share[0, region.classes])
    out = np.zeros(2 * GRANULE, np.uint32)
    seen = 0
    for scan in range(11):
        memory.folio[:] &= np.uint32(~YOUNG & 0xFFFFFFFF)
        n = int(walk_granule(memory, rates, buffers, 0, scan * accesses, out, 0))
        seen += n if scan else 0  # what is new is reported, touched or not
    sigma = math.sqrt(10 * float((p * (1 - p)).sum()))
    off = [abs(seen - factor * 10 * p.sum()) / sigma for factor in (1.0, 1.1)]
    assert 2 * stats.norm.sf(off[0]) > P_THRESHOLD > 2 * stats.norm.sf(off[1])
