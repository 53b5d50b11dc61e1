"""Reclaim in the naive twin: who sinks, by two lists or by generations, folio by folio.

The rules are those of docs/model.md#reclaim. What the engine keeps in counters (folios by list) is
counted anew here each time somebody asks, and folios sink one by one, not a granule's at once.
"""

from collections import Counter
from collections.abc import Callable
from math import isqrt

from tests.naive.memory import ACTIVE, FIRST_GENERATION, INACTIVE, PAGE_BYTES, Folio, Memory
from tests.naive.processes import Wrong
from tests.naive.throughput import Throughput
from tiering.simulation.scenario import Scenario

HOPELESS_NS = 1_000_000_000
PAGES_PER_GIB = 262_144
MOST_AGINGS = 3


class Kswapd:
    """kswapd of one node; direct reclaim by a task uses the same hands."""

    def __init__(
        self, scenario: Scenario, memory: Memory, nid: int, throughput: Throughput,
        books: Counter[str], touch_until: Callable[[int], None], wrong: Wrong,
    ) -> None:  # fmt: skip
        self.knobs, self.copy_gb_s = scenario.reclaim, scenario.migration.copy_gb_s
        self.memory, self.nid, self.throughput, self.books = memory, nid, throughput, books
        self.touch_until, self.wrong = touch_until, wrong
        self.clock, self.awake = 0, False
        self.hand = self.active_hand = 0
        self.fruitless = 0  # steps of the hand since something sank
        self.oldest, self.youngest = 0, FIRST_GENERATION
        self.aging_at: int | None = None
        self.agings = 0  # in a row, without anything to demote
        lower = [n for n in range(len(memory.tier)) if memory.tier[n] > memory.tier[nid]]
        self.targets = sorted(lower, key=lambda n: (memory.tier[n], abs(n - nid)))

    @property
    def satisfied(self) -> bool:
        return self.memory.free[self.nid] >= self.memory.marks[self.nid].wanted

    def wake(self, now: int, refused: bool) -> None:
        """Below low, or where a promotion found no room."""
        low = self.memory.free[self.nid] < self.memory.marks[self.nid].wake
        if not self.awake and (low or (refused and not self.satisfied)):
            self.awake = True
            self.clock = max(self.clock, now)

    def step(self) -> None:
        """A granule, or the decision to sleep."""
        if self.satisfied:
            self.awake, self.fruitless = False, 0
        elif self.fruitless >= 2 * len(self.memory.granules):
            self.fruitless = 0
            self.clock += HOPELESS_NS
        else:
            self.rate = self._copy_gb_s()
            self.clock = self._shrink(self.clock, self.memory.marks[self.nid].wanted)
            if self.satisfied:
                self.awake, self.fruitless = False, 0

    def direct(self, now: int, wanted: int) -> int:
        """A task reclaims at once until `wanted` pages are free; returns the ns it took."""
        clock, rounds = now, 2 * len(self.memory.granules)
        self.rate = self.copy_gb_s
        while self.memory.free[self.nid] < wanted and self.fruitless < rounds:
            clock = self._shrink(clock, wanted)
        self.fruitless = 0
        return clock - now

    def _copy_gb_s(self) -> float:
        """What one CPU copies, or accesses leave of this node and of that to which folios sink."""
        below = [n for n in self.targets if self._leaves_least(n, 1)]
        if self.wrong.hasty:
            return self.copy_gb_s
        target = below[0] if below else self.nid
        return self.throughput.copy_gb_s([self.nid], target, self.copy_gb_s)

    def _shrink(self, clock: int, wanted: int) -> int:
        if self.knobs.lru == "mglru":
            return self._shrink_generations(clock, wanted)
        clock = self._next_inactive(clock, wanted)
        for _ in self.memory.granules:
            if not self._inactive_is_low():
                break
            clock = self._deactivate(clock)
        return clock

    def _next_inactive(self, clock: int, wanted: int) -> int:
        """Inactive folios of the granule under the hand: demote, or give a second chance."""
        mine = self._under_hand(INACTIVE, clock)
        if not mine:
            return clock
        before, spent, old = self.books["demoted"], 0.0, 0
        enough = self._needed(mine[0].pages, wanted)
        for folio in mine:
            spent += self.knobs.rmap_ns
            self.books["reclaim_scanned"] += 1
            if not self._was_referenced(folio):
                folio.referenced = False
                spent += self._demote(folio, clock)
                old += self.wrong.trusting or not folio.pinned
                if old >= enough:
                    break
            elif folio.referenced:
                folio.rank, folio.referenced = ACTIVE, not self.wrong.forgetful
            else:
                folio.referenced = True
        self.fruitless = 0 if self.books["demoted"] > before else self.fruitless + 1
        return clock + int(spent + 0.5)

    def _under_hand(self, rank: int, clock: int) -> list[Folio]:
        """Folios of that rank in the granule under the hand, which moves on; touched until now."""
        mine = [f for f in self.memory.granules[self.hand] if self._has(f, rank)]
        self._move_hand()
        if mine:
            self.touch_until(clock)
        else:
            self.fruitless += 1
        return mine

    def _inactive_is_low(self) -> bool:
        """Active pages outweigh inactive ones by more than sqrt(10 x GiB) to 1."""
        pages = [0, 0]
        for granule in self.memory.granules:
            for folio in granule:
                if folio.nid == self.nid:
                    pages[folio.rank] += folio.pages
        ratio = max(isqrt(10 * (sum(pages) // PAGES_PER_GIB)), 1)
        return pages[INACTIVE] * ratio < pages[ACTIVE]

    def _deactivate(self, clock: int) -> int:
        """Active folios of the granule under the other hand, whether accessed or not."""
        mine = [f for f in self.memory.granules[self.active_hand] if self._has(f, ACTIVE)]
        self.active_hand = (self.active_hand + 1) % len(self.memory.granules)
        if mine:
            self.touch_until(clock)
        for folio in mine:
            self._was_referenced(folio)
            folio.rank = INACTIVE
        self.books["reclaim_scanned"] += len(mine)
        return clock + int(len(mine) * self.knobs.rmap_ns + 0.5)

    def _shrink_generations(self, clock: int, wanted: int) -> int:
        """Age a granule if aging is under way or due, otherwise evict from one."""
        if self.aging_at is None:
            while self.youngest - self.oldest >= 2 and not self._members(self.oldest):
                self.oldest += 1
            if self.youngest - self.oldest < 2:
                if self.agings == MOST_AGINGS:
                    self.agings, self.fruitless = 0, 2 * len(self.memory.granules)
                    return clock
                self.agings += 1
                self.aging_at = 0
        if self.aging_at is not None:
            return self._age(clock, self.aging_at)
        mine = self._under_hand(self.oldest, clock)
        if not mine:
            return clock
        before, spent, old = self.books["demoted"], 0.0, 0
        enough = self._needed(mine[0].pages, wanted)
        for folio in mine:
            spent += self.knobs.rmap_ns
            self.books["reclaim_scanned"] += 1
            if self._was_referenced(folio):
                folio.rank = self.youngest
                continue
            spent += self._demote(folio, clock)
            old += self.wrong.trusting or not folio.pinned
            if old >= enough:
                break
        self.fruitless += 1
        if self.books["demoted"] > before:
            self.fruitless = self.agings = 0
        return clock + int(spent + 0.5)

    def _members(self, rank: int) -> int:
        return sum(self._has(f, rank) for granule in self.memory.granules for f in granule)

    def _age(self, clock: int, at: int) -> int:
        """What was accessed joins the youngest; a new one begins when all were looked at."""
        mine = [f for f in self.memory.granules[at] if f.nid == self.nid and f.mapped]
        if mine:
            self.touch_until(clock)
        for folio in mine:
            if self._was_referenced(folio):
                folio.rank = self.youngest
        self.books["reclaim_scanned"] += len(mine)
        pages = sum(folio.pages for folio in mine)
        self.aging_at = at + 1
        if self.aging_at == len(self.memory.granules):
            self.aging_at = None
            self.youngest += 1
            self.memory.youngest[self.nid] = self.youngest
        return clock + int(pages * self.knobs.age_ns + 0.5)

    def _needed(self, pages: int, wanted: int) -> int:
        """Folios of that size that would free enough."""
        return -(-(wanted - self.memory.free[self.nid]) // pages)

    def _has(self, folio: Folio, rank: int) -> bool:
        return folio.nid == self.nid and folio.rank == rank

    def _move_hand(self) -> None:
        if not self.wrong.stuck:
            self.hand = (self.hand + 1) % len(self.memory.granules)

    def _was_referenced(self, folio: Folio) -> bool:
        """Accessed or young since the last look; both are cleared."""
        was = folio.accessed or folio.young
        if folio.accessed:
            folio.idle = False
        folio.accessed = folio.young = False
        return was and not self.wrong.ignorant

    def _demote(self, folio: Folio, clock: int) -> float:
        """Move one folio down if there is room below; returns the ns spent."""
        cost = 1e3 * self.knobs.demote_us
        room = [n for n in self.targets if self._leaves_least(n, folio.pages)]
        if folio.pinned or not room:
            self.books["demote_fail"] += 1
            return cost
        if folio.untouched:
            self.books["demote_untouched"] += folio.pages
        if folio.promoted_ns is not None:
            soon = clock - folio.promoted_ns <= self.knobs.ping_pong_s * 1e9
            self.books["ping_pong"] += folio.pages if soon else 0
        folio.promoted_ns, folio.untouched, folio.referenced = None, False, False
        self.memory.move(folio, room[0])
        self.books["demoted"] += folio.pages
        return cost + folio.pages * PAGE_BYTES / self.rate

    def _leaves_least(self, nid: int, pages: int) -> bool:
        return self.memory.free[nid] - pages >= self.memory.marks[nid].least
