"""Kernel threads: each has a clock of its own and pays for what it does.

Scanning threads are dispatched from here; those that move folios run tick by tick in
engine/carry.py, on the same clocks.
"""

import numpy as np

from tiering.engine.flow import slowdown
from tiering.engine.folios import Memory
from tiering.engine.jit import Direct
from tiering.engine.movers import Movers
from tiering.migration.queue import Migration, MigrationQueue
from tiering.simulation.build import World
from tiering.simulation.damon_join import kdamond_sides
from tiering.simulation.filters import Filters
from tiering.simulation.judge import Judge
from tiering.simulation.presets import PRESETS
from tiering.simulation.progress import Progress
from tiering.simulation.reclaimers import Reclaimers
from tiering.simulation.scenario import Scenario
from tiering.sources.source import Source
from tiering.sources.table import SOURCES

NS_PER_MS = 1_000_000
FAR = 2**62
WEIGHT_0 = 1024.0
NICE_STEP = 1.25  # a nice level is a tenth of the CPU, kernel/sched/core.c


def thread_lists(scenario: Scenario, source: str) -> list[list[int]]:
    """The mms of each thread of a source, or the slow nodes, by their place among them, where it
    goes through page frames."""
    if source == "damon":
        return [list(range(scenario.nr_processes)) for _ in kdamond_sides(scenario)]
    if source != "pte_scan":
        return [list(range(scenario.nr_processes))]
    if scenario.pte_scan.walk == "physical":
        nr_nodes = len(slow_nodes(scenario))
        nr = scenario.pte_scan.nr_threads or max(nr_nodes, 1)
        return [list(range(first, nr_nodes, nr)) for first in range(nr)]
    homes = [scenario.home_nid(process) for process, _ in scenario.all_processes()]
    nr = scenario.pte_scan.nr_threads
    if nr > 0:
        return [list(range(first, len(homes), nr)) for first in range(nr)]
    nids = sorted({node.nid for node in scenario.nodes if node.cpus} | set(homes))
    return [[mm for mm, home in enumerate(homes) if home == nid] for nid in nids]


def nr_threads(scenario: Scenario) -> dict[str, int]:
    """Threads of each source of a run."""
    return {name: len(thread_lists(scenario, name)) for name in scenario.joined.sources}


def slow_nodes(scenario: Scenario) -> list[tuple[int, str]]:
    """(nid, name) of all nodes below the top tier."""
    top = min(node.tier for node in scenario.nodes)
    return [(node.nid, node.name) for node in scenario.nodes if node.tier > top]


def kmigrated_nids(scenario: Scenario) -> list[int]:
    """Nodes with a kmigrated: those below the top tier, where hot folios wait for it."""
    if not scenario.joined.waits:
        return []
    return [nid for nid, _ in slow_nodes(scenario)]


def coldest_nids(scenario: Scenario) -> list[int]:
    """Nodes from which a thread demotes the coldest: those with a lower tier."""
    if "coldest_first" not in scenario.joined.demotion:
        return []
    lowest = max(node.tier for node in scenario.nodes)
    return [node.nid for node in scenario.nodes if node.tier < lowest]


def migrating(scenario: Scenario) -> Migration:
    """Knobs of migration; kmigrated carries what it found itself, batch by batch, in no queue."""
    knobs: Migration = scenario.migration
    if not kmigrated_nids(scenario):
        return knobs
    batch = scenario.kmigrated.kmigrated_batch_nr + 1
    return knobs._replace(owner="scanner", batch_nr=batch, queue_max=0)


def thread_names(scenario: Scenario) -> tuple[str, ...]:
    """Names of all kernel threads of a run: scanning, migrating, reclaiming."""
    names: list[str] = []
    for source, nr in nr_threads(scenario).items():
        own = source in PRESETS[scenario.preset].rooms.sources and PRESETS[scenario.preset].thread
        name = own or SOURCES[source].thread
        names += [name] if nr == 1 else [f"{name}/{i}" for i in range(nr)]
    scanning = len(names)
    names += [f"kmigrated{nid}" for nid in kmigrated_nids(scenario)]
    names += [f"coldest{nid}" for nid in coldest_nids(scenario)]
    if scanning and migrating(scenario).owner == "thread":
        names.append("migration")
    if scenario.reclaim.demotion_enabled:
        lowest = max(node.tier for node in scenario.nodes)
        names += [f"kswapd{node.nid}" for node in scenario.nodes if node.tier < lowest]
    return tuple(names)


def weight(nice: int) -> float:
    """CPU weight of a nice level, 1024 at 0."""
    value = WEIGHT_0
    for _ in range(abs(nice)):
        value = value / NICE_STEP if nice > 0 else value * NICE_STEP
    return value


def nice(scenario: Scenario, source: str) -> int:
    """Nice level of the threads of a source."""
    return int(scenario.pte_scan.nice) if source == "pte_scan" else 0


def movers(scenario: Scenario, world: World, reclaimers: Reclaimers) -> Movers:
    """Threads that move folios: those that drain the queue first, then kswapds."""
    nr_of, promoting = nr_threads(scenario), len(kmigrated_nids(scenario))
    scanning = sum(nr_of.values())
    inline = migrating(scenario).owner == "scanner"
    draining = (promoting or scanning) if inline else min(scanning, 1)
    nr = draining + len(reclaimers.nids)
    state = np.zeros((nr, reclaimers.state.shape[1]), np.int64)
    state[draining:] = reclaimers.state
    reclaimers.state = state[draining:]  # one state for kswapd and direct reclaim
    sleep = 0 if inline else scenario.migration.thread_sleep_ms * NS_PER_MS
    weights = [WEIGHT_0] * draining
    if inline and not promoting:
        weights = [weight(nice(scenario, name)) for name, n in nr_of.items() for _ in range(n)]
    tasks = sum(n for name, n in nr_of.items() if SOURCES[name].in_task)
    in_task = inline and not promoting and tasks > 0
    kernel = scanning - tasks if promoting or not inline else 0  # beside those in this table
    if in_task:
        kernel -= tasks
    kernel += len(coldest_nids(scenario))
    return Movers(
        clock=np.zeros(nr, np.int64),
        busy=np.zeros(nr, np.int64),
        nid=np.array([-1] * draining + reclaimers.nids, np.int64),
        awake=np.array([not inline] * draining + [False] * len(reclaimers.nids), np.bool_),
        state=state,
        weight=np.array(weights + [WEIGHT_0] * len(reclaimers.nids)),
        wanted=world.marks.wanted,
        low=world.marks.wake,
        sleep_ns=np.array([sleep], np.int64),
        scanning=np.array([0, kernel], np.int64),
        paid=np.array([int(in_task), 0], np.int64),
    )


def next_reclaim(movers: Movers, memory: Memory, now: int) -> int:
    """Time at which a kswapd acts next, `now` if it has to wake; FAR if none of them does."""
    soonest = FAR
    for k in np.flatnonzero(movers.nid >= 0).tolist():
        nid = movers.nid[k]
        if movers.awake[k] or memory.free[nid] < movers.low[nid]:
            soonest = min(soonest, max(int(movers.clock[k]), now))
    return soonest


_slowdown = Direct(slowdown)


class KernelThread:
    """What threads that scan or walk have in common.

    clock: ns at which it goes on. scan_ns: CPU time used without migration. inline: whether it
    migrates what it found itself, as the `nr`-th of the movers.
    """

    def __init__(self, nr: int, inline: bool, nice: int, all_movers: Movers) -> None:
        self.clock = self.scan_ns = 0
        self.nr, self.inline, self._movers = nr, inline, all_movers
        self._weight = weight(nice)
        self._slow = 1.0

    @property
    def draining(self) -> bool:
        """True while the thread migrates inline; its clock is then the mover's."""
        return self.inline and bool(self._movers.awake[self.nr])

    @property
    def busy_ns(self) -> int:
        """CPU time used, migration included."""
        return self.scan_ns + (int(self._movers.busy[self.nr]) if self.inline else 0)

    def take_clock(self) -> None:
        """After inline migration the thread goes on where that ended."""
        if self.inline:
            self.clock = max(self.clock, int(self._movers.clock[self.nr]))

    def _migrate(self) -> None:
        """From here on the thread migrates what waits."""
        self._movers.clock[self.nr] = self.clock
        self._movers.awake[self.nr] = True

    def _account(self, busy_ns: int) -> None:
        used = round(busy_ns / self._slow)
        self.scan_ns += used
        self._movers.scanning[0] += used

    def _dilation(self, progress: Progress) -> float:
        """Where CPUs are short, a ns of CPU takes longer on the clock."""
        nr_kernel = self._movers.clock.size + int(self._movers.scanning[1])
        self._slow = float(_slowdown(progress.flow, self._weight, nr_kernel))
        return self._slow


class SourceThread(KernelThread):
    """A thread of a source: notices, hands on what it found, and migrates it inline if it owns the
    queue."""

    def __init__(
        self,
        nr: int,
        scenario: Scenario,
        name: str,
        thread: int,
        source: Source,
        filters: Filters,
        queue: MigrationQueue,
        all_movers: Movers,
    ) -> None:
        """nr: among all threads of sources. thread: of this source, called name."""
        waits = len(kmigrated_nids(scenario)) > 0
        inline = migrating(scenario).owner == "scanner" and not waits
        super().__init__(nr, inline, nice(scenario, name), all_movers)
        self._name, self._thread = name, thread
        self._index = list(scenario.joined.sources).index(name)
        self._in_task = SOURCES[self._name].in_task
        self._mover = 0 if self._in_task else nr  # whoever found it, the same tasks migrate it
        self._source, self._filters, self._queue = source, filters, queue

    @property
    def draining(self) -> bool:
        """See KernelThread; tasks fault on while others of them migrate."""
        return not self._in_task and super().draining

    def take_clock(self) -> None:
        """See KernelThread."""
        if not self._in_task:
            super().take_clock()

    def run(self, until: int, progress: Progress, judge: Judge, alone: bool) -> int:
        """Work until the clock passes `until` or the tick in which something was found.

        alone: there is no other thread. Otherwise the step stops where it was found, so that
        candidates of several threads queue up in the order in which they were found. Returns when
        the first were handed on, ns, or -1.
        """
        before = self._slow
        slow = self._dilation(progress)
        if slow != before:
            self._source.dilate(slow)
        stops = self.inline or not alone
        step = self._source.run(self._thread, self.clock, until, progress.pace, stops)
        self.clock = step.clock
        self._account(step.busy_ns)
        reports = self._source.reports
        if step.nr_reports or len(self._source.passes):
            judge.take(self._index, reports, self._source.passes)
        if step.nr_reports:
            hot = self._filters.hotness.record(reports, progress.time_ns, self._name)
            if hot.folios.folios.size:
                chosen = self._filters.promotion.choose(
                    hot.folios, hot.latency_ms, self.clock, hot.heat
                )
                self._queue.add(chosen)
        if self.inline and step.ended and len(self._queue):
            self._migrate()
        if self._in_task and step.busy_ns and not step.nr_reports:
            return self.clock
        return int(reports.stamps[0]) if step.nr_reports else -1

    def rest(self, until: int) -> None:
        """Sleep on, as long as no visit begins."""
        self.clock, busy = self._source.rest(self._thread, self.clock, until)
        self._account(busy)

    def _migrate(self) -> None:
        """See KernelThread; tasks that migrate already go on from where they are."""
        if not (self._in_task and self._movers.awake[self._mover]):
            self._movers.clock[self._mover] = self.clock
            self._movers.awake[self._mover] = True

    def _account(self, busy_ns: int) -> None:
        if self._in_task:
            self.scan_ns += busy_ns  # tasks pay with their own time
        else:
            super()._account(busy_ns)
