"""Oracle O7: hit ratios of replayed traces against the literature (tests/naive/hit_ratios.py)."""

from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.naive.hit_ratios import fifo_che, fifo_exact, lru_che, lru_exact
from tiering.engine.irm import irm_trace, zipf_law
from tiering.engine.oracle import ceiling
from tiering.engine.replay import POLICIES, Replayed, replay, replay_static

Floats = NDArray[np.float64]

SMALL = [  # frames, then hit ratios: LRU, FIFO, static optimum; 6 pages, Zipf 1
    (1, 0.24846129, 0.24846129, 0.408163),
    (2, 0.46050283, 0.44581281, 0.612245),
    (3, 0.63781503, 0.61127308, 0.748299),
    (4, 0.78388498, 0.75510204, 0.850340),
    (5, 0.90332003, 0.88338192, 0.931973),
]
LARGE = [  # exponent, frames per page, then LRU and FIFO by Che's formulas, static optimum
    (0.6, 0.05, 0.16145, 0.14541, 0.29622),
    (0.6, 0.25, 0.44627, 0.41237, 0.57100),
    (0.6, 0.50, 0.67735, 0.64145, 0.75595),
    (0.6, 0.75, 0.85652, 0.83117, 0.89045),
    (0.8, 0.05, 0.36917, 0.33328, 0.50539),
    (0.8, 0.25, 0.63825, 0.59531, 0.73428),
    (0.8, 0.50, 0.80349, 0.76716, 0.85794),
    (0.8, 0.75, 0.91656, 0.89408, 0.93864),
    (0.99, 0.05, 0.65092, 0.61176, 0.74086),
    (0.99, 0.25, 0.82889, 0.79725, 0.87912),
    (0.99, 0.50, 0.91331, 0.89059, 0.93935),
    (0.99, 0.75, 0.96474, 0.95199, 0.97478),
    (1.2, 0.05, 0.88602, 0.86429, 0.91942),
    (1.2, 0.25, 0.95407, 0.94178, 0.96862),
    (1.2, 0.50, 0.97853, 0.97095, 0.98540),
    (1.2, 0.75, 0.99167, 0.98779, 0.99418),
]
SECOND_SIGHT = [  # exponent, frames per page, hit ratio and promotions per access; 20,000 pages
    (0.8, 0.05, 0.44722, 0.0348),
    (0.8, 0.25, 0.67922, 0.0582),
    (0.99, 0.05, 0.67870, 0.0225),
    (0.99, 0.25, 0.83869, 0.0281),
]
NR_PAGES = 100_000
WARM_UP, COUNTED = 6_000_000, 6_000_000  # the longest stay on the fast tier is 3 M accesses


@lru_cache(maxsize=2)
def law_of(nr_pages: int, exponent: float) -> Floats:
    return zipf_law(nr_pages, exponent)


@lru_cache(maxsize=2)
def trace_of(nr_pages: int, exponent: float) -> NDArray[np.uint32]:
    return irm_trace(law_of(nr_pages, exponent), WARM_UP + COUNTED, 7)


def steady(policy: str, nr_pages: int, exponent: float, frames: int) -> Replayed:
    """The accesses after the warm-up: policies are deterministic, so counts can be subtracted."""
    trace = trace_of(nr_pages, exponent)
    whole = replay(policy, trace, nr_pages, frames)
    before = replay(policy, trace[:WARM_UP], nr_pages, frames)
    return Replayed(*(a - b for a, b in zip(whole, before, strict=True)))


def bound(law: Floats, frames: int) -> float:
    one = np.ones(law.size, np.int64)
    return float(ceiling(one, law, one, frames)[0])


@pytest.mark.parametrize(("frames", "lru", "fifo", "optimum"), SMALL)
def test_the_exact_formulas_give_the_printed_figures(
    frames: int, lru: float, fifo: float, optimum: float
) -> None:
    law = law_of(6, 1.0)
    assert lru_exact(law, frames) == pytest.approx(lru, abs=1e-8)
    assert fifo_exact(law, frames) == pytest.approx(fifo, abs=1e-8)
    assert bound(law, frames) == pytest.approx(optimum, abs=1e-6)


@pytest.mark.compiled  # 12 M accesses
@pytest.mark.parametrize(("frames", "lru", "fifo", "optimum"), SMALL)
def test_o7_six_pages_hit_as_king_and_gelenbe_say(
    frames: int, lru: float, fifo: float, optimum: float
) -> None:
    trace, law = trace_of(6, 1.0), law_of(6, 1.0)
    assert replay("lru", trace, 6, frames).hit_share == pytest.approx(lru, abs=1e-3)
    assert replay("fifo", trace, 6, frames).hit_share == pytest.approx(fifo, abs=1e-3)
    assert replay_static(trace, law, frames).hit_share == pytest.approx(optimum, abs=1e-3)


@pytest.mark.compiled
def test_o7_on_six_pages_tells_lru_from_fifo_and_three_frames_from_four() -> None:
    trace = trace_of(6, 1.0)
    for frames, lru, fifo, _ in SMALL[1:]:
        assert abs(replay("lru", trace, 6, frames).hit_share - fifo) > 1e-2
        assert abs(replay("lru", trace, 6, frames - 1).hit_share - lru) > 1e-1


@pytest.mark.parametrize(("exponent", "part", "lru", "fifo", "optimum"), LARGE)
def test_the_approximations_give_the_printed_figures(
    exponent: float, part: float, lru: float, fifo: float, optimum: float
) -> None:
    law, frames = law_of(NR_PAGES, exponent), round(part * NR_PAGES)
    assert lru_che(law, frames) == pytest.approx(lru, abs=1e-5)
    assert fifo_che(law, frames) == pytest.approx(fifo, abs=1e-5)
    assert bound(law, frames) == pytest.approx(optimum, abs=1e-5)


@pytest.mark.compiled
@pytest.mark.parametrize(("exponent", "part", "lru", "fifo", "optimum"), LARGE)
def test_o7_hundred_thousand_pages_hit_as_che_says(
    exponent: float, part: float, lru: float, fifo: float, optimum: float
) -> None:
    frames = round(part * NR_PAGES)
    assert steady("lru", NR_PAGES, exponent, frames).hit_share == pytest.approx(lru, abs=0.002)
    assert steady("fifo", NR_PAGES, exponent, frames).hit_share == pytest.approx(fifo, abs=0.002)
    kept = replay_static(trace_of(NR_PAGES, exponent), law_of(NR_PAGES, exponent), frames)
    assert kept.hit_share == pytest.approx(optimum, abs=0.002)


@pytest.mark.compiled
@pytest.mark.parametrize("exponent", [0.6, 0.8, 0.99, 1.2])
def test_o7_no_policy_beats_the_static_optimum(exponent: float) -> None:
    trace, law = trace_of(NR_PAGES, exponent), law_of(NR_PAGES, exponent)
    for part in (0.05, 0.25, 0.75):
        frames = round(part * NR_PAGES)
        optimum = replay_static(trace, law, frames).hits
        hits = {policy: replay(policy, trace, NR_PAGES, frames).hits for policy in POLICIES}
        assert max(hits.values()) < optimum, hits


@pytest.mark.compiled
@pytest.mark.parametrize(("exponent", "part", "hit_share", "promotions"), SECOND_SIGHT)
def test_o7_a_second_sight_hits_more_and_promotes_a_fraction(
    exponent: float, part: float, hit_share: float, promotions: float
) -> None:
    frames = round(part * 20_000)
    counted = steady("lru_second_sight", 20_000, exponent, frames)
    assert counted.hit_share == pytest.approx(hit_share, abs=0.002)
    assert counted.promotions / counted.accesses == pytest.approx(promotions, abs=2e-4)
    at_once = steady("lru", 20_000, exponent, frames)
    assert at_once.hits < counted.hits
    assert at_once.promotions == at_once.accesses - at_once.hits > 4 * counted.promotions


@pytest.mark.compiled
def test_o7_a_hot_set_hits_its_share_of_the_static_optimum() -> None:
    """A tenth of 5,000 pages takes 0.9 of the accesses: q C/H, then q + (1 - q)(C - H)/(N - H)."""
    law = np.repeat([0.9 / 500, 0.1 / 4500], [500, 4500])
    trace = irm_trace(law, 4_000_000, 7)
    for frames, expected in [(250, 0.45), (500, 0.9), (2750, 0.95)]:
        assert bound(law, frames) == pytest.approx(expected, abs=1e-12)
        assert replay_static(trace, law, frames).hit_share == pytest.approx(expected, abs=1e-3)
