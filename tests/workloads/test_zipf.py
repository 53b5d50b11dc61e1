import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from tiering.workloads.zipf import NR_CLASSES, Zipf, build, class_borders, class_weights, law

FOLIOS_8_GIB = 2**21
FOLIOS_1_TIB = 2**28


def deviation(nr_folios: int, exponent: float) -> float:
    """Largest |share / exact share - 1| of any folio: in a class it is at its first or last."""
    border = class_borders(nr_folios)
    weight = class_weights(border, exponent)
    mean = weight / np.diff(border)
    first, last = border[:-1].astype(float), border[1:].astype(float) - 1
    return float(max(abs(mean * r**exponent - 1).max() for r in (first, last)))


def exact(nr_folios: int, exponent: float) -> NDArray[np.float64]:
    weight = np.arange(1, nr_folios + 1, dtype=float) ** -exponent
    return np.asarray(weight / math.fsum(weight))


@pytest.mark.parametrize("nr_folios", [1, 2, 3, 64, 1000, FOLIOS_8_GIB, FOLIOS_1_TIB])
def test_classes_hold_every_rank_once_and_grow(nr_folios: int) -> None:
    border = class_borders(nr_folios)
    assert border[0] == 1
    assert border[-1] == nr_folios + 1
    assert 1 <= border.size - 1 <= NR_CLASSES
    assert (np.diff(border) > 0).all()


@pytest.mark.parametrize("exponent", [0.0, 0.5, 0.99, 1.0, 1.0000001, 2.0, 4.0])
def test_class_sums_are_those_of_the_exact_law(exponent: float) -> None:
    border = class_borders(FOLIOS_8_GIB)
    weights = np.arange(1, FOLIOS_8_GIB + 1, dtype=float) ** -exponent
    summed = [math.fsum(weights[a - 1 : b - 1]) for a, b in pairwise(border)]
    assert class_weights(border, exponent).tolist() == pytest.approx(summed, rel=1e-8)


def test_folios_deviate_from_the_exact_law_as_the_docstring_says() -> None:
    assert 0.11 < deviation(FOLIOS_8_GIB, 1.0) < 0.12
    assert 0.16 < deviation(FOLIOS_1_TIB, 1.0) < 0.17
    assert deviation(FOLIOS_8_GIB, 2.0) > 0.2
    assert deviation(FOLIOS_8_GIB, 0.0) < 1e-9


@pytest.mark.parametrize("exponent", [0.0, 0.99, 1.0, 2.0])
def test_the_hottest_folios_take_the_accesses_that_the_law_gives_them(exponent: float) -> None:
    nr = 50_000
    region = build(Zipf(exponent), nr, 11)
    per_folio = np.sort(region.share[0][region.classes])[::-1]
    wanted = exact(nr, exponent)
    for hottest in (1, 10, 500, 5000, 25_000):
        assert per_folio[:hottest].sum() == pytest.approx(wanted[:hottest].sum(), rel=0.02)


def test_rows_go_from_hot_to_cold_and_exponent_0_is_flat() -> None:
    assert (np.diff(build(Zipf(0.99), 10_000, 1).share[0]) < 0).all()
    assert build(Zipf(0.0), 10_000, 1).share[0] == pytest.approx(1e-4, rel=1e-12)


def test_classes_of_few_folios_are_the_exact_law() -> None:
    region = build(Zipf(1.0), 3, 5)
    assert region.share[0].tolist() == pytest.approx([6 / 11, 3 / 11, 2 / 11])
    assert sorted(region.classes.tolist()) == [0, 1, 2]


@pytest.mark.parametrize(("nr_folios", "exponent"), [(2, 0.0), (6656, 0.99), (FOLIOS_8_GIB, 1.3)])
def test_a_remembered_law_is_the_one_that_is_worked_out(nr_folios: int, exponent: float) -> None:
    first = law(nr_folios, exponent)
    again = law(nr_folios, exponent)
    anew = law.__wrapped__(nr_folios, exponent)
    for one, same, other in zip(first, again, anew, strict=True):
        assert same is one
        assert one.tobytes() == other.tobytes()
        with pytest.raises(ValueError, match="read-only"):
            one[...] = 0
    assert law(nr_folios, exponent + 0.1)[1].tobytes() != first[1].tobytes()
