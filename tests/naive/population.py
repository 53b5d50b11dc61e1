"""Processes of the naive twin come, grow and go; folios are allocated one by one.

Each goes to the first node that stays above its mark; the engine takes as many as fit at once.
"""

from tests.naive.memory import NOWHERE, Memory
from tests.naive.migrating import Migration
from tests.naive.processes import Process, Vma, Wrong
from tests.naive.reclaiming import Kswapd
from tests.naive.scanning import Scanner
from tests.naive.throughput import TICK_NS
from tiering.simulation.scenario import Scenario


class Population:
    """killed: names of processes that memory ran out for."""

    def __init__(
        self, scenario: Scenario, memory: Memory, processes: list[Process],
        kswapds: dict[int, Kswapd], scanners: list[Scanner], migration: Migration, wrong: Wrong,
    ) -> None:  # fmt: skip
        self.memory, self.processes, self.kswapds = memory, processes, kswapds
        self.scanners, self.migration, self.wrong = scanners, migration, wrong
        self.books = migration.books
        self.fault_ns = 1e3 * scenario.machine.fault_us
        self.next_ns: dict[Process, int | None] = {
            process: _on_grid(process.fields.start_s) for process in processes
        }
        self.killed: list[str] = []

    def act(self, now: int) -> None:
        """Starts and exits that are due, then growth."""
        for process in self.processes:
            if process.alive and self._is_due(process, now):
                self._exit(process, now)
            if not process.alive and self._is_due(process, now):
                self._start(process, now)
        for process in self.processes:
            if process.alive:
                self._grow(process, now)

    def _is_due(self, process: Process, now: int) -> bool:
        due = self.next_ns[process]
        return due is not None and due <= now

    def _start(self, process: Process, now: int) -> None:
        lifetime = _on_grid(process.fields.lifetime_s)
        self.next_ns[process] = now + lifetime if lifetime else None
        process.alive = True
        for folio in process.folios:
            if not self.wrong.remembers:
                folio.accessed = False
        self._grow(process, now)
        process.running = process.alive and process.finished_ns is None
        self.memory.changed = True
        for scanner in self.scanners:
            if process.alive and process in scanner.members:
                scanner.enter(process, now)

    def _exit(self, process: Process, now: int) -> None:
        every = _on_grid(process.fields.every_s)
        began = now - _on_grid(process.fields.lifetime_s)
        self.next_ns[process] = began + every if every else None
        self._free(process, now)

    def _free(self, process: Process, now: int) -> None:
        process.alive = process.running = False
        process.stall_ns = 0.0
        for folio in process.folios:
            accessed = folio.accessed
            self.books["freed_untouched"] += folio.pages if folio.untouched else 0
            self.memory.release(folio)
            folio.accessed = accessed and self.wrong.remembers
        self.memory.changed = True
        self.migration.forget(process, now)
        for scanner in self.scanners:
            scanner.leave(process)

    def _grow(self, process: Process, now: int) -> None:
        """First touch of all that belongs to the present phase of each region."""
        for region in process.regions:
            for vma in region.vmas:
                wanted = vma.there[min(region.phase, len(vma.there) - 1)]
                if wanted == 0 or vma.folios[wanted - 1].nid != NOWHERE:
                    continue  # folios are populated in their order
                while process.alive and self._allocate(process, vma, wanted, now):
                    self._kill(now)

    def _allocate(self, process: Process, vma: Vma, wanted: int, now: int) -> int:
        """How many folios found no place."""
        before = sum(folio.nid != NOWHERE for folio in vma.folios)
        self._fill(vma, wanted, "low")
        self._fill(vma, wanted, "least")
        for nid in vma.nodes:
            missing = wanted - sum(folio.nid != NOWHERE for folio in vma.folios)
            if missing > 0 and nid in self.kswapds:
                pages = self.memory.marks[nid].least + (missing << vma.order)
                demoted = self.books["demoted"]
                spent = self.kswapds[nid].direct(now, pages)
                process.stall_ns += spent if now else 0
                self.books["pgdemote_direct"] += self.books["demoted"] - demoted
                self._fill(vma, wanted, "least", nid)
        there = sum(folio.nid != NOWHERE for folio in vma.folios)
        if now:
            self.books["pgfault"] += max(there - before, 0)
            process.stall_ns += max(there - before, 0) * self.fault_ns
        return max(wanted - there, 0)

    def _fill(self, vma: Vma, wanted: int, mark: str, only: int | None = None) -> None:
        """Each folio goes to the first node that stays above its mark."""
        for folio in vma.folios[:wanted]:
            for nid in vma.nodes if only is None else (only,):
                least = getattr(self.memory.marks[nid], mark)
                if folio.nid == NOWHERE and self.memory.free[nid] - folio.pages >= least:
                    self.memory.place(folio, nid)

    def _kill(self, now: int) -> None:
        """Out of memory: the largest process goes."""
        assert now > 0, "the machine is too small to begin with"
        alive = [process for process in self.processes if process.alive]
        victim = max(alive, key=_resident_pages)
        self.killed.append(victim.name)
        self.next_ns[victim] = None
        self._free(victim, now)


def _resident_pages(process: Process) -> int:
    return sum(folio.pages for folio in process.folios if folio.nid != NOWHERE)


def _on_grid(seconds: float) -> int:
    return -(-round(seconds * 1e9) // TICK_NS) * TICK_NS
