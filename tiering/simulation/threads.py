"""Kernel threads: each has a clock of its own and pays for what it does."""

from abc import ABC, abstractmethod

from tiering.hotness.table import HOTNESS
from tiering.migration.queue import MigrationQueue
from tiering.promotion.table import PROMOTION
from tiering.simulation.presets import PRESETS
from tiering.simulation.progress import Progress
from tiering.simulation.scenario import Scenario
from tiering.sources.pte_scan import PteScanner

NS_PER_MS = 1_000_000


class KernelThread(ABC):
    """clock: ns at which the thread goes on. scan_ns, migrate_ns: CPU time used, by what for."""

    name = ""
    clock = 0
    scan_ns = 0
    migrate_ns = 0

    @property
    def busy_ns(self) -> int:
        """CPU time used."""
        return self.scan_ns + self.migrate_ns

    @property
    @abstractmethod
    def migrates(self) -> bool:
        """True if the next thing the thread does is to move folios."""

    @abstractmethod
    def run(self, until: int, progress: Progress) -> None:
        """Work until the clock passes `until` (ns) or something changed that others must see."""


class ScanThread(KernelThread):
    """kmmscand: scans, hands on what it found, and migrates it inline if it owns the queue."""

    name = "kmmscand"

    def __init__(self, scenario: Scenario, scanner: PteScanner, queue: MigrationQueue) -> None:
        preset = PRESETS[scenario.preset]
        self.scanner, self.queue = scanner, queue
        self.inline = scenario.migration.owner == "scanner"
        self._hotness = HOTNESS[preset.hotness][0]()
        self._promotion = PROMOTION[preset.promotion][0]()
        self._draining = False

    @property
    def migrates(self) -> bool:
        return self._draining and self.queue.moves

    def run(self, until: int, progress: Progress) -> None:
        if self._draining:
            begin = self.clock
            self.clock = self.queue.drain(self.clock, until, progress.copy_room())
            self.migrate_ns += self.clock - begin
            self._draining = len(self.queue) > 0
            return
        step = self.scanner.run(self.clock, until, progress.pace)
        self.clock = step.clock
        self.scan_ns += step.busy_ns
        if step.nr_reports:
            hot = self._hotness.record(self.scanner.reports[: step.nr_reports])
            self.queue.add(self._promotion.choose(hot))
        self._draining = self.inline and step.visit_ended and len(self.queue) > 0


class MigrationThread(KernelThread):
    """Drains the queue, sleeps, and looks again."""

    name = "migration"

    def __init__(self, queue: MigrationQueue) -> None:
        self.queue = queue

    @property
    def migrates(self) -> bool:
        return self.queue.moves

    def run(self, until: int, progress: Progress) -> None:
        begin = self.clock
        if len(self.queue):
            self.clock = self.queue.drain(self.clock, until, progress.copy_room())
            self.migrate_ns += self.clock - begin
        if not len(self.queue):
            self.clock += self.queue.knobs.thread_sleep_ms * NS_PER_MS
