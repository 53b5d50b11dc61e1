"""A node under reclaim, made by hand: what tests of both kinds of reclaim share."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.engine.machines import Layout, laid_out, pace, row_rates
from tiering.engine.flow import Pace
from tiering.engine.folios import LIST_MASK, LIST_SHIFT, NID_MASK, NID_SHIFT, Memory
from tiering.engine.generations import shrink_generations
from tiering.engine.invariants import check_books
from tiering.engine.reclaim import AGE_HAND, MAX_SEQ, NR_STATE, shrink
from tiering.engine.sink import Sink, Sunk, sunk
from tiering.engine.touch import scratch

FOREVER = 2**62
RMAP_NS, AGE_NS, DEMOTE_NS = 10.0, 2.0, 1000.0
COPY_NS = 4096  # a page, at one byte a ns


@dataclass
class Patient:
    """Memory, one kswapd's state and its books. tiers: of the nodes; capacity: pages."""

    memory: Memory
    capacity: list[int]
    sink: Sink
    rates: Any
    pace: Pace = field(default_factory=pace)
    nid: int = 0
    state: np.ndarray = field(default_factory=lambda: np.zeros(NR_STATE, np.int64))
    sunk: Sunk = field(default_factory=lambda: sunk(3, np.zeros(1, np.bool_)))

    def shrink(self, wanted: int, clock: int = 0, until: int = FOREVER) -> int:
        """Reclaim until `wanted` pages are free; the clock. Checks the books."""
        run = shrink_generations if self.sink.mglru else shrink
        end = run(
            self.memory, self.rates, scratch(), self.nid, self.state, clock, until, self.pace,
            wanted, self.sink, self.sunk,
        )  # fmt: skip
        self.check()
        return int(end)

    def round(self, clock: int = 0, wanted: int = FOREVER) -> int:
        """One step: the granule under the hand."""
        return self.shrink(wanted, clock, clock + 1)

    def check(self) -> None:
        check_books(self.memory, np.array(self.capacity), self.sink.slow == 0)
        assert self.sunk.from_nid.sum() == self.sunk.to_nid.sum() == self.sunk.pages[0]

    def nids(self, first: int, nr: int) -> list[int]:
        """Nodes of folios [first, first + nr)."""
        words = self.memory.folio[first : first + nr]
        return ((words & np.uint32(NID_MASK)) >> np.uint32(NID_SHIFT)).tolist()  # type: ignore[no-any-return]

    def lists(self, first: int, nr: int) -> list[int]:
        """Lists of folios [first, first + nr)."""
        words = self.memory.folio[first : first + nr]
        return ((words & np.uint32(LIST_MASK)) >> np.uint32(LIST_SHIFT)).tolist()  # type: ignore[no-any-return]

    def put(self, places: list[int], there: int) -> None:
        """Bring folios of the node, top tier or not, onto a list."""
        for index in places:
            granule, word = index // 8192, int(self.memory.folio[index])
            here, nid = (word & LIST_MASK) >> LIST_SHIFT, (word & NID_MASK) >> NID_SHIFT
            pages = self.memory.pages[self.memory.row0[granule]]
            self.memory.folio[index] = (word & ~LIST_MASK) | there << LIST_SHIFT
            self.memory.on_list[nid, here] -= pages
            self.memory.on_list[nid, there] += pages
            if not self.sink.slow[nid]:
                self.memory.lists[granule, here] -= 1
                self.memory.lists[granule, there] += 1
        self.check()


def patient(
    vmas: list[Layout],
    capacity: list[int],
    tiers: tuple[int, ...] = (0, 1, 2),
    mglru: bool = False,
    reserve: tuple[int, ...] = (0, 0, 0),
    stamps: bool = False,
    nid: int = 0,
    share: float = 0.0,
) -> Patient:
    """Three nodes; folios sink to the next lower tier first."""
    slow = [int(tier > 0) for tier in tiers]
    targets = np.full((3, 3), -1, np.int64)
    for node in range(3):
        lower = [n for n in range(3) if tiers[n] > tiers[node]]
        targets[node, : len(lower)] = lower
    terms = Sink(
        targets, np.array(reserve, np.int64), np.array(slow, np.uint8), mglru, RMAP_NS, AGE_NS,
        DEMOTE_NS, 1.0, 10_000_000_000,
    )  # fmt: skip
    memory = laid_out(vmas, capacity, slow, stamps)
    one = Patient(memory, capacity, terms, row_rates([share] * len(vmas)), nid=nid)
    one.state[[AGE_HAND, MAX_SEQ]] = -1, 3
    if mglru:
        memory.entry[:] = 3
        places = [
            granule * 8192 + i
            for granule in range(memory.nr.size)
            for i in range(memory.nr[granule])
        ]
        one.put(places, 3)
    return one
