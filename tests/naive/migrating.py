"""Promotion in the naive twin: the queue, and what becomes of every candidate.

A queue of folios with the time of their arrival, from which each batch takes some; the engine packs
granules, and decides as many candidates of one at a time as there is time for.
"""

from collections import Counter, deque
from collections.abc import Callable

from tests.naive.memory import NOWHERE, PAGE_BYTES, Folio, Memory
from tests.naive.processes import Wrong
from tests.naive.throughput import Throughput
from tiering.simulation.scenario import FOLIOS_PER_MIB, Scenario

SECOND = 1_000_000_000
MS = 1_000_000


class Migration:
    """queue: candidates with the time of their arrival. books: by the names of the counters."""

    def __init__(
        self, scenario: Scenario, memory: Memory, throughput: Throughput,
        touch_until: Callable[[int], None], wrong: Wrong,
    ) -> None:  # fmt: skip
        self.knobs, self.memory, self.throughput = scenario.migration, memory, throughput
        self.touch_until, self.wrong = touch_until, wrong
        self.target = self.knobs.target_node
        self.slow = [nid for nid, top in enumerate(memory.top) if not top]
        mark = memory.marks[self.target]
        self.reserve = {"none": 0, "min": mark.least, "high": mark.high}[self.knobs.reserve]
        if wrong.greedy:
            self.reserve = 0
        self.queue: deque[tuple[Folio, int]] = deque()
        self.books: Counter[str] = Counter()
        self.window, self.in_window = 0, 0
        self.refused = False  # the last batch found no room for a candidate
        self.oldest_ns = 0

    def add(self, folios: list[Folio], now: int) -> None:
        """What a visit found; what does not fit into a bounded queue is dropped."""
        for folio in folios:
            self.books["pgpromote_candidate"] += 1
            if self.knobs.queue_max and len(self.queue) == self.knobs.queue_max:
                self.books["queue_dropped"] += 1
            else:
                self.queue.append((folio, now))

    def forget(self, folios: list[Folio], now: int) -> None:
        """Their process exits: those among them that wait are stale, at no cost."""
        waiting, gone = self.queue, set() if self.wrong.keeps else set(folios)
        self.queue = deque(one for one in waiting if one[0] not in gone)
        for _, arrived in (one for one in waiting if one[0] in gone):
            self.books["migrate_stale"] += 1
            self.oldest_ns = max(self.oldest_ns, now - arrived)

    def waits(self, clock: int) -> bool:
        """Whether a candidate is there by now."""
        return bool(self.queue) and self.queue[0][1] <= clock

    def batch(self, clock: int) -> int:
        """Migrate one batch, a + n (b + s / c), of one granule; returns the clock after it."""
        self.refused = False
        self.touch_until(clock)
        granule, stamp = self.queue[0][0].granule, self.queue[0][1]
        spent = 1e3 * self.knobs.batch_us
        rate = self.throughput.copy_gb_s(self.slow, self.target, self.knobs.copy_gb_s)
        for _ in range(self.knobs.batch_nr):
            if not self.queue or self.queue[0][0].granule != granule or self.queue[0][1] != stamp:
                break
            folio, arrived = self.queue.popleft()
            self.oldest_ns = max(self.oldest_ns, clock - arrived)
            spent += 1e3 * self.knobs.folio_us
            failed = self._why_not(folio, clock)
            if failed:
                self.books["migrate_" + failed] += 1
            else:
                spent += folio.pages * PAGE_BYTES / rate
                self._promote(folio, clock)
        return clock + int(spent + 0.5)

    def _why_not(self, folio: Folio, clock: int) -> str:
        if folio.nid == NOWHERE or self.memory.top[folio.nid]:
            return "stale"
        if folio.pinned:
            return "pinned"
        if folio.shared and self.knobs.refuse_shared:
            return "shared"
        if self.memory.free[self.target] - folio.pages < self.reserve:
            self.refused = True
            return "no_room"
        if self.knobs.rate_limit_mib_s:
            if clock - self.window >= SECOND:
                self.window, self.in_window = clock // SECOND * SECOND, 0
            if self.in_window + folio.pages > self.knobs.rate_limit_mib_s * FOLIOS_PER_MIB:
                return "limited"
            self.in_window += folio.pages
        return ""

    def _promote(self, folio: Folio, clock: int) -> None:
        self.memory.move(folio, self.target)
        folio.untouched = True
        folio.promoted_ns = clock
        self.books["pgpromote_success"] += folio.pages


class Migrator:
    """The migration thread: drains what has arrived, sleeps, looks again."""

    awake = True

    def __init__(self, migration: Migration, wrong: Wrong) -> None:
        self.migration, self.clock = migration, 0
        self.sleep_ns = 1 * MS if wrong.sleepless else migration.knobs.thread_sleep_ms * MS

    def step(self) -> None:
        if self.migration.waits(self.clock):
            self.clock = self.migration.batch(self.clock)
        else:
            self.clock += self.sleep_ns
