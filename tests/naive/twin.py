"""A slow, obvious twin of the engine for tiny machines: every access is simulated, one by one.

Same scenario input, same meaning, none of the engine's code: real accessed bits set by accesses at
Poisson times, plain Python objects, the closed loop by fixed-point iteration. One VMA per process
and at most one granule each, so a visit reads all folios of a VMA at the time it begins.
"""

import heapq
import itertools
import random
from dataclasses import dataclass, field

from tiering.simulation.scenario import FOLIOS_PER_MIB, ProcessFields, Scenario
from tiering.workloads.table import PATTERNS

TICK = 10_000_000
MS = 1_000_000


@dataclass
class Folio:
    slow: bool
    weights: list[float]  # share of the process's accesses, phase by phase
    accessed: bool = False
    idle: bool = False
    young: bool = False


@dataclass
class Mm:
    outstanding: float
    think: float
    folios: list[Folio]
    work: float
    phases: list[float]  # accesses in each phase, endless for a static pattern
    phase: int = 0
    into: float = 0.0  # accesses done in the phase
    done: float = 0.0
    finished_at: float | None = None
    period: int = 0
    due: int = 0
    useful: int = 0
    found: list[int] = field(default_factory=list)


class Twin:
    """kmmscand V0 with inline migration on two nodes: run(), then read the counters."""

    def __init__(self, scenario: Scenario, seed: int, weight_error: float = 1.0) -> None:
        """weight_error scales all accesses of the folios: the negative control."""
        self.scenario, self.rng = scenario, random.Random(seed)
        self.scan, self.mig = scenario.pte_scan, scenario.migration
        self.mms = [self._mm(process, seed) for process in scenario.processes]
        self.free = scenario.nodes[0].capacity_mib * FOLIOS_PER_MIB
        self.free -= sum(not f.slow for mm in self.mms for f in mm.folios)
        self.weight_error = weight_error
        self.promoted = self.no_room = self.visits = 0
        self.now = 0
        self.moved = True  # placement or load changed since the loop was solved
        self.speeds = [0.0] * len(self.mms)

    def _mm(self, process: ProcessFields, seed: int) -> Mm:
        (vma,) = process.vmas
        nr = round(vma.size_mib * FOLIOS_PER_MIB)
        pattern = PATTERNS[vma.pattern]
        assert pattern.build is not None
        region = pattern.build(getattr(vma, vma.pattern) or pattern.knobs(), nr, seed)
        folios = [Folio(vma.node == "CXL", list(region.share[:, c])) for c in region.classes]
        return Mm(
            process.threads * process.mlp, process.think_ns, folios,
            process.work_accesses or float("inf"),
            list(region.phase_accesses) or [float("inf")], period=self.scan.scan_period_ms,
        )  # fmt: skip

    def solve(self) -> None:
        """Accesses per ns of every mm, by fixed-point iteration; think time dominates."""
        a, b = self.scenario.machine.curve_a, self.scenario.machine.curve_b
        latency = [node.latency_ns for node in self.scenario.nodes]
        slow_shares = [sum(f.weights[mm.phase] for f in mm.folios if f.slow) for mm in self.mms]
        for _ in range(20):
            traffic = [0.0, 0.0]
            for i, mm in enumerate(self.mms):
                slow = slow_shares[i]
                trip = mm.think + (1 - slow) * latency[0] + slow * latency[1]
                alive = mm.finished_at is None
                self.speeds[i] = mm.outstanding / trip if alive else 0.0
                traffic[0] += 64 * self.speeds[i] * (1 - slow)
                traffic[1] += 64 * self.speeds[i] * slow
            for n, node in enumerate(self.scenario.nodes):
                u = traffic[n] / node.read_gb_s
                latency[n] = node.latency_ns * (1 + a * u**b / (1 - u))

    def touch_until(self, until: int) -> None:
        """Simulate every access up to `until` ns, tick by tick."""
        while self.now < until:
            end = min(until, (self.now // TICK + 1) * TICK)
            if self.now % TICK == 0 and self.moved:
                self.solve()
                self.moved = False
            for mm, speed in zip(self.mms, self.speeds, strict=True):
                self._accesses(mm, speed * (end - self.now))
                if mm.finished_at is None and mm.done + speed * (end - self.now) >= mm.work:
                    mm.finished_at = self.now + (mm.work - mm.done) / speed
                    self.moved = True
                mm.done = min(mm.done + speed * (end - self.now), mm.work)
            self.now = end

    def _accesses(self, mm: Mm, expected: float) -> None:
        """Accesses at Poisson times, phase by phase."""
        expected = min(expected, mm.work - mm.done)
        while expected > 0.0:
            part = min(expected, mm.phases[mm.phase] - mm.into)
            cum_weights = list(itertools.accumulate(f.weights[mm.phase] for f in mm.folios))
            at = self.rng.expovariate(1.0)
            while at < part * self.weight_error:
                self.rng.choices(mm.folios, cum_weights=cum_weights)[0].accessed = True
                at += self.rng.expovariate(1.0)
            expected -= part
            mm.into += part
            if mm.into >= mm.phases[mm.phase]:
                mm.phase, mm.into = (mm.phase + 1) % len(mm.phases), 0.0
                self.moved = True

    def run(self) -> None:
        """The scanning thread, mm by mm in the order in which visits come due."""
        end = int(self.scenario.until_s * 1e9)
        clock = 0
        queue = [(0, i) for i in range(len(self.mms))]
        heapq.heapify(queue)
        while queue and queue[0][0] < end:
            due, i = heapq.heappop(queue)
            clock = max(clock, due) + self.scan.visit_ns
            self.touch_until(min(clock, end))
            clock = self._visit(self.mms[i], clock)
            heapq.heappush(queue, (self.mms[i].due, i))
        self.touch_until(end)

    def _visit(self, mm: Mm, clock: int) -> int:
        self.visits += 1
        candidates = []
        cost = 0.0
        for f in mm.folios:
            cost += self.scan.pte_slow_ns if f.slow else self.scan.pte_top_ns
            if not f.slow:
                continue
            if f.accessed:
                f.accessed, f.idle, f.young = False, False, True
            if not f.idle or f.young:
                candidates.append(f)
            f.idle = True
        mm.found.append(len(candidates))
        clock += round(cost)
        self._adapt(mm, len(candidates) if len(candidates) >= self.scan.ignore_threshold else 0)
        mm.due = clock + mm.period * MS
        for f in candidates:
            clock += round(1e3 * (self.mig.batch_us + self.mig.folio_us))
            if self.free > 0:
                f.slow = False
                self.free -= 1
                self.promoted += 1
                self.moved = True
            else:
                self.no_room += 1
        return clock

    def _adapt(self, mm: Mm, useful: int) -> None:
        was = mm.useful
        if useful:
            mm.period = mm.period * 85 // 100 if was else mm.period // 8
        else:
            mm.period = mm.period * 8 if was else mm.period * 115 // 100
        mm.period = min(max(mm.period, self.scan.scan_period_min_ms), self.scan.scan_period_max_ms)
        mm.useful = useful
