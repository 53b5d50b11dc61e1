import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tiering.workloads.gaussian import Gaussian, build

FOLIOS_1_GIB = 2**18


def law(knobs: Gaussian, nr_folios: int) -> NDArray[np.float64]:
    """f64[nr_folios], the exact share of each folio, tails taken from their own side."""
    mean, sigma = knobs.mean_pct / 100 * nr_folios, knobs.sigma_pct / 100 * nr_folios
    z = (np.arange(nr_folios + 1) - mean) / sigma
    below, above = np.diff(stats.norm.cdf(z)), -np.diff(stats.norm.sf(z))
    mass = np.where(z[:-1] > 0, above, below)
    return np.asarray(mass / mass.sum())


def shares(knobs: Gaussian, nr_folios: int) -> NDArray[np.float64]:
    region = build(knobs, nr_folios, 1)
    return np.asarray(region.share[0][region.classes])


def test_the_hottest_quarter_takes_ninety_percent_by_default() -> None:
    hottest = np.sort(shares(Gaussian(), FOLIOS_1_GIB))[::-1]
    assert hottest[: FOLIOS_1_GIB // 4].sum() == pytest.approx(0.8996, abs=1e-4)


def test_four_folios_worked_by_hand() -> None:
    """Mean 2, sigma 1: the two inner folios reach from 0 to 1 sigma, the outer from 1 to 2."""
    region = build(Gaussian(50.0, 25.0), 4, 1)
    inner, outer = 0.341344746, 0.135905122
    total = 2 * (inner + outer)
    assert region.classes.tolist() == [1, 0, 0, 1]
    assert region.share[0].tolist() == pytest.approx([inner / total, outer / total], rel=1e-8)


def test_a_mean_at_the_edge_is_half_a_bell() -> None:
    region = build(Gaussian(0.0, 50.0), 2, 1)
    near, far = 0.341344746, 0.135905122
    assert region.classes.tolist() == [0, 1]
    assert region.share[0].tolist() == pytest.approx(
        [near / (near + far), far / (near + far)], rel=1e-8
    )


@pytest.mark.parametrize(
    "knobs", [Gaussian(), Gaussian(0.0, 20.0), Gaussian(71.3, 1.0), Gaussian(50.0, 1000.0)]
)
def test_bands_have_the_mass_of_the_law(knobs: Gaussian) -> None:
    region = build(knobs, FOLIOS_1_GIB, 1)
    exact = np.bincount(region.classes, law(knobs, FOLIOS_1_GIB))
    mass = region.share[0] * np.bincount(region.classes)
    assert mass[:-1].tolist() == pytest.approx(exact[:-1].tolist(), rel=1e-9)
    assert mass[-1] == pytest.approx(exact[-1], rel=1e-6)


@pytest.mark.parametrize("knobs", [Gaussian(), Gaussian(0.0, 20.0), Gaussian(71.3, 1.0)])
def test_the_cumulated_law_is_that_of_scipy_at_every_address(knobs: Gaussian) -> None:
    difference = np.cumsum(shares(knobs, FOLIOS_1_GIB)) - np.cumsum(law(knobs, FOLIOS_1_GIB))
    assert np.abs(difference).max() < 1e-3


def test_folios_deviate_from_the_exact_law_as_the_docstring_says() -> None:
    knobs = Gaussian()
    z = np.abs(np.arange(FOLIOS_1_GIB) + 0.5 - FOLIOS_1_GIB / 2) / (0.076 * FOLIOS_1_GIB)
    deviation = np.abs(shares(knobs, FOLIOS_1_GIB) / law(knobs, FOLIOS_1_GIB) - 1)
    assert 0.15 < deviation[z < 3].max() < 0.16
    assert deviation[z < 1].max() < 0.05


def test_rows_go_from_the_middle_to_the_cold_ends() -> None:
    region = build(Gaussian(), FOLIOS_1_GIB, 1)
    assert region.share.shape == (1, 64)
    assert (np.diff(region.share[0]) < 0).all()
    assert (np.diff(region.classes[: FOLIOS_1_GIB // 2].astype(int)) <= 0).all()
    assert np.array_equal(region.classes, region.classes[::-1]), "both sides alike"


def test_scattered_heat_has_the_same_rows_at_other_places() -> None:
    ordered = build(Gaussian(), 10_000, 3)
    scattered = build(Gaussian(layout="scattered"), 10_000, 3)
    assert ordered.share.tobytes() == scattered.share.tobytes()
    assert np.bincount(ordered.classes).tolist() == np.bincount(scattered.classes).tolist()
    assert (ordered.classes == scattered.classes).mean() < 0.3
