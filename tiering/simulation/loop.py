"""The run itself: a grid of ticks of which only those with an event are visited.

Between grid points the kernel threads run on clocks of their own: the earliest goes next.
"""

from typing import Any

import numpy as np

import tiering
from tiering.engine.invariants import check_books
from tiering.engine.touch import scratch
from tiering.migration.queue import MigrationQueue
from tiering.model.block import Block
from tiering.model.metrics import RowShape, row_dtype
from tiering.simulation.build import build
from tiering.simulation.presets import PRESETS
from tiering.simulation.progress import TICK_NS, Progress
from tiering.simulation.sample import Sampler
from tiering.simulation.scenario import Scenario
from tiering.simulation.threads import KernelThread, MigrationThread, ScanThread
from tiering.simulation.tuning import Tuning
from tiering.sources.pte_scan import PteScanner

NS_PER_S = 1_000_000_000
ROWS_PER_BLOCK = 2


class Simulation:
    """One run: a pure function of (scenario, seed, control log, version)."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario, self.seed = scenario, seed
        self.world = build(scenario, seed)
        self.until_ns = -(-round(scenario.until_s * NS_PER_S) // TICK_NS) * TICK_NS
        self.queue = MigrationQueue(scenario.migration, self.world.memory, self.world.capacity.size)
        self.scanner: PteScanner | None = None
        self.threads = self._threads()
        self.progress = Progress(
            self.world,
            scenario.migration.target_node,
            optimal=PRESETS[scenario.preset].promotion == "oracle",
        )
        self.shape = RowShape(
            tuple(node.name for node in scenario.nodes),
            tuple(mm.name for mm in self.world.mms),
            tuple(thread.name for thread in self.threads),
        )
        self.events: list[dict[str, Any]] = []
        self.tuning = Tuning(self)
        self._fixed = np.isfinite(self.world.work)
        self._dtype = row_dtype(self.shape)
        self._step = 0
        self._sampler = Sampler(self)

    def _threads(self) -> list[KernelThread]:
        scenario, world = self.scenario, self.world
        if PRESETS[scenario.preset].source != "pte_scan":
            return []
        self.scanner = PteScanner(
            scenario.pte_scan, world.memory, world.rates, scratch(), world.mms
        )
        threads: list[KernelThread] = [ScanThread(scenario, self.scanner, self.queue)]
        if scenario.migration.owner == "thread":
            threads.append(MigrationThread(self.queue))
        return threads

    @property
    def time_ns(self) -> int:
        """Simulated time, a grid point."""
        return self.progress.time_ns

    @property
    def done(self) -> bool:
        """True when all fixed work is done or time is up."""
        return self.time_ns >= self.until_ns or self.work_done

    @property
    def work_done(self) -> bool:
        """True when there is fixed work and all of it is done."""
        finished = self.progress.finished_ns
        return bool(self._fixed.any() and (finished[self._fixed] >= 0).all())

    @property
    def done_share(self) -> float:
        """0..1, the larger of time gone and work done."""
        tau, work = self.progress.tau[self._fixed], self.world.work[self._fixed]
        worked = float((tau / work).min()) if work.size else 0.0
        return 1.0 if self.done else max(self.time_ns / self.until_ns, worked)

    def next_block(self) -> Block:
        """Simulate on and return the next ROWS_PER_BLOCK rows (fewer at the very end)."""
        rows = np.zeros(ROWS_PER_BLOCK, self._dtype)
        nr = 0
        sample_ns = self.scenario.sample_ms * 1_000_000
        while nr < ROWS_PER_BLOCK and not self.done:
            self._run_to(min((self.time_ns // sample_ns + 1) * sample_ns, self.until_ns))
            self._sampler.fill(rows[nr])
            nr += 1
        events = sorted(self._take_events(), key=lambda event: event["t_ns"])
        self._step += 1
        return Block(self._step - 1, nr, rows[:nr].tobytes(), events)

    def set_knob(self, path: str, value: Any) -> dict[str, Any]:
        """Apply a live knob at the present tick border; returns the control-log entry.

        Raises KnobError with one sentence if the knob is unknown, start-only or out of range.
        """
        return self.tuning.apply(path, value)

    def result(self) -> dict[str, Any]:
        """Headline figures; checks the books first (docs/model.md#conservation)."""
        check_books(self.world.memory, self.world.capacity, self.world.top_tier)
        elapsed = int(self.progress.finished_ns.max()) / NS_PER_S if self.work_done else None
        return {
            "scenario": self.scenario.name,
            "seed": self.seed,
            "version": tiering.__version__,
            "elapsed_s": elapsed,
            "simulated_s": self.time_ns / NS_PER_S,
            "ended": "work done" if self.work_done else "time is up" if self.done else "stopped",
            "counters": self._sampler.counters(),
            "metrics": self._sampler.metrics(),
            "assumptions": list(self.world.assumptions),
        }

    def _take_events(self) -> list[dict[str, Any]]:
        events, self.events = self.events, []
        if self.scanner is not None:
            events += self.scanner.events
            self.scanner.events = []
        return events

    def _run_to(self, target: int) -> None:
        while self.time_ns < target and not self.done:
            end = self._run_threads(min(target, self.progress.border_ns))
            for p in self.progress.advance(end, self.queue.take_moved()):
                text = f"{self.world.mms[p].name}: work done"
                t_ns = int(self.progress.finished_ns[p])
                self.events.append({"t_ns": t_ns, "kind": "log", "text": text})

    def _run_threads(self, end: int) -> int:
        """Let the kernel threads work until `end`; returns the grid point where it stopped.

        Once folios move, the step ends at the next grid point, so that the closed loop follows.
        """
        while self.threads:
            thread = min(self.threads, key=lambda t: t.clock)
            if thread.clock >= end:
                break
            others = [t.clock for t in self.threads if t is not thread]
            until = max(min([end, *others]), thread.clock + 1)
            if thread.migrates:
                end = min(end, (max(thread.clock, self.time_ns) // TICK_NS + 1) * TICK_NS)
                until = min(until, end)
            thread.run(until, self.progress)
        return end
