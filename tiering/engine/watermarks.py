"""Watermarks of a node by the kernel's rule (docs/model.md#watermarks).

    min_free_kbytes = sqrt(16 x memory in kB), within 128 .. 262,144
    min = its part by the size of the node
    gap = max(min / 4, size x watermark_scale_factor / 10,000)
    low = min + gap,  high = low + gap,  promo = high + gap

Mirrors mm/page_alloc.c, each node taken for one zone. Not modelled: reserves of other zones, the
larger minimum where huge pages are on.
"""

from math import isqrt

import numpy as np
from numpy.typing import NDArray

MIN, LOW, HIGH, PROMO = range(4)
KB_PER_PAGE = 4
LEAST_KB, MOST_KB = 128, 262_144


def watermarks(
    capacity: NDArray[np.int64], min_free_kbytes: int, scale_factor: int
) -> NDArray[np.int64]:
    """i64[N, 4] pages: min, low, high and promo of each node.

    capacity: i64[N] pages. min_free_kbytes: 0 = by the rule. scale_factor: in 1/10,000 of a node.
    """
    pages = [int(one) for one in capacity]
    total_kb = sum(pages) * KB_PER_PAGE
    kbytes = min_free_kbytes or min(max(isqrt(16 * total_kb), LEAST_KB), MOST_KB)
    marks = np.zeros((len(pages), 4), np.int64)
    for nid, size in enumerate(pages):
        least = kbytes // KB_PER_PAGE * size // max(sum(pages), 1)
        gap = max(least // 4, size * scale_factor // 10_000)
        marks[nid] = [least, least + gap, least + 2 * gap, least + 3 * gap]
    return marks
