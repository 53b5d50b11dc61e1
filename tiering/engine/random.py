"""Counter-based random numbers: a draw depends on its key and its counter, never on draw order.

The mixer is the splitmix64 finaliser (Steele, Lea, Flood 2014). Keys are always mixed before they
are used: with `state = seed * gamma` the streams of neighbouring seeds overlap.
"""

import numpy as np

from tiering.engine.jit import loop

GAMMA = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_PER_2_53 = 1.0 / 9007199254740992.0


@loop(inline=True)
def mix64(value):  # type: ignore[no-untyped-def]
    """Bijective 64-bit mix of a u64."""
    value = (value ^ (value >> np.uint64(30))) * _M1
    value = (value ^ (value >> np.uint64(27))) * _M2
    return value ^ (value >> np.uint64(31))


@loop(inline=True)
def uniform(word):  # type: ignore[no-untyped-def]
    """A number in (0, 1], a multiple of 2**-53, from a random u64."""
    return (np.float64(word >> np.uint64(11)) + 1.0) * _PER_2_53


@loop(inline=True)
def uniform_of(key, stream, counter):  # type: ignore[no-untyped-def]
    """Number `counter` (0, 1, ..) in (0, 1] of a stream (1, 2, ..) of the key of a look, u64.

    Streams of one key are unrelated to each other and to what the look itself draws.
    """
    own = mix64(key + np.uint64(stream) * _M2)
    return uniform(mix64(own + np.uint64(counter) * GAMMA))


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
