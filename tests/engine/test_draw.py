import numpy as np
import pytest
from numpy.typing import NDArray

from tests.engine.avx512 import needs_avx512
from tiering.engine.draw import GROUP, TABLE, draw_block
from tiering.engine.random import GAMMA, stream_key
from tiering.engine.touch import BLOCK, Scratch, scratch

MASK = (1 << 64) - 1


def mixed(value: int) -> int:
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
    return value ^ value >> 31


def random_of(key: int, folio: int) -> tuple[int, int]:
    """Upper and lower 16 bits of the random number of the folio at that place of a granule."""
    lanes = mixed((folio // 4 * int(GAMMA) + key) & MASK)
    low = mixed(key ^ (folio * 0xBF58476D1CE4E5B9 & MASK))
    return lanes >> 16 * (folio % 4) & 0xFFFF, low & 0xFFFF


def with_thresholds(buffers: Scratch, threshold: NDArray[np.uint32]) -> Scratch:
    buffers.threshold[: threshold.size] = threshold
    buffers.high[: threshold.size] = threshold >> np.uint32(16)
    return buffers


def folios(random: np.random.Generator, nr: int, rows: int) -> NDArray[np.uint32]:
    """Words with random classes and random flags."""
    flags = random.integers(0, 1 << 24, nr, dtype=np.uint32) << np.uint32(8)
    return flags | random.integers(0, rows, nr, dtype=np.uint32)


def some_ties(
    random: np.random.Generator, part: NDArray[np.uint32], rows: int, base: int, key: int
) -> NDArray[np.uint32]:
    """Thresholds of which some have the upper half of a random number that will be drawn."""
    threshold = random.integers(0, 1 << 32, rows, dtype=np.uint32)
    for i in random.integers(0, part.size, 8):
        upper, low = random_of(key, base + int(i))
        near = (low + int(random.integers(-1, 2))) & 0xFFFF
        threshold[part[i] & 0xFF] = upper << 16 | near
    return threshold


@pytest.mark.parametrize("rows", [1, 2, 61, 200])
def test_a_folio_is_touched_if_its_random_number_is_below_its_threshold(rows: int) -> None:
    random, key, base = np.random.default_rng(rows), stream_key(7, rows), 2 * BLOCK
    for nr in (1, 31, 32, 33, 200):
        part = folios(random, nr, rows)
        threshold = some_ties(random, part, rows, base, int(key))
        buffers = with_thresholds(scratch(), threshold)
        draw_block(part, rows, base, key, buffers)
        for i in range(nr):
            upper, low = random_of(int(key), base + i)
            assert buffers.touched[i] == (upper << 16 | low < threshold[part[i] & 0xFF])


def both(
    random: np.random.Generator, nr: int, rows: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], int]:
    """What vector and portable code say of the same random block; folios with ties in it."""
    key, base = np.uint64(random.integers(0, 1 << 63)), BLOCK * int(random.integers(0, 4))
    part = folios(random, nr, rows)
    threshold = some_ties(random, part, rows, base, int(key))
    before = part.copy()
    results = []
    for buffers in (scratch(vector=True), scratch(vector=False)):
        with_thresholds(buffers, threshold)
        buffers.touched[:] = 7
        draw_block(part, rows, base, key, buffers)
        assert np.array_equal(part, before), "a draw reads flags and classes"
        results.append(buffers)
    lanes = results[1].lanes.view(np.uint16)[:nr]
    return (
        results[0].touched,
        results[1].touched,
        int((lanes == threshold[part & 0xFF] >> 16).sum()),
    )


@needs_avx512
def test_vector_and_portable_code_draw_the_same_bits() -> None:
    random, ties = np.random.default_rng(1), 0
    for trial in range(3000):
        rows = 1 + trial % TABLE
        vector, portable, tied = both(random, int(random.integers(1, BLOCK + 1)), rows)
        assert np.array_equal(vector, portable), (trial, rows)
        ties += tied
    assert ties > 3000


@needs_avx512
@pytest.mark.parametrize("rows", [TABLE + 1, 100, 256])
def test_more_classes_than_the_table_holds_are_drawn_by_portable_code(rows: int) -> None:
    random = np.random.default_rng(rows)
    for _ in range(100):
        vector, portable, _ = both(random, BLOCK, rows)
        assert np.array_equal(vector, portable)


@needs_avx512
@pytest.mark.parametrize("nr", [1, GROUP - 1, GROUP, GROUP + 1, BLOCK - 1, BLOCK])
def test_nothing_is_written_beyond_a_short_block(nr: int) -> None:
    for touched in both(np.random.default_rng(nr), nr, TABLE)[:2]:
        assert (touched[:nr] <= 1).all()
        assert (touched[nr:] == 7).all()
