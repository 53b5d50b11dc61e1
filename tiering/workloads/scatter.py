"""Ranks scattered over folios by a keyed bijection, in chunks of bounded size.

On k bits (2**k the next power of two) adding, multiplying by an odd number and xor with a right
shift of itself are bijections, and so is any chain of them. What falls outside [0, n) is sent
through the chain again until it falls inside (cycle walking), less than once more on average.
Whole-number operations only: repeatable to the bit.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tiering.engine.jit import loop
from tiering.engine.random import stream_key

CHUNK = 2**14  # folios at a time: the ranks stay in the L2 cache
ROUNDS = 4
Words = NDArray[np.uint64]


def scattered_ranks(nr_folios: int, seed: int) -> Iterator[tuple[int, Words]]:
    """(first, u64 ranks of folios first, first + 1, ...) until all nr_folios > 0 have theirs.

    Ranks are 0 .. nr_folios - 1, each given once.
    """
    keys = scatter_keys(nr_folios, seed)
    for first in range(0, nr_folios, CHUNK):
        rank = np.empty(min(CHUNK, nr_folios - first), np.uint64)
        scatter(first, nr_folios, keys, rank, rank.size)
        yield first, rank


def scatter_keys(nr_folios: int, seed: int) -> Words:
    """u64[2 + 2 * ROUNDS]: mask and shift, then what each round adds and multiplies by."""
    bits = (nr_folios - 1).bit_length()
    words = [np.uint64((1 << bits) - 1), np.uint64(max(1, (bits + 1) // 2))]
    rounds = range(2 * ROUNDS)
    words += [stream_key(seed, bits, word) | np.uint64(word % 2) for word in rounds]
    return np.array(words, np.uint64)


@loop
def scatter(first, nr_folios, keys, rank, nr):  # type: ignore[no-untyped-def]
    """rank[:nr]: u64 ranks of folios first .. first + nr - 1; keys: of `scatter_keys`."""
    for i in range(nr):
        rank[i] = _permuted(np.uint64(first + i), keys)
    if nr_folios - 1 == np.int64(keys[0]):  # a power of two: none falls outside
        return
    for i in range(nr):
        while rank[i] >= np.uint64(nr_folios):
            rank[i] = _permuted(rank[i], keys)


@loop(inline=True)
def _permuted(value, keys):  # type: ignore[no-untyped-def]
    """A bijection on whole numbers of as many bits as the mask has."""
    mask, shift = keys[0], keys[1]
    value = ((value + keys[2]) * keys[3]) & mask
    value ^= value >> shift
    value = ((value + keys[4]) * keys[5]) & mask
    value ^= value >> shift
    value = ((value + keys[6]) * keys[7]) & mask
    value ^= value >> shift
    value = ((value + keys[8]) * keys[9]) & mask
    return value ^ (value >> shift)
