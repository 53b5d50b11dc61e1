"""Loops that do nothing but meet a limit of the machine; `bench` divides by what they reach."""

import numpy as np

from tiering.engine.jit import loop
from tiering.engine.random import GAMMA, mix64


@loop
def rewrite(words):  # type: ignore[no-untyped-def]
    """Read and write every u32 once: the limit of a pass over the folio array."""
    for i in range(words.size):
        words[i] ^= np.uint32(1)


@loop
def scatter(words, count, salt):  # type: ignore[no-untyped-def]
    """Read and write `count` random u32: the limit of anything that follows single folios."""
    mask = np.uint64(words.size - 1)
    for i in range(count):
        at = mix64((np.uint64(i) + salt) * GAMMA) & mask
        words[at] ^= np.uint32(1)
