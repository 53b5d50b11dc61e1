"""Ranks scattered over folios by a keyed bijection, in chunks of bounded size.

On k bits (2**k the next power of two) adding, multiplying by an odd number and xor with a right
shift of itself are bijections, and so is any chain of them. What falls outside [0, n) is sent
through the chain again until it falls inside (cycle walking), less than once more on average.
Whole-number operations only: repeatable to the bit.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tiering.engine.random import stream_key

CHUNK = 2**16  # folios at a time: the working arrays stay in the L2 cache
ROUNDS = 4
Words = NDArray[np.uint64]


def scattered_ranks(nr_folios: int, seed: int) -> Iterator[tuple[int, Words]]:
    """(first, u64 ranks of folios first, first + 1, ...) until all nr_folios > 0 have theirs.

    Ranks are 0 .. nr_folios - 1, each given once.
    """
    bits = (nr_folios - 1).bit_length()
    keys = [stream_key(seed, bits, word) for word in range(2 * ROUNDS)]
    for first in range(0, nr_folios, CHUNK):
        rank = np.arange(first, min(first + CHUNK, nr_folios), dtype=np.uint64)
        rank = _permute(rank, bits, keys)
        outside = np.flatnonzero(rank >= nr_folios)
        while outside.size:
            again = _permute(rank[outside], bits, keys)
            rank[outside] = again
            outside = outside[again >= nr_folios]
        yield first, rank


def _permute(value: Words, bits: int, keys: list[np.uint64]) -> Words:
    """A bijection on whole numbers of that many bits."""
    mask = np.uint64((1 << bits) - 1)
    shift = np.uint64(max(1, (bits + 1) // 2))
    for add, multiply in zip(keys[::2], keys[1::2], strict=True):
        value = ((value + add) * (multiply | np.uint64(1))) & mask
        value ^= value >> shift
    return value
