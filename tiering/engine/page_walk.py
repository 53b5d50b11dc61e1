"""Cost of TLB misses by footprint (docs/model.md#page-walk).

    W = m_tlb (L_cache + m_pt L_pt)

m_tlb: part of the accesses that miss the TLB, m_pt: part of those walks whose PTE misses the
caches. Both structures are taken to hold the hottest entries: for a flat pattern that gives
m_tlb = 1 - entries / pages and m_pt = 1 - cache bytes / (8 B x pages).
"""

import numpy as np
from numpy.typing import NDArray

PTE_BYTES = 8


def share_of_hottest(
    nr_folios: NDArray[np.int64], share: NDArray[np.float64], room: float
) -> float:
    """Part of the touches that go to the `room` hottest folios.

    nr_folios, share: [R] folios of each row and touches of one of them (any common scale).
    """
    order = np.argsort(-share, kind="stable")
    folios = nr_folios[order].astype(np.float64)
    before = np.cumsum(folios) - folios
    held = np.clip(room - before, 0.0, folios)
    weights = share[order]
    total = float(np.cumsum(folios * weights)[-1])
    return float(np.cumsum(held * weights)[-1]) / total if total > 0 else 1.0


def page_walk_ns(
    nr_folios: NDArray[np.int64],
    share: NDArray[np.float64],
    tlb_entries: int,
    pt_cache_bytes: float,
    cached_ns: float,
    memory_ns: float,
) -> float:
    """Mean page-walk cost of one access in ns; arguments as in `share_of_hottest`."""
    miss_tlb = 1.0 - share_of_hottest(nr_folios, share, tlb_entries)
    if miss_tlb <= 0.0:
        return 0.0
    reached = 1.0 - share_of_hottest(nr_folios, share, pt_cache_bytes / PTE_BYTES)
    miss_cache = min(reached / miss_tlb, 1.0)
    return miss_tlb * (cached_ns + miss_cache * memory_ns)
