"""Oracle O1: when a scan sees an access, and how many scans that takes (test_touch.py: how often).

A folio gets L touches a second, a scan clears its accessed bit every T; time is work time.
"""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.engine.machines import Layout, flat_memory, flat_rates, laid_out, row_rates
from tiering.engine.folios import GRANULE, YOUNG
from tiering.engine.poisson import at_least, first_touch
from tiering.engine.random import stream_key, uniform_of
from tiering.engine.sweep import sweep_block, sweep_table
from tiering.engine.touch import scratch
from tiering.sources.pte_walk import walk_granule

P_THRESHOLD = 1e-4
TABLE = [  # L T; probability of a set bit; mean delay / T; scans to 1, 2 and 3 hits in a row
    (0.1, 0.095163, 0.508332, (10.50833, 120.93337, 1281.31635)),
    (1.0, 0.632121, 0.581977, (1.58198, 4.08463, 8.04376)),
    (5.0, 0.993262, 0.806784, (1.00678, 2.02040, 3.04089)),
]
SEEN, WHERE = 1, 2  # streams of a window's key
NR_WINDOWS = 20_000
NR_FOLIOS = 4096


def p_value(sample: NDArray[np.float64] | NDArray[np.int64], mean: float) -> float:
    """Of the sample's mean being that one."""
    return float(stats.ttest_1samp(sample, mean).pvalue)


def scans_needed(p: float, hits: int) -> float:
    """Mean number of scans until so many in a row find the bit set."""
    return (1 - p**hits) / (p**hits * (1 - p))


@pytest.mark.parametrize(("lt", "p", "delay", "scans"), TABLE)
def test_the_formulas_give_the_published_table(
    lt: float, p: float, delay: float, scans: tuple[float, ...]
) -> None:
    exact = -math.expm1(-lt)
    assert exact == pytest.approx(p, abs=5e-7)
    assert 1 / exact - 1 / lt == pytest.approx(delay, abs=5e-7)
    needed = [scans_needed(exact, hits) for hits in (1, 2, 3)]
    assert needed == pytest.approx(scans, abs=6e-6)


def delays(lt: float, even: bool = False) -> NDArray[np.float64]:
    """Parts of T from the first touch to the scan, of all windows with a touch.

    even: the wrong law, a touch anywhere in the window alike.
    """
    key, found = stream_key(1), []
    for i in range(NR_WINDOWS):
        if uniform_of(key, SEEN, i) <= at_least(lt, 1):
            u = uniform_of(key, WHERE, i)
            found.append(1.0 - (u if even else first_touch(lt, u) / lt))
    return np.array(found)


@pytest.mark.compiled  # 20,000 windows
@pytest.mark.parametrize(("lt", "delay"), [(row[0], row[2]) for row in TABLE])
def test_o1_the_delay_of_a_scan_has_the_exact_mean(lt: float, delay: float) -> None:
    """T / (1 - exp(-L T)) - 1 / L: half of T for rare touches, all of it for frequent ones."""
    assert p_value(delays(lt), delay) > P_THRESHOLD


@pytest.mark.compiled
@pytest.mark.parametrize("lt", [1.0, 5.0])
def test_o1_the_delay_can_be_told_from_that_of_an_even_law(lt: float) -> None:
    delay = 1 / -math.expm1(-lt) - 1 / lt
    assert p_value(delays(lt, even=True), delay) < P_THRESHOLD


def scans_to(lt: float, hits: int) -> NDArray[np.int64]:
    """i64[NR_FOLIOS] scans until `hits` in a row found the folio accessed."""
    memory, rates, buffers = flat_memory(NR_FOLIOS, seed=7), flat_rates(1.0), scratch()
    out = np.zeros(2 * GRANULE, np.uint32)
    in_row, needed = np.zeros((2, NR_FOLIOS), np.int64)
    walk_granule(memory, rates, buffers, 0, 0.0, out, 0)  # the first scan reports all
    scan, waiting = 0, True
    while waiting:
        scan += 1
        memory.folio[:] &= np.uint32(~YOUNG & 0xFFFFFFFF)  # reports are of this scan alone
        n = walk_granule(memory, rates, buffers, 0, scan * lt, out, 0)
        hit = np.zeros(NR_FOLIOS, np.bool_)
        hit[out[:n]] = True
        in_row = np.where(hit, in_row + 1, 0)
        needed[(in_row == hits) & (needed == 0)] = scan
        waiting = not needed.all()
    return needed


@pytest.mark.compiled  # some ten thousand scans
@pytest.mark.parametrize("hits", [1, 2, 3])
@pytest.mark.parametrize(("lt", "scans"), [(row[0], row[3]) for row in TABLE])
def test_o1_hits_in_a_row_take_the_exact_number_of_scans(
    lt: float, scans: tuple[float, ...], hits: int
) -> None:
    assert p_value(scans_to(lt, hits), scans[hits - 1]) > P_THRESHOLD


@pytest.mark.compiled
def test_o1_two_hits_are_not_two_hits_in_a_row() -> None:
    """Negative control: two hits, with misses in between, take 2 / p scans."""
    lt, p = TABLE[1][:2]
    assert p_value(scans_to(lt, 2), 2 / p) < P_THRESHOLD


@pytest.mark.compiled
@pytest.mark.parametrize("scans", [1, 2, 5])
def test_o1_all_but_exp_of_k_windows_are_seen_within_k_scans(scans: int) -> None:
    lt = TABLE[0][0]
    seen = int((scans_to(lt, 1) <= scans).sum())
    assert stats.binomtest(seen, NR_FOLIOS, -math.expm1(-scans * lt)).pvalue > P_THRESHOLD


@pytest.mark.parametrize("window", [1, 70, 999, 1000, 1001, 5000])
def test_o1_periodic_touches_are_seen_with_the_window_over_the_period(window: int) -> None:
    """p = min(1, T / d): a sweep touches each of 1,000 pages once in 1,000 accesses."""
    pages = 1000
    sweeps = sweep_table([(0, GRANULE, 1, pages, 7, 1, 1.0)])
    for phase in (0.0, 0.5, 333.0):
        touched = np.zeros(pages, np.uint32)
        sweep_block(sweeps, 0, 0, 0, phase, phase + window, touched)
        assert touched.sum() / pages == min(1.0, window / pages)


@pytest.mark.compiled
@pytest.mark.parametrize("order", [0, 4])
def test_o1_a_large_folio_is_seen_with_the_sum_of_the_rates_of_its_pages(order: int) -> None:
    """Every page gets 0.05 touches between two scans."""
    nr, scans, of_page = GRANULE >> order, 20, 0.05
    memory = laid_out([Layout(nr, order)], [1 << 30, 1 << 30])
    rates, buffers = row_rates([of_page * (1 << order)]), scratch()
    out, seen = np.zeros(2 * GRANULE, np.uint32), 0
    walk_granule(memory, rates, buffers, 0, 0.0, out, 0)
    for scan in range(1, scans + 1):
        memory.folio[:] &= np.uint32(~YOUNG & 0xFFFFFFFF)
        seen += int(walk_granule(memory, rates, buffers, 0, float(scan), out, 0))
    expected = -math.expm1(-of_page * (1 << order))
    assert stats.binomtest(seen, nr * scans, expected).pvalue > P_THRESHOLD
    assert stats.binomtest(seen, nr * scans, 1.1 * expected).pvalue < P_THRESHOLD
