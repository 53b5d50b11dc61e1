"""Promotion in the naive twin: the queue, and what becomes of every candidate.

A queue of folios with the time of their arrival, from which each batch takes some; the engine packs
granules, and decides as many candidates of one at a time as there is time for.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable

from tests.naive.memory import ACTIVE, NOWHERE, PAGE_BYTES, Folio, Memory
from tests.naive.processes import Process, Wrong
from tests.naive.throughput import Throughput
from tiering.simulation.scenario import FOLIOS_PER_MIB, Scenario

SECOND = 1_000_000_000
MS = 1_000_000
Queue = deque[tuple[Folio, int, Process]]


class Tally:
    """What became of the last attempts of an mm: share that failed, in percent."""

    def __init__(self) -> None:
        self.good = self.bad = self.new_good = self.new_bad = self.share = 0

    def count(self, moved: bool) -> None:
        self.new_good += moved
        self.new_bad += not moved
        if self.new_good + self.new_bad == 1024:
            self.good = self.good // 4 + self.new_good
            self.bad = self.bad // 4 + self.new_bad
            self.share = 100 * self.bad // (self.good + self.bad)
            self.drained()

    def drained(self) -> None:
        self.new_good = self.new_bad = 0


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
        self.targets: dict[Process, int] = {}  # by their last visit
        self.refused_at = self.target
        self.queue: Queue = deque()
        self.others: dict[Process, Queue] = {}  # lists that wait, with one for every mm
        self.current: Process | None = None
        self.tallies: dict[Process, Tally] = defaultdict(Tally)
        self.books: Counter[str] = Counter()
        self.window, self.in_window = 0, 0
        self.refused = False  # the last batch found no room for a candidate
        self.oldest_ns = 0

    def add(self, process: Process, folios: list[Folio], now: int) -> None:
        """What a visit found; what does not fit into a bounded queue is dropped."""
        for folio in folios:
            self.books["pgpromote_candidate"] += 1
            if self.knobs.queue_max and self.waiting == self.knobs.queue_max:
                self.books["queue_dropped"] += 1
            else:
                self._list_of(process).append((folio, now, process))

    @property
    def waiting(self) -> int:
        return len(self.queue) + sum(map(len, self.others.values()))

    def _list_of(self, process: Process) -> Queue:
        if self.knobs.lists == "one":
            return self.queue
        if self.knobs.lists == "first_mm" and self.current in (process, None):
            self.current = process
            return self.queue
        return self.others.setdefault(process, deque())

    def turn(self) -> bool:
        """Go on with the list of the mm that has waited longest; False if there is none."""
        if self.knobs.lists == "one" or self.queue or not self.others:
            return False
        if self.knobs.lists == "first_mm" and self.current is not None:
            return False
        self.current = next(iter(self.others))
        self.queue = self.others.pop(self.current)
        return True

    def forget(self, process: Process, now: int) -> None:
        """A process exits: what waits of it is stale, at no cost."""
        if self.wrong.keeps:
            return
        waiting = [*self.queue, *self.others.pop(process, ())]
        self.queue = deque(one for one in self.queue if one[2] is not process)
        for _, arrived, owner in waiting:
            if owner is process:
                self.books["migrate_stale"] += 1
                self.oldest_ns = max(self.oldest_ns, now - arrived)
        self.tallies.pop(process, None)
        self.targets.pop(process, None)
        if self.current is process:
            self.current = None
            if self.knobs.lists == "first_mm":
                self.turn()

    def target_of(self, process: Process) -> int:
        return self.targets.get(process, self.target)

    def reserve(self, nid: int) -> int:
        mark = self.memory.marks[nid]
        reserve = {"none": 0, "min": mark.least, "high": mark.high}[self.knobs.reserve]
        return 0 if self.wrong.greedy else reserve

    def fail_pct(self, process: Process) -> int:
        return self.tallies[process].share

    def waits(self, clock: int) -> bool:
        """Whether a candidate is there by now."""
        return bool(self.queue) and self.queue[0][1] <= clock

    def batch(self, clock: int) -> int:
        """Migrate one batch, a + n (b + s / c), of one granule; returns the clock after it."""
        self.refused = False
        self.touch_until(clock)
        granule, stamp, process = self.queue[0][0].granule, self.queue[0][1], self.queue[0][2]
        spent = 1e3 * self.knobs.batch_us
        target = self.target_of(process)
        rate = self.throughput.copy_gb_s(self.slow, target, self.knobs.copy_gb_s)
        for _ in range(self.knobs.batch_nr):
            if not self.queue or self.queue[0][0].granule != granule or self.queue[0][1] != stamp:
                break
            folio, arrived, _ = self.queue.popleft()
            self.oldest_ns = max(self.oldest_ns, clock - arrived)
            spent += 1e3 * self.knobs.folio_us
            failed = self._why_not(folio, clock, target)
            self.tallies[process].count(not failed)
            if failed:
                self.books["migrate_" + failed] += 1
            else:
                spent += folio.pages * PAGE_BYTES / rate
                self._promote(folio, clock, target)
        if not self.queue:
            self.tallies[process].drained()
        return clock + int(spent + 0.5)

    def _why_not(self, folio: Folio, clock: int, target: int) -> str:
        if folio.nid == NOWHERE or self.memory.top[folio.nid]:
            return "stale"
        if not self._is_hot(folio):
            return "cold"
        if folio.pinned:
            return "pinned"
        if folio.shared and self.knobs.refuse_shared:
            return "shared"
        if self.memory.free[target] - folio.pages < self.reserve(target):
            self.refused, self.refused_at = True, target
            return "no_room"
        if self.knobs.rate_limit_mib_s:
            if clock - self.window >= SECOND:
                self.window, self.in_window = clock // SECOND * SECOND, 0
            if self.in_window + folio.pages > self.knobs.rate_limit_mib_s * FOLIOS_PER_MIB:
                return "limited"
            self.in_window += folio.pages
        return ""

    def _is_hot(self, folio: Folio) -> bool:
        if self.knobs.still_hot == "not_idle":
            return not folio.idle and (folio.young or folio.referenced)
        if self.knobs.still_hot == "active":
            memory = self.memory
            youngest = memory.youngest[folio.nid]
            return folio.rank >= youngest - 1 if memory.generations else folio.rank == ACTIVE
        return True

    def _promote(self, folio: Folio, clock: int, target: int) -> None:
        self.memory.move(folio, target)
        folio.untouched = True
        folio.promoted_ns = clock
        self.books["pgpromote_success"] += folio.pages


class Migrator:
    """The migration thread: drains what has arrived, sleeps, looks again."""

    awake = True

    def __init__(self, migration: Migration, wrong: Wrong) -> None:
        self.migration, self.clock, self.slept = migration, 0, True
        self.sleep_ns = 1 * MS if wrong.sleepless else migration.knobs.thread_sleep_ms * MS

    def step(self) -> None:
        if self.migration.waits(self.clock):
            self.clock = self.migration.batch(self.clock)
            self.slept = False
        elif not (self.slept and self.migration.turn()):
            self.clock += self.sleep_ns
            self.slept = True
