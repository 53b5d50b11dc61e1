"""A slow, obvious twin of the whole simulation for tiny machines: every access is simulated.

Same scenario, same meaning, none of the engine's code. Accesses come one by one and set accessed
bits; every tick of 10 ms is visited; threads act in the order of their clocks, a granule or a
batch at a time, and find the bits as they are at that moment. Folios are objects, books are counted
anew, laws are exact, and the closed loop goes round until nothing changes.

Simulated are kmmscand and kscand with all that they meet: patterns and recordings, folio orders,
page cache, scans of page tables with inline migration or a thread, kswapd and direct reclaim by
lists and by generations, processes that come, grow, go and run out of memory, latency under load,
page walks, stalls. Not simulated: other sources, memories and rules, which have laws and recounts
of their own in their tests; DAMOS, coldest_first, classes; CPUs (there are plenty, and nobody waits
for one) and live knobs.

Where the engine simplifies, and docs/model.md says so, results may differ: within a tick it does
all scanning before all moving; it looks at a granule once for all candidates of a visit, so touches
between that look and a promotion count as after it; a folio's rate is that of its class. Machines
of the tests are so slow (a touch in a ms or more) and moves so cheap that little of it shows. What
changed within a tick changes speeds from its end on, here too.
"""

import random

from tests.naive.accuracy import Accuracy
from tests.naive.memory import Memory
from tests.naive.migrating import Migration, Migrator
from tests.naive.population import Population
from tests.naive.processes import RIGHT, Process, Wrong, processes_of
from tests.naive.reclaiming import Kswapd
from tests.naive.scanning import Scanner, scanned_vmas
from tests.naive.throughput import TICK_NS, Throughput
from tiering.simulation.scenario import Scenario

__all__ = ["RIGHT", "Twin", "Wrong"]


COUNTED = (
    "pgpromote_success", "pgpromote_candidate", "migrate_stale", "migrate_no_room",
    "migrate_pinned", "migrate_shared", "migrate_limited", "migrate_cold", "queue_dropped",
    "pgdemote_direct", "demote_fail", "demote_untouched", "ping_pong", "reclaim_scanned", "pgfault",
)  # fmt: skip
"""Counters that are kept in the books by the names of the engine's."""


class Twin:
    """run(), then read the figures: those of the engine by the same names."""

    def __init__(self, scenario: Scenario, seed: int, wrong: Wrong = RIGHT) -> None:
        self.now, self.wrong = 0, wrong
        self.until = -(-round(scenario.until_s * 1e9) // TICK_NS) * TICK_NS
        self.memory = Memory(scenario)
        self.processes = processes_of(scenario, self.memory, random.Random(seed), wrong)
        self.throughput = Throughput(scenario, self.memory, self.processes)
        self.migration = Migration(scenario, self.memory, self.throughput, self.touch_until, wrong)
        self.books = self.migration.books
        self.accuracy = Accuracy(self.throughput)
        self.kswapds: dict[int, Kswapd] = {}
        if scenario.reclaim.demotion_enabled:
            lowest = max(self.memory.tier)
            self.kswapds = {
                nid: Kswapd(
                    scenario, self.memory, nid, self.throughput, self.books, self.touch_until, wrong
                )
                for nid, tier in enumerate(self.memory.tier)
                if tier < lowest
            }
        self.scanners = self._scanners(scenario)
        self.migrators: list[Migrator] = []
        if self.scanners and scenario.migration.owner == "thread":
            self.migrators = [Migrator(self.migration, wrong)]
        self.population = Population(
            scenario,
            self.memory,
            self.processes,
            self.kswapds,
            self.scanners,
            self.migration,
            wrong,
        )
        self.copied = False

    @property
    def threads(self) -> list[Scanner | Migrator | Kswapd]:
        """Kernel threads; of those that are equally late the first goes next."""
        return [*self.scanners, *self.migrators, *self.kswapds.values()]

    def _scanners(self, scenario: Scenario) -> list[Scanner]:
        if "pte_scan" not in scenario.joined.sources:
            return []
        nr = scenario.pte_scan.nr_threads
        return [
            Scanner(
                scenario, self.memory, [p for p in self.processes[first::nr] if scanned_vmas(p)],
                self.migration, self.accuracy, self.touch_until,
            )
            for first in range(nr)
        ]  # fmt: skip

    def run(self) -> None:
        """To the end of the time, of all fixed work, or of the last process."""
        while not self.ended:
            self.tick()
        self._solve()
        self.memory.check()

    @property
    def ended(self) -> bool:
        fixed = [process for process in self.processes if process.work < float("inf")]
        work_done = fixed and all(process.finished_ns is not None for process in fixed)
        over = not any(p.alive or self.population.next_ns[p] is not None for p in self.processes)
        deserted = self.population.killed and over
        return bool(self.now >= self.until or work_done or deserted)

    def tick(self) -> None:
        """What changes at the tick itself, then 10 ms of threads and accesses."""
        begin, end = self.now, self.now + TICK_NS
        self.population.act(begin)
        if begin > 0:  # before, nobody has touched anything
            self._wake(begin)
        self._solve()
        while True:
            ready = [thread for thread in self.threads if thread.awake and thread.clock < end]
            if not ready:
                break
            thread = min(ready, key=lambda thread: thread.clock)
            moves = self.memory.moves
            thread.step()
            late = self.wrong.late  # a negative control: moves alone wake nobody
            if (self.memory.moves > moves and not late) or self.migration.refused:
                self._wake(thread.clock)
        self.touch_until(end)
        for process in self.processes:
            if process.running:
                paid = min(process.stall_ns, process.fields.threads * TICK_NS)
                process.stall_ns -= paid

    def _wake(self, now: int) -> None:
        """Every kswapd whose node is short of memory, or where a promotion just found no room."""
        for kswapd in self.kswapds.values():
            kswapd.wake(now, self.migration.refused and kswapd.nid == self.migration.refused_at)
        self.migration.refused = False

    def _solve(self) -> None:
        """The closed loop, where something changed since the last tick."""
        copies = any(self.memory.copied_from)
        stalled = any(process.stall_ns > 0 for process in self.processes)
        if self.memory.changed or copies or self.copied or stalled:
            self.throughput.solve()
        self.copied = copies or stalled
        self.memory.changed = False
        self.memory.copied_from = [0] * len(self.memory.size)
        self.memory.copied_to = [0] * len(self.memory.size)

    def touch_until(self, until: int) -> None:
        """Every access of every process up to `until` ns."""
        for process in self.processes:
            if process.running and until > self.now:
                self._touch(process, until)
        self.now = max(self.now, until)

    def _touch(self, process: Process, until: int) -> None:
        tau = process.tau + process.speed * (until - self.now)
        if tau >= process.work:
            process.finished_ns = self.now + (process.work - process.tau) / process.speed
            process.running = False
            self.memory.changed = True
            tau = process.work
        phases = [region.phase for region in process.regions]
        for region in process.regions:
            region.go_on(process.tau, tau)
        process.tau = tau
        if phases != [region.phase for region in process.regions]:
            self.memory.changed = True

    def figures(self) -> dict[str, float]:
        """Counters by the engine's names; figures of mms summed over all of them."""
        books, processes = self.books, self.processes
        still = sum(f.pages for p in processes for f in p.folios if f.untouched)
        for_nothing = books["demote_untouched"] + books["freed_untouched"] + still
        ends = [p.finished_ns for p in processes if p.finished_ns is not None]
        return {
            **{name: books[name] for name in COUNTED},
            "pgdemote_kswapd": books["demoted"] - books["pgdemote_direct"],
            "accesses": int(sum(process.tau for process in processes)),
            "visits": sum(process.visits for process in processes),
            "scanned": sum(process.scanned for process in processes),
            "found": sum(process.found for process in processes),
            "period": sum(process.period_ms for process in processes),
            "untouched": for_nothing / max(books["pgpromote_success"], 1),
            "hit_share": self.throughput.hit_share(),
            "oldest_ms": self.migration.oldest_ns / 1e6,
            "elapsed_s": max(ends, default=0.0) / 1e9,
            "killed": len(self.population.killed),
            **{f"free_{nid}": free for nid, free in enumerate(self.memory.free)},
            **self.accuracy.figures(),
        }
