from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.engine.machines import row_rates
from tiering.engine.touch import scratch, set_thresholds
from tiering.workloads.coarsen import NR_CLASSES, coarsen
from tiering.workloads.gaussian import Gaussian
from tiering.workloads.growing import Growing
from tiering.workloads.hot_set import HotSet
from tiering.workloads.moving_hot_set import MovingHotSet
from tiering.workloads.pattern import PatternError, Region
from tiering.workloads.phases import Phases
from tiering.workloads.sequential import Sequential
from tiering.workloads.table import PATTERNS
from tiering.workloads.uniform import Uniform
from tiering.workloads.zipf import Zipf

PAGES_8_GIB = 2**21


def pattern(name: str, knobs: Any, nr_pages: int, seed: int = 1) -> Region:
    build = PATTERNS[name].build
    assert build is not None
    return build(knobs, nr_pages, seed)


def by_hand(region: Region, order: int, phase: int = 0) -> NDArray[np.float64]:
    """Rate of each folio: the sum of those of its pages."""
    pages = region.share[phase][region.classes]
    nr = -(-pages.size >> order)
    padded = np.append(pages, np.zeros((nr << order) - pages.size))
    return np.asarray(padded.reshape(nr, -1).sum(axis=1))


def rates(region: Region, phase: int = 0) -> NDArray[np.float64]:
    return np.asarray(region.share[phase][region.classes])


def test_order_0_is_left_alone() -> None:
    region = pattern("zipf", Zipf(), 1000)
    assert coarsen(region, 0) is region


def test_two_folios_of_order_4_by_hand() -> None:
    """32 pages, three hot ones in the first folio and one in the second."""
    classes = np.zeros(32, np.uint8)
    classes[[0, 7, 15, 16]] = 1
    region = coarsen(Region("by hand", 32, classes, np.array([[0.01, 0.18]])), 4)
    assert region.nr_folios == 2
    assert rates(region).tolist() == pytest.approx([13 * 0.01 + 3 * 0.18, 15 * 0.01 + 0.18])


def test_the_last_folio_may_have_fewer_pages() -> None:
    region = coarsen(pattern("uniform", Uniform(), 40), 4)
    assert rates(region).tolist() == pytest.approx([16 / 40, 16 / 40, 8 / 40])


def test_classes_are_exact_while_they_are_few() -> None:
    """A hot set at random places: a 2 MiB folio has any of some 45 numbers of hot pages."""
    region = pattern("hot_set", HotSet(), PAGES_8_GIB)
    for order in (4, 9):
        coarse = coarsen(region, order)
        assert coarse.share.shape[1] <= NR_CLASSES
        np.testing.assert_allclose(rates(coarse), by_hand(region, order), rtol=1e-12)


WORST = [
    ("zipf", Zipf(), 4, 0.12),
    ("zipf", Zipf(), 9, 0.041),
    ("zipf", Zipf(1.5), 4, 0.24),
    ("zipf", Zipf(1.5), 9, 0.1),
    ("gaussian", Gaussian(), 4, 0.15),
    ("gaussian", Gaussian(), 9, 0.16),
    ("gaussian", Gaussian(layout="scattered"), 4, 0.06),
    ("gaussian", Gaussian(layout="scattered"), 9, 0.004),
]


@pytest.mark.parametrize(("name", "knobs", "order", "worst"), WORST)
def test_many_kinds_become_64_whose_folios_deviate_little(
    name: str, knobs: Any, order: int, worst: float
) -> None:
    """8 GiB; what docs/model.md says. Half of the bound would be too good to be true."""
    region = pattern(name, knobs, PAGES_8_GIB)
    coarse = coarsen(region, order)
    exact = by_hand(region, order)
    deviation = np.abs(rates(coarse) / exact - 1).max()
    assert coarse.share.shape[1] == NR_CLASSES
    assert worst / 2 < deviation < worst


def test_folios_that_are_never_touched_are_not_lumped_with_others() -> None:
    """All accesses to pages of zipf-like heat in the first half, none in the second."""
    classes = np.concatenate([np.arange(200), np.full(201, 200)]).astype(np.uint8)
    share = np.append(0.9 ** np.arange(200), 0.0)[None, :]
    region = Region("half", 401, classes, share / share.sum())
    big = Region("half", 401 * 16, np.repeat(classes, 16), share / share.sum() / 16)
    coarse = coarsen(big, 4)
    assert coarse.share.shape[1] <= NR_CLASSES
    assert ((rates(coarse) == 0.0) == (rates(region) == 0.0)).all()


PHASED = [
    ("phases", Phases(layout="contiguous"), 2**15),
    ("moving_hot_set", MovingHotSet(), 2**15),
    ("growing", Growing(), 2**15),
]


@pytest.mark.parametrize(("name", "knobs", "nr"), PHASED)
@pytest.mark.parametrize("order", [4, 9])
def test_every_phase_is_exact(name: str, knobs: Any, nr: int, order: int) -> None:
    region = pattern(name, knobs, nr)
    coarse = coarsen(region, order)
    for phase in range(region.share.shape[0]):
        np.testing.assert_allclose(
            rates(coarse, phase), by_hand(region, order, phase), rtol=1e-12, atol=1e-18
        )
    assert coarse.phase_accesses is region.phase_accesses


def test_heat_that_changes_in_too_many_ways_is_refused_with_what_helps() -> None:
    with pytest.raises(PatternError, match="contiguous layout has fewer") as caught:
        coarsen(pattern("phases", Phases(8, 12.0), 2**18), 9)
    assert "order = 9" in str(caught.value)


def test_a_folio_is_there_as_soon_as_one_of_its_pages_is() -> None:
    region = pattern("growing", Growing(25.0, 3), 1000)
    assert region.populated.tolist() == [250, 500, 750, 1000]
    assert coarsen(region, 4).populated.tolist() == [16, 32, 47, 63]
    assert coarsen(region, 9).populated.tolist() == [1, 1, 2, 2]


@pytest.mark.parametrize(("nr", "order", "folios"), [(2048, 9, 4), (1000, 4, 63)])
def test_a_sweep_keeps_its_order_and_its_part_of_the_accesses(
    nr: int, order: int, folios: int
) -> None:
    coarse = coarsen(pattern("sequential", Sequential(4, 8), nr), order)
    assert (coarse.nr_folios, coarse.sweep) == (folios, (4, 8))
    assert coarse.share.sum() * folios == pytest.approx(1.0, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4000),
    st.integers(1, 120),
    st.sampled_from([4, 9]),
    st.integers(0, 2**32 - 1),
)
def test_the_sum_of_the_rates_is_kept(nr: int, nr_rows: int, order: int, seed: int) -> None:
    """Random rows of rates over many decades, some of them 0."""
    random = np.random.default_rng(seed)
    share = 10.0 ** random.uniform(-12, 0, (1, nr_rows))
    share[random.random(share.shape) < 0.2] = 0.0
    region = Region("random", nr, random.integers(0, nr_rows, nr).astype(np.uint8), share)
    coarse = coarsen(region, order)
    exact, got = by_hand(region, order), rates(coarse)
    assert coarse.share.shape[1] <= NR_CLASSES
    assert got.sum() == pytest.approx(exact.sum(), rel=1e-12)
    assert ((got == 0.0) == (exact == 0.0)).all()
    if np.unique(exact).size <= NR_CLASSES:
        np.testing.assert_allclose(got, exact, rtol=1e-12)


def test_a_large_folio_is_touched_unless_none_of_its_pages_is() -> None:
    """P = 1 - prod(1 - p_i) over its 512 pages, p_i = 1 - exp(-w_i tau)."""
    region = pattern("hot_set", HotSet(1.0, 90.0), 2**15)
    coarse, tau, buffers = coarsen(region, 9), 60.0, scratch()
    rows = coarse.share.shape[1]
    set_thresholds(row_rates(coarse.share[0].tolist()), buffers, 0, 0, rows, 0.0, tau)
    found = buffers.threshold[coarse.classes] / 2**32
    untouched = np.exp(-tau * region.share[0][region.classes]).reshape(-1, 512)
    np.testing.assert_allclose(found, 1 - untouched.prod(axis=1), atol=1e-9)
    assert found.std() > 0.01
