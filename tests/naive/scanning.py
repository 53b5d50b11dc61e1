"""kmmscand and kscand of the naive twin: the list, the visits, the PTE callback, folio by folio.

Bits are those that accesses have set; the engine draws them when it looks. A granule is a step,
after which other threads that are behind go first.
"""

from collections import Counter
from collections.abc import Callable

from tests.naive.accuracy import Accuracy
from tests.naive.memory import NOWHERE, Folio, Memory
from tests.naive.migrating import Migration
from tests.naive.processes import Process, Vma
from tiering.simulation.scenario import FOLIOS_PER_MIB, Scenario

MS = 1_000_000


class Scanner:
    """A scanning thread; clock: its own time, ns. With inline migration it also moves folios."""

    def __init__(
        self, scenario: Scenario, memory: Memory, members: list[Process], migration: Migration,
        accuracy: Accuracy, touch_until: Callable[[int], None],
    ) -> None:  # fmt: skip
        self.knobs, self.memory, self.members = scenario.pte_scan, memory, members
        self.migration, self.accuracy, self.touch_until = migration, accuracy, touch_until
        self.inline = scenario.migration.owner == "scanner"
        self.clock = self.slot = 0
        self.left = self.knobs.mms_to_scan  # visits left in this cycle
        self.visited: Process | None = None
        self.draining = False
        self.candidates: list[Folio] = []

    @property
    def awake(self) -> bool:
        return self.knobs.scan_enabled and len(self.members) > 0

    def enter(self, process: Process, now: int) -> None:
        """A process that begins is due after the delay, as a new mm."""
        knobs = self.knobs
        process.period_ms = self._period(knobs.scan_period_ms)
        process.size_mib = self._size(knobs.scan_size_mib)
        process.base_ms = process.period_ms
        process.due_ns = None if self._off(process) else now + knobs.scan_delay_ms * MS
        process.useful = process.cursor = process.inside = 0

    def _scale(self, process: Process) -> int:
        own = process.fields.scan_scale
        return self.knobs.scan_scale if own is None else own

    def _off(self, process: Process) -> bool:
        return self.knobs.prctl != "none" and self._scale(process) == 0

    def leave(self, process: Process) -> None:
        process.due_ns = None
        if self.visited is process:
            self.visited = None

    def step(self) -> None:
        """A batch of an inline migration, a walk along the list, or a granule of a visit."""
        if self.draining and self.migration.waits(self.clock):
            self.clock = self.migration.batch(self.clock)
        elif self.draining:
            self.draining = False
        elif self.visited is None:
            self._walk_list()
        else:
            self._walk_granule(self.visited)

    def _walk_list(self) -> None:
        """To the next mm that is due, or to the end of the cycle and of the sleep after it."""
        while self.left > 0:
            process = self.members[self.slot]
            self.slot = (self.slot + 1) % len(self.members)
            self.left -= 1
            if process.due_ns is not None and process.due_ns <= self.clock:
                self.clock += self.knobs.visit_ns
                self._begin_visit(process)
                return
            self.clock += self.knobs.skip_ns
        self.left = self.knobs.mms_to_scan
        self.clock += self.knobs.scan_sleep_ms * MS

    def _begin_visit(self, process: Process) -> None:
        self.visited = process
        self.budget_mib, self.span_mib = process.size_mib, 0.0
        self.candidates, self.of_vma = [], 0
        self.seen = Counter[int]()
        self.vma, self.granule = process.cursor, process.inside
        self.pages_left = float("inf")
        if self.knobs.page_budget_pct:
            pages = process.size_mib * FOLIOS_PER_MIB
            self.pages_left = max(1, pages * self.knobs.page_budget_pct // 100)

    def _walk_granule(self, process: Process) -> None:
        vma = scanned_vmas(process)[self.vma]
        if self.granule == self.vma == 0:
            self.accuracy.begin_pass(process)
        self.touch_until(self.clock)
        cost = 0.0
        for folio in vma.granules[self.granule]:
            if folio.nid == NOWHERE:
                continue
            process.scanned += folio.pages
            self.pages_left -= folio.pages
            on_top = self.memory.top[folio.nid]
            cost += folio.pages * (self.knobs.pte_top_ns if on_top else self.knobs.pte_slow_ns)
            shared = folio.shared and self.knobs.skip_shared
            passed_over = on_top or shared
            if on_top and not shared and self._counts(folio):
                self.seen[folio.nid] += folio.pages
            if not passed_over and self._is_useful(folio):
                self.candidates.append(folio)
                self.of_vma += 1
        self.clock += int(cost + 0.5)
        self.granule += 1
        if self.granule == len(vma.granules):
            self._end_vma(process, vma)
        elif self.pages_left <= 0:
            process.cursor, process.inside = self.vma, self.granule
            self._end_visit(process)

    def _counts(self, folio: Folio) -> bool:
        """Whether a top-tier folio counts for the target node; V3 clears its accessed bit."""
        if self.knobs.target != "most_accessed" or sum(self.memory.top) == 1:
            return self.knobs.target == "most_scanned"
        accessed, was_idle = folio.accessed, folio.idle
        folio.accessed, folio.idle, folio.young = False, not accessed, folio.young or accessed
        return accessed and not was_idle

    def _is_useful(self, folio: Folio) -> bool:
        """The PTE callback: clears the accessed bit, and remembers it as young."""
        accessed, was_idle = folio.accessed, folio.idle
        if self.knobs.useful == "two_windows":
            folio.accessed, folio.idle, folio.young = False, not accessed, folio.young or accessed
            return accessed and not was_idle
        if accessed:
            folio.accessed, folio.idle, folio.young = False, False, True
        useful = not folio.idle or folio.young
        folio.idle = True
        return useful if self.knobs.useful == "as_posted" else accessed

    def _end_vma(self, process: Process, vma: Vma) -> None:
        """The budget is tested between VMAs."""
        self.vma += 1
        self.granule = process.inside = 0
        self.span_mib += vma.size_mib
        last = self.vma == len(scanned_vmas(process))
        if last or self.pages_left <= 0 or self._used_up():
            process.cursor = 0 if last else self.vma
            self._end_visit(process)
        self.of_vma = 0

    def _used_up(self) -> bool:
        """V0 raises the budget once if there was much to find; V2 looks at the last VMA."""
        knobs = self.knobs
        if self.span_mib >= self.budget_mib and knobs.budget == "until_useful":
            return self.of_vma > 0
        much = len(self.candidates) > knobs.ignore_threshold
        if self.span_mib >= self.budget_mib and much and knobs.budget == "raised":
            self.budget_mib = max(self.budget_mib, knobs.scan_size_max_mib)
        return self.span_mib >= self.budget_mib

    def _end_visit(self, process: Process) -> None:
        found = len(self.candidates)
        decay = self.knobs.decay_shift
        useful = found + (process.useful // 2**decay if decay else 0)
        useful = useful if useful >= self.knobs.ignore_threshold else 0
        self._adapt(process, process.useful, useful)
        process.useful, process.found = useful, found
        process.visits += 1
        best = max(sorted(self.seen), key=self.seen.__getitem__, default=self.migration.target)
        self.migration.targets[process] = best if self.seen[best] else self.migration.target
        process.due_ns = self.clock + process.period_ms * MS
        self.visited = None
        self.accuracy.judge(process, self.candidates, process.cursor == process.inside == 0)
        self.migration.add(process, self.candidates, self.clock)
        self.draining = self.inline and self.migration.waits(self.clock)

    def _adapt(self, process: Process, x: int, y: int) -> None:
        """docs/model.md#pte-scan, item 4."""
        knobs, period, size = self.knobs, process.base_ms, process.size_mib
        fine, coarse = knobs.period_fine_pct, knobs.period_coarse_shift
        if x == 0 and y == 0:
            period, size = period * (100 + fine) // 100, size >> knobs.size_shift
        elif x == 0:
            period, size = period >> coarse, knobs.scan_size_max_mib
        elif y == 0:
            period = period << coarse
        else:
            period, size = period * (100 - fine) // 100, size << knobs.size_shift
        process.base_ms, process.size_mib = self._period(period), self._size(size)
        process.period_ms = process.base_ms
        if knobs.prctl == "period" and self._scale(process) > 0:
            process.period_ms += process.period_ms * (self._scale(process) - 1) // 9
        if knobs.failure_feedback:
            process.period_ms *= 1 + self.migration.fail_pct(process) // 10
        if knobs.stretch == "as_posted":
            process.base_ms = process.period_ms

    def _period(self, ms: int) -> int:
        return min(max(ms, self.knobs.scan_period_min_ms), self.knobs.scan_period_max_ms)

    def _size(self, mib: int) -> int:
        return min(max(mib, self.knobs.scan_size_min_mib), self.knobs.scan_size_max_mib)


def scanned_vmas(process: Process) -> list[Vma]:
    """VMAs that have PTEs."""
    return [vma for vma in process.vmas if vma.mapped]
