from math import isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiering.engine.watermarks import HIGH, LOW, MIN, PROMO, watermarks

MIB = 256  # pages
GIB = 1024 * MIB


def marks_of(*pages: int, min_free_kbytes: int = 0, scale: int = 10) -> list[list[int]]:
    return watermarks(np.array(pages, np.int64), min_free_kbytes, scale).tolist()  # type: ignore[no-any-return]


def test_a_zone_of_64_gib_has_a_gap_of_65_5_mib() -> None:
    """sqrt(16 x 67,108,864) = 32,768 kB is the min; a thousandth of the zone is the gap."""
    (marks,) = marks_of(64 * GIB)
    least = 32 * MIB
    gap = 64 * GIB // 1000
    assert gap / MIB == pytest.approx(65.5, abs=0.05)
    assert marks == [least, least + gap, least + 2 * gap, least + 3 * gap]
    above = [(mark - least) / MIB for mark in marks[LOW:]]
    assert above == pytest.approx([65.5, 131, 197], abs=0.5)


def test_where_a_thousandth_is_little_the_gap_is_a_quarter_of_min() -> None:
    """256 MiB: sqrt(16 x 262,144) = 2,048 kB = 512 pages, a quarter is 128, a thousandth 65."""
    assert marks_of(256 * MIB) == [[512, 640, 768, 896]]


@pytest.mark.parametrize(
    ("pages", "kbytes"),
    [
        (1, 128),
        (256, 128),  # 1 MiB: sqrt(16 x 1,024) = 128
        (257, 128),
        (1024, 256),
        (4 * 1024 * GIB, 262_144),  # 4 TiB: sqrt(16 x 2**32) = 262,144
        (16 * 1024 * GIB, 262_144),
    ],
)
def test_min_free_kbytes_is_clamped_to_128_kb_and_256_mib(pages: int, kbytes: int) -> None:
    ((least, *_),) = marks_of(pages)
    assert least == kbytes // 4


def test_a_given_min_free_kbytes_is_taken_as_it_is() -> None:
    ((least, low, *_),) = marks_of(GIB, min_free_kbytes=1_000_000)
    assert (least, low) == (250_000, 250_000 + 62_500)
    ((least, *_),) = marks_of(GIB, min_free_kbytes=4)
    assert least == 1


def test_two_nodes_share_the_min_by_their_size_and_have_gaps_of_their_own() -> None:
    """16 and 48 GiB: min of 64 GiB is 32 MiB, a quarter and three quarters of it."""
    small, large = marks_of(16 * GIB, 48 * GIB)
    assert (small[MIN], large[MIN]) == (8 * MIB, 24 * MIB)
    assert small[LOW] - small[MIN] == 16 * GIB // 1000
    assert large[LOW] - large[MIN] == 48 * GIB // 1000


def test_the_scale_factor_is_in_ten_thousandths_of_the_node() -> None:
    ((least, low, high, promo),) = marks_of(10_000 * MIB, scale=200)
    assert low - least == high - low == promo - high == 200 * MIB


@given(
    st.lists(st.integers(1, 2**34), min_size=1, max_size=16),
    st.integers(0, 2**30),
    st.integers(1, 3000),
)
def test_marks_rise_and_mins_sum_to_the_reserve(sizes: list[int], kbytes: int, scale: int) -> None:
    marks = np.array(marks_of(*sizes, min_free_kbytes=kbytes, scale=scale))
    assert (np.diff(marks, axis=1) >= 0).all()
    assert np.array_equal(marks[:, PROMO] - marks[:, HIGH], marks[:, LOW] - marks[:, MIN])
    reserve = (kbytes or min(max(isqrt(64 * sum(sizes)), 128), 262_144)) // 4
    assert reserve - len(sizes) < marks[:, MIN].sum() <= reserve
