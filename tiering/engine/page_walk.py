"""Cost of TLB misses by footprint and folio order (docs/model.md#page-walk).

    W = m_tlb (L_cache + m_pt L_pt)

m_tlb: part of the accesses that miss the TLB, m_pt: part of those walks whose entry misses the
caches. Both structures are taken to hold the hottest entries: for a flat pattern of 4 KiB folios
that gives m_tlb = 1 - entries / pages and m_pt = 1 - cache bytes / (8 B x pages). A 2 MiB folio
takes one entry of each.
"""

import numpy as np
from numpy.typing import NDArray

PTE_BYTES = 8
HUGE_PAGES = 512


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
    pages: NDArray[np.int64],
    tlb_entries: int,
    coalesce_order: int,
    pt_cache_bytes: float,
    cached_ns: float,
    memory_ns: float,
) -> float:
    """Mean page-walk cost of one access in ns.

    nr_folios, share: as in `share_of_hottest`; pages: [R] 4 KiB pages of a folio of the row.
    coalesce_order: largest order below 2 MiB of which a folio takes one TLB entry.
    """
    huge = pages >= HUGE_PAGES
    entries = np.where(huge, 1, np.maximum(pages >> coalesce_order, 1))  # of the TLB, a folio
    miss_tlb = 1.0 - share_of_hottest(nr_folios * entries, share / entries, tlb_entries)
    if miss_tlb <= 0.0:
        return 0.0
    words = np.where(huge, 1, pages)  # page-table entries, a folio
    reached = 1.0 - share_of_hottest(nr_folios * words, share / words, pt_cache_bytes / PTE_BYTES)
    miss_cache = min(reached / miss_tlb, 1.0)
    return miss_tlb * (cached_ns + miss_cache * memory_ns)
