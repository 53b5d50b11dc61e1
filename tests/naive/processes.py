"""Processes of the naive twin: their memory, and every single access to it."""

import random
from dataclasses import dataclass, field
from itertools import accumulate
from math import ceil

from tests.naive.memory import GRANULE_PAGES, Folio, Memory
from tests.naive.patterns import INF, Law, law_of, recorded
from tiering.simulation.scenario import FOLIOS_PER_MIB, ProcessFields, Scenario


@dataclass(frozen=True)
class Wrong:
    """What a twin may be made to do wrong, so that a comparison has to fail: negative controls.

    Each is one mistake that an engine could make; tests/simulation/test_twin*.py hold each against
    the engine and must tell it apart.
    """

    rate: float = 1.0
    """Factor on all touches: pattern by pattern, in what is refused for want of room."""
    still: bool = False
    """The first phase never ends: in what a moving hot set lets the last visits find."""
    first_page: bool = False
    """A folio is touched only if its first page is: in the recall of large folios."""
    remembers: bool = False
    """What exits leaves its accessed bits behind: in what reclaim looks at, of short lives."""
    keeps: bool = False
    """Candidates outlive their process: in how many are stale, of short lives."""
    sleepless: bool = False
    """The migration thread hardly sleeps: in the age of the oldest candidate."""
    greedy: bool = False
    """Promotion keeps no watermark free: in how much rises."""
    late: bool = False
    """kswapd wakes where a promotion found no room, not below low: in how many find none."""
    hasty: bool = False
    """kswapd copies as fast as a CPU can, whatever bandwidth is left: in what sinks."""
    ignorant: bool = False
    """A demotion does not ask whether the folio was accessed: in what reclaim looks at."""
    forgetful: bool = False
    """A folio that is activated is not referenced any more: in what reclaim looks at."""
    stuck: bool = False
    """The hand of kswapd does not move: in what sinks."""
    trusting: bool = False
    """kswapd takes pinned folios for freed: in what it looks at, where some are pinned."""


RIGHT = Wrong()


@dataclass(eq=False)
class Vma:
    """Folios in the order of their addresses; a VMA may be a piece of a region.

    there: folios by phase of the region's law. nodes: nids in the order in which they are tried.
    """

    folios: list[Folio]
    granules: list[list[Folio]]
    order: int
    nodes: tuple[int, ...]
    there: list[int]
    mapped: bool

    @property
    def size_mib(self) -> float:
        return (len(self.folios) << self.order) / FOLIOS_PER_MIB


class Region:
    """Memory under one law; touches come at Poisson times, or where a sweep is."""

    def __init__(
        self, law: Law, part: float, order: int, memory: Memory, rng: random.Random, wrong: Wrong
    ) -> None:
        """part: of the process's accesses that go here."""
        self.law, self.part, self.order = law, part, order
        self.memory, self.rng, self.wrong = memory, rng, wrong
        self.vmas: list[Vma] = []
        self.folios: list[Folio] = []
        self.phase, self.ends = 0, law.lengths[0]
        self.left = rng.expovariate(1.0)  # touches that are expected until the next one comes
        self.swept = 0  # accesses of the sweep so far
        self.read: Folio | None = None  # last folio of a file that a sweep came to
        self.cumulated = [list(accumulate(weights)) for weights in law.weights]
        self.pages = range(len(law.weights[0]))
        if wrong.still:
            self.ends = INF

    def go_on(self, tau0: float, tau1: float) -> None:
        """All touches while the process makes accesses tau0 to tau1."""
        if self.law.sweep:
            self._sweep(tau1)
            return
        while True:
            density = self.cumulated[self.phase][-1] * self.part * self.wrong.rate
            end = min(tau1, self.ends)
            if self.left > density * (end - tau0):
                self.left -= density * (end - tau0)
                tau0 = end
                if tau0 >= tau1:
                    break
                self._next_phase()
            else:
                tau0 += self.left / density
                self.left = self.rng.expovariate(1.0)
                (page,) = self.rng.choices(self.pages, cum_weights=self.cumulated[self.phase])
                self._touch(page)
        while self.ends <= tau1:
            self._next_phase()

    def _next_phase(self) -> None:
        self.phase = (self.phase + 1) % len(self.law.lengths)
        self.ends += self.law.lengths[self.phase]

    def _sweep(self, tau1: float) -> None:
        """Access m of the region is made when its process has made m / part."""
        order, burst = self.law.sweep, self.law.burst
        until = ceil(self.part * tau1)
        while self.swept < until:
            self._touch(order[self.swept // burst % len(order)])
            self.swept += 1

    def _touch(self, page: int) -> None:
        if self.wrong.first_page and page % (1 << self.order):
            return
        folio = self.folios[page >> self.order]
        if folio.mapped or not self.law.sweep or folio is not self.read:
            self.memory.touch(folio)
        self.read = folio


@dataclass(eq=False)
class Process:
    """tau: accesses made so far. speed: accesses per ns. stall_ns: its threads have to lose."""

    name: str
    fields: ProcessFields
    regions: list[Region]
    vmas: list[Vma] = field(default_factory=list)
    alive: bool = False
    running: bool = False
    tau: float = 0.0
    work: float = INF
    speed: float = 0.0
    stall_ns: float = 0.0
    finished_ns: float | None = None
    # what kmmscand knows of it
    due_ns: int | None = None
    period_ms: int = 0
    base_ms: int = 0
    size_mib: int = 0
    useful: int = 0
    found: int = 0
    cursor: int = 0
    inside: int = 0
    visits: int = 0
    scanned: int = 0

    @property
    def outstanding(self) -> float:
        return self.fields.threads * self.fields.mlp

    @property
    def folios(self) -> list[Folio]:
        return [folio for vma in self.vmas for folio in vma.folios]


def processes_of(
    scenario: Scenario, memory: Memory, rng: random.Random, wrong: Wrong
) -> list[Process]:
    """All processes with their memory, nothing of it populated; fills memory.granules."""
    everyone = []
    for fields, name in scenario.all_processes():
        process = Process(name, fields, [])
        process.work = fields.work_accesses or INF
        if fields.recording is not None:
            law = recorded(fields, scenario.folder)
            region = Region(law, 1.0, 0, memory, rng, wrong)
            nodes = scenario.allowed_nids(fields, fields.node)
            _lay_out(region, len(law.weights[0]), nodes, True)
            process.regions.append(region)
            process.work = sum(law.lengths) * fields.repeat or INF
        shares = [vma.share_pct or 0.0 for vma in fields.vmas]
        sizes = [vma.size_mib for vma in fields.vmas]
        for at, vma in enumerate(fields.vmas):
            nr = max(1, round(vma.size_mib * FOLIOS_PER_MIB))
            part = shares[at] / 100 if any(shares) else sizes[at] / sum(sizes)
            region = Region(law_of(vma, nr, rng), part, vma.order, memory, rng, wrong)
            nodes = scenario.allowed_nids(fields, vma.node)
            step = max(1, round(vma.split_mib * FOLIOS_PER_MIB) or nr)
            _lay_out(region, step, nodes, vma.kind == "anon")
            for piece in region.vmas:
                _mark(piece, vma.pinned_pct, vma.shared_pct, rng)
            process.regions.append(region)
        process.vmas = [vma for region in process.regions for vma in region.vmas]
        for granule in (granule for piece in process.vmas for granule in piece.granules):
            for folio in granule:
                folio.granule = len(memory.granules)
            memory.granules.append(granule)
        everyone.append(process)
    return everyone


def _lay_out(region: Region, step_pages: int, nodes: tuple[int, ...], mapped: bool) -> None:
    """Folios with the touches of all their pages, cut into VMAs of step_pages."""
    pages = 1 << region.order
    rows = region.law.weights
    for first in range(0, len(rows[0]), pages):
        weights = [region.part * sum(row[first : first + pages]) for row in rows]
        region.folios.append(Folio(-1, pages, mapped, weights=weights))
    step = max(1, step_pages >> region.order)
    granule = GRANULE_PAGES >> region.order
    there = [-(-nr // pages) for nr in region.law.populated] or [len(region.folios)]
    for first in range(0, len(region.folios), step):
        folios = region.folios[first : first + step]
        granules = [folios[i : i + granule] for i in range(0, len(folios), granule)]
        mine = [min(max(nr - first, 0), len(folios)) for nr in there]
        region.vmas.append(Vma(folios, granules, region.order, nodes, mine, mapped))


def _mark(vma: Vma, pinned_pct: float, shared_pct: float, rng: random.Random) -> None:
    for folio in rng.sample(vma.folios, round(len(vma.folios) * pinned_pct / 100)):
        folio.pinned = True
    for folio in rng.sample(vma.folios, round(len(vma.folios) * shared_pct / 100)):
        folio.shared = True
