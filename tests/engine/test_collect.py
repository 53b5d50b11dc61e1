import numpy as np
import pytest

from tests.engine.avx512 import needs_avx512
from tiering.engine.collect import GROUP, collect

VECTOR = [False, pytest.param(True, marks=needs_avx512)]


@pytest.mark.parametrize("vector", VECTOR)
def test_places_of_hits_are_appended_in_order(vector: bool) -> None:
    hit = np.zeros(40, np.uint8)
    hit[[0, 3, 15, 16, 39]] = 1
    out = np.zeros(100, np.uint32)
    out[:2] = 8, 9
    assert collect(hit, 1000, out, 2, vector) == 7
    assert out[:7].tolist() == [8, 9, 1000, 1003, 1015, 1016, 1039]


@pytest.mark.parametrize("vector", VECTOR)
@pytest.mark.parametrize("nr", [0, 1, GROUP - 1, GROUP, GROUP + 1, 1000, 2048])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99, 1.0])
def test_any_number_of_hits_is_found_and_nothing_else_is_touched(
    nr: int, share: float, vector: bool
) -> None:
    random = np.random.default_rng(nr)
    for first in (0, 123, 2**32 - 5000):
        hit = (random.random(nr) < share).astype(np.uint8)
        out = np.full(nr + 50, 77, np.uint32)
        n = collect(hit, first, out, 20, vector)
        assert np.array_equal(out[20:n], first + np.flatnonzero(hit))
        assert (out[:20] == 77).all()
        assert (out[20 + nr :] == 77).all()
