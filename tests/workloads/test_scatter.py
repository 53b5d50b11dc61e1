import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tiering.engine.random import stream_key
from tiering.workloads.scatter import CHUNK, ROUNDS, scattered_ranks


def ranks(nr_folios: int, seed: int) -> NDArray[np.uint64]:
    return np.concatenate([rank for _, rank in scattered_ranks(nr_folios, seed)])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3 * CHUNK), st.integers(0, 2**64 - 1))
def test_every_rank_is_given_once(nr_folios: int, seed: int) -> None:
    assert np.array_equal(np.sort(ranks(nr_folios, seed)), np.arange(nr_folios))


@pytest.mark.parametrize("nr_folios", [1, 2, 3, CHUNK - 1, CHUNK, CHUNK + 1, 2**17, 2**17 + 1])
def test_sizes_at_the_borders_of_chunks_and_powers_of_two(nr_folios: int) -> None:
    chunks = list(scattered_ranks(nr_folios, 3))
    assert [first for first, _ in chunks] == list(range(0, nr_folios, CHUNK))
    assert np.array_equal(np.sort(ranks(nr_folios, 3)), np.arange(nr_folios))


def test_the_seed_decides_and_nothing_else() -> None:
    assert np.array_equal(ranks(1000, 5), ranks(1000, 5))
    assert (ranks(1000, 5) == ranks(1000, 6)).sum() < 20


@pytest.mark.parametrize("nr_folios", [2**17, 100_003])
def test_hot_ranks_are_spread_evenly_over_the_addresses(nr_folios: int) -> None:
    # 1 % of the ranks in 32 equal stretches of addresses; chi-square with 31 degrees of freedom,
    # 95 is far beyond its 1e-7 quantile; neighbouring ranks in one stretch would give thousands.
    for seed in range(20):
        hot = np.flatnonzero(ranks(nr_folios, seed) < nr_folios // 100)
        found = np.bincount(hot * 32 // nr_folios, minlength=32)
        expected = hot.size / 32
        assert ((found - expected) ** 2 / expected).sum() < 95


def test_neighbouring_folios_have_unrelated_ranks() -> None:
    for seed in range(20):
        rank = ranks(2**16, seed).astype(np.float64)
        assert abs(np.corrcoef(rank[:-1], rank[1:])[0, 1]) < 0.03


def test_the_ranks_are_those_of_every_other_machine() -> None:
    assert ranks(10, 1).tolist() == [4, 6, 9, 5, 8, 2, 0, 1, 3, 7]


def by_hand(folio: int, nr_folios: int, seed: int) -> int:
    """The rank of one folio in whole numbers of Python's."""
    bits = (nr_folios - 1).bit_length()
    mask = (1 << bits) - 1
    while True:
        for turn in range(ROUNDS):
            add, multiply = (int(stream_key(seed, bits, 2 * turn + one)) for one in (0, 1))
            folio = (folio + add) * (multiply | 1) & mask
            folio ^= folio >> max(1, (bits + 1) // 2)
        if folio < nr_folios:
            return folio


@pytest.mark.parametrize("nr_folios", [1, 2, 5, 64, 1000, CHUNK, CHUNK + 300])
def test_the_loop_gives_the_ranks_of_whole_number_arithmetic(nr_folios: int) -> None:
    some = sorted({0, 1, nr_folios // 2, nr_folios - 1, *range(0, nr_folios, 997)})
    some = [folio for folio in some if folio < nr_folios]
    for seed in (0, 7, 2**64 - 1):
        given_ranks = ranks(nr_folios, seed)
        assert [int(given_ranks[f]) for f in some] == [by_hand(f, nr_folios, seed) for f in some]
