"""Folios and nodes of the naive twin: plain objects, every fact in a field of its own.

A touch is an event here: it sets bits, and activates a file's folio at once. The engine has a word
for each, and learns of touches when somebody looks.
"""

from dataclasses import dataclass, field
from math import isqrt

from tiering.simulation.scenario import FOLIOS_PER_MIB, Scenario

NOWHERE = -1
INACTIVE, ACTIVE = 0, 1
FIRST_GENERATION = 3
PAGE_BYTES = 4096
GRANULE_PAGES = 8192  # whoever looks at a folio looks at its granule, 32 MiB of one VMA


@dataclass(eq=False, slots=True)
class Folio:
    """nid: NOWHERE before its first touch. rank: its list, or the number of its generation.

    granule: number of the 32 MiB in which it lies. mapped: it has PTEs, it is no mere page cache.
    """

    granule: int
    pages: int
    mapped: bool = True
    nid: int = NOWHERE
    rank: int = 0
    accessed: bool = False
    idle: bool = False
    young: bool = False
    referenced: bool = False
    untouched: bool = False  # not since its promotion
    pinned: bool = False
    shared: bool = False
    promoted_ns: int | None = None
    weights: list[float] = field(default_factory=list)  # touches per access, phase by phase


@dataclass(frozen=True)
class Marks:
    """Watermarks of a node in pages, and where kswapd wakes and sleeps."""

    least: int
    low: int
    high: int
    wake: int
    wanted: int


class Memory:
    """Nodes by nid and all granules in the order of their addresses, process by process."""

    def __init__(self, scenario: Scenario) -> None:
        self.size = [node.capacity_mib * FOLIOS_PER_MIB for node in scenario.nodes]
        self.free = list(self.size)
        first = min(node.tier for node in scenario.nodes)
        self.top = [node.tier == first for node in scenario.nodes]
        self.tier = [node.tier for node in scenario.nodes]
        self.marks = watermarks(scenario, self.size, self.top)
        self.granules: list[list[Folio]] = []
        self.copied_from = [0] * len(self.size)  # bytes since the loop was solved
        self.copied_to = [0] * len(self.size)
        self.changed = True  # placement is another than when the loop was solved
        self.moves = 0
        # By generations a folio is young where it arrives; by lists it stays on its list.
        self.generations = scenario.reclaim.lru == "mglru"
        self.youngest = [FIRST_GENERATION] * len(self.size)

    def place(self, folio: Folio, nid: int) -> None:
        """First touch."""
        folio.nid = nid
        folio.rank = self.youngest[nid] if self.generations else INACTIVE
        self.free[nid] -= folio.pages
        self.changed = True

    def touch(self, folio: Folio) -> None:
        """An access by a CPU, or the read() of a folio that nobody maps."""
        folio.untouched = False
        if folio.mapped:
            folio.accessed = True
        elif folio.referenced and folio.rank == INACTIVE and not self.generations:
            folio.idle, folio.referenced, folio.rank = False, False, ACTIVE
        else:
            folio.idle, folio.referenced = False, True

    def release(self, folio: Folio) -> None:
        """Its process exits: nothing of it stays."""
        if folio.nid != NOWHERE:
            self.free[folio.nid] += folio.pages
            self.changed = True
        folio.nid = NOWHERE
        folio.accessed = folio.idle = folio.young = folio.referenced = folio.untouched = False
        folio.promoted_ns = None

    def move(self, folio: Folio, nid: int) -> None:
        """To another node, with its flags."""
        self.copied_from[folio.nid] += folio.pages * PAGE_BYTES
        self.copied_to[nid] += folio.pages * PAGE_BYTES
        self.free[folio.nid] += folio.pages
        self.free[nid] -= folio.pages
        folio.nid = nid
        if self.generations:
            folio.rank = self.youngest[nid]
        self.changed = True
        self.moves += 1

    def check(self) -> None:
        """Every page is free or in one folio."""
        used = [0] * len(self.size)
        for granule in self.granules:
            for folio in granule:
                if folio.nid != NOWHERE:
                    used[folio.nid] += folio.pages
        assert [a + b for a, b in zip(used, self.free, strict=True)] == self.size
        assert min(self.free) >= 0


def watermarks(scenario: Scenario, size: list[int], top: list[bool]) -> list[Marks]:
    """docs/model.md#watermarks, a node at a time."""
    knobs = scenario.reclaim
    kbytes = knobs.min_free_kbytes or min(max(isqrt(16 * sum(size) * 4), 128), 262_144)
    marks = []
    for pages, is_top in zip(size, top, strict=True):
        least = kbytes // 4 * pages // sum(size)
        gap = max(least // 4, pages * knobs.watermark_scale_factor // 10_000)
        low, high, promo = least + gap, least + 2 * gap, least + 3 * gap
        head_room = pages * knobs.demote_scale_factor // 10_000 if is_top else 0
        wanted = promo if knobs.tiering_mode else high
        marks.append(Marks(least, low, high, max(low, head_room), max(wanted, head_room)))
    return marks
