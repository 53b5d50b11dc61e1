"""Counter-based random numbers: a draw depends on its key and its counter, never on draw order.

The mixer is the splitmix64 finaliser (Steele, Lea, Flood 2014). Keys are always mixed before they
are used: with `state = seed * gamma` the streams of neighbouring seeds overlap.
"""

import numpy as np

from tiering.engine.jit import loop

GAMMA = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)


@loop(inline=True)
def mix64(value):  # type: ignore[no-untyped-def]
    """Bijective 64-bit mix of a u64."""
    value = (value ^ (value >> np.uint64(30))) * _M1
    value = (value ^ (value >> np.uint64(27))) * _M2
    return value ^ (value >> np.uint64(31))


def stream_key(*words: int) -> np.uint64:
    """Key of the stream named by the words, e.g. (seed, mm, granule), mixed one by one."""
    mask = (1 << 64) - 1
    key = 0
    for word in words:
        key = (key + (word & mask) * int(GAMMA) + 0x632BE59BD9B4E019) & mask
        key ^= key >> 30
        key = key * int(_M1) & mask
        key ^= key >> 27
        key = key * int(_M2) & mask
        key ^= key >> 31
    return np.uint64(key)
