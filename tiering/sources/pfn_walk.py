"""A scan of accessed bits in physical order, by reverse maps (docs/model.md#physical-walk).

It goes over the folios of one slow node: from the page frame to the folio, to its mappings, to
their PTEs, as page idle tracking and DAMON's paddr do. What it does with an accessed bit is what
kmmscand does (pte_walk.py). A page that nobody maps has none.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiering.engine.folios import GRANULE, NID_MASK, NID_SHIFT, SHARED, SLOW
from tiering.engine.jit import loop
from tiering.engine.look import tau_at
from tiering.engine.reports import has_room
from tiering.sources.pte_walk import (
    COLDPAGE,
    IDLEPAGE,
    SLOWTIER,
    TABLE,
    UNMAPPED,
    walk_and_count,
)


class Frames(NamedTuple):
    """Those of slow node nid. most: pages with which a visit ends. counts: i64[NR_COUNTS], see
    pte_walk.py."""

    nid: int
    most: int
    counts: NDArray[np.int64]


@loop
def walk_node(memory, rates, scratch, granule, end, clock, until, pace, rules, of, out, n, runs):  # type: ignore[no-untyped-def]
    """As `pte_walk.walk`, over the folios `of` a node in granules [granule, end).

    The order is that of the folio array. Returns (granule, clock, n, runs, pages scanned).
    """
    nid, counts = of.nid, of.counts
    scanned = np.int64(0)
    while granule < end and clock < until and scanned < of.most and has_room(out, n, runs):
        own, shared = np.int64(0), np.int64(0)
        if memory.nr_slow[granule] > 0:
            own, shared = _on_node(memory, granule, nid)
        if own > 0:
            pages = memory.pages[memory.row0[granule]]
            if memory.unmapped[granule] != 0:
                counts[UNMAPPED] += own * pages
                cost = own * rules.pte_slow_ns
            else:
                before = n
                tau = tau_at(memory, pace, granule, clock)
                n, cold = walk_and_count(
                    memory, rates, scratch, granule, tau, out.folios, n, rules.test, rules.skip, nid
                )
                if n > before:
                    out.ends[runs] = n
                    runs += 1
                looked = own - shared if rules.skip != 0 else own
                counts[SLOWTIER] += looked * pages
                counts[IDLEPAGE] += (looked - (n - before)) * pages
                counts[COLDPAGE] += cold * pages
                cost = _cost(own, shared, pages, rules)
            clock += np.int64(cost + 0.5)
            scanned += own * pages
        granule += 1
    return granule, clock, n, runs, scanned


@loop
def _on_node(memory, granule, nid):  # type: ignore[no-untyped-def]
    """(folios of a granule on the node, those of them that several mms map)."""
    mine, own, shared = np.uint32(SLOW | nid << NID_SHIFT), np.uint32(0), np.uint32(0)
    first = granule * GRANULE
    for index in range(first, first + memory.nr[granule]):
        value = memory.folio[index]
        here = np.uint32((value & np.uint32(SLOW | NID_MASK)) == mine)
        own += here
        shared += here & np.uint32((value & np.uint32(SHARED)) != 0)
    return np.int64(own), np.int64(shared)


@loop
def _cost(own, shared, pages, rules):  # type: ignore[no-untyped-def]
    """ns of looking at mapped folios, `shared` of which are in several page tables.

    A mapping costs its way through the reverse map and its further PTEs; a huge page is one entry.
    Shared folios that are passed over cost no more than a look at their page frame.
    """
    entries = 1 if pages == TABLE else pages
    mapping_ns = rules.rmap_ns + (entries - 1) * rules.pte_slow_ns
    if rules.skip != 0:
        return (own - shared) * mapping_ns + shared * rules.pte_slow_ns
    return (own - shared + shared * rules.nr_sharers) * mapping_ns
