"""The run itself: a grid of ticks of which only those with an event are visited.

A step: threads that scan work up to its end, then those that move folios and the flow of accesses
follow (engine/carry.py), tick by tick while folios move.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import tiering
from tiering.engine.carry import carry
from tiering.engine.flow import stalled
from tiering.engine.invariants import check_books
from tiering.engine.jit import Direct
from tiering.engine.touch import scratch
from tiering.engine.vectors import ENABLED
from tiering.migration.queue import MigrationQueue
from tiering.model.block import Block
from tiering.model.metrics import RowShape, row_dtype
from tiering.simulation.build import World, build
from tiering.simulation.classes import taking_part
from tiering.simulation.crew import coldest, crew
from tiering.simulation.events import begun, clipped
from tiering.simulation.filters import filters
from tiering.simulation.judge import Judge
from tiering.simulation.optimum import Optimum
from tiering.simulation.outcome import metrics
from tiering.simulation.population import Population
from tiering.simulation.progress import TICK_NS, Progress
from tiering.simulation.reclaimers import Reclaimers
from tiering.simulation.rooms import ORACLE
from tiering.simulation.sample import Sampler
from tiering.simulation.scenario import Scenario
from tiering.simulation.threads import migrating, movers, next_reclaim, thread_names
from tiering.simulation.tuning import Tuning
from tiering.simulation.watcher import Parts, watchers
from tiering.sources.pte_scan import PteScanner
from tiering.sources.source import Source
from tiering.sources.table import SOURCES

NS_PER_S = 1_000_000_000
ROWS_PER_BLOCK = 2


_carry_on = Direct(carry)
_stalled = Direct(stalled)


class Simulation:
    """One run: a pure function of (scenario, seed, control log, version)."""

    def __init__(self, scenario: Scenario, seed: int, vector: bool = ENABLED) -> None:
        """vector: see `scratch`; the result does not depend on it."""
        self.scenario, self.seed = scenario, seed
        self.world = world = build(scenario, seed)
        self.until_ns = end_ns(scenario)
        self.scratch = scratch(vector)
        self.queue = MigrationQueue(
            migrating(scenario), world.memory, _reserve(scenario, world), len(world.mms),
            world.shares,
        )  # fmt: skip
        dirty = self.queue.books.dirty
        optimal = scenario.joined.promotion == ORACLE
        self.progress = Progress(world, dirty, optimal)
        self.reclaimers = Reclaimers(scenario, world, self.scratch, dirty)
        self.reclaimers.follow(self.progress.pace)
        self.movers = movers(scenario, world, self.reclaimers)
        self._moving = False
        self._step_end = 0
        self.sources = watchers(
            Parts(scenario, seed, world, self.scratch, self.progress, self.queue)
        )
        self._takes_part = taking_part(scenario)
        self._told = [process.recording is None for process, _ in scenario.all_processes()]
        self._stalls = any(source.stalls for source in self.sources.values())
        scanner = self.sources.get("pte_scan")
        self.scanner = scanner if isinstance(scanner, PteScanner) else None
        self.filters = filters(scenario, world)
        self.coldest = coldest(scenario, world)
        self.threads = crew(
            scenario, self.sources, self.filters, self.queue, self.movers, world, self.reclaimers,
            self.coldest,
        )  # fmt: skip
        self.population = Population(scenario, world, self.progress, self.reclaimers)
        self._populate(0)
        self.progress.settle(changed=True)
        self.shape = RowShape(
            tuple(node.name for node in scenario.nodes),
            tuple(mm.name for mm in world.mms),
            thread_names(scenario),
        )
        self.events: list[dict[str, Any]] = []
        self.tuning = Tuning(self)
        self._fixed = np.isfinite(world.work)
        self._row_floats = row_dtype(self.shape).itemsize // 8
        self._step = 0
        self.optimum = Optimum(world, self.progress)
        self.judge = Judge(world, self.optimum, self.reclaimers.sink.slow, len(self.sources))
        self.optimum.share()
        self._sampler = Sampler(self)

    @property
    def time_ns(self) -> int:
        """Simulated time, a grid point."""
        return self.progress.time_ns

    @property
    def done(self) -> bool:
        """True when all fixed work is done, time is up, or nobody is left."""
        return self.time_ns >= self.until_ns or self.work_done or self._deserted

    @property
    def work_done(self) -> bool:
        """True when there is fixed work and all of it is done."""
        finished = self.progress.finished_ns
        return bool(self._fixed.any() and (finished[self._fixed] >= 0).all())

    @property
    def _deserted(self) -> bool:
        """True if memory ran out, nobody is left and nobody is to come."""
        return len(self.population.killed) > 0 and self.population.over

    @property
    def done_share(self) -> float:
        """0..1, the larger of time gone and work done."""
        tau, work = self.progress.flow.tau[self._fixed], self.world.work[self._fixed]
        worked = float((tau / work).min()) if work.size else 0.0
        return 1.0 if self.done else max(self.time_ns / self.until_ns, worked)

    @property
    def hit_share(self) -> list[float]:
        """Share of accesses served by the top tier, of every row so far."""
        return self._sampler.hit_share

    def busy_ns(self) -> list[int]:
        """CPU time of every kernel thread, in the order of their names."""
        nr_inline = sum(thread.inline for thread in self.threads)
        moved = [int(one) for one in self.movers.busy[nr_inline:]]
        return [thread.busy_ns for thread in self.threads] + moved

    def next_block(self) -> Block:
        """Simulate on and return the next ROWS_PER_BLOCK rows (fewer at the very end).

        Blocks begin at multiples of their length: after an end inside one, the rest of it is next.
        """
        rows = np.zeros((ROWS_PER_BLOCK, self._row_floats))
        nr = 0
        sample_ns = self.scenario.sample_ms * 1_000_000
        due = ROWS_PER_BLOCK - self.time_ns // sample_ns % ROWS_PER_BLOCK
        while nr < due and not self.done:
            self._run_to(min((self.time_ns // sample_ns + 1) * sample_ns, self.until_ns))
            self._sampler.fill(rows[nr])
            nr += 1
        self._step += 1
        return Block(self._step - 1, nr, rows[:nr].tobytes(), self._take_events())

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
            "ended": self._how_it_ended(),
            "counters": self._sampler.counters(),
            "metrics": metrics(self),
            "assumptions": list(self.world.assumptions),
        }

    def _how_it_ended(self) -> str:
        if self.work_done:
            return "work done"
        if self._deserted:
            return "out of memory"
        return "time is up" if self.done else "stopped"

    def _take_events(self) -> list[dict[str, Any]]:
        """What happened up to now; a thread's step may end later, and so may what it says."""
        events = self.events
        tellers: list[Source | Population] = [*self.sources.values(), self.population]
        for teller in tellers:
            events += teller.events
            teller.events = []
        self.events = [event for event in events if event["t_ns"] > self.time_ns]
        told = [event for event in events if event["t_ns"] <= self.time_ns]
        return clipped(sorted(told, key=lambda event: event["t_ns"]))

    def _run_to(self, target: int) -> None:
        while self.time_ns < target and not self.done:
            end = min(target, self.progress.border_ns, self.population.next_ns())
            first, stop = self._scan(max(end, self.time_ns + 1))
            self._carry(first, stop)
            for thread in self.threads:
                thread.take_clock()
            self._take_notice()

    def _scan(self, end: int) -> tuple[int, int]:
        """Let the scanning threads work; (end of the first step, end of the steps after it)."""
        now = self.time_ns
        queue, flow = self.queue, self.progress.flow
        ticking = self._moving or queue.moves or queue.crowds or bool(_stalled(flow))
        acts = now if ticking else next_reclaim(self.movers, self.world.memory, now)
        first = min(end, max(acts // TICK_NS * TICK_NS, _next_tick(now)))
        if self._step_end > now:  # a scanner is done with its migration before the end of a step
            first = min(end, self._step_end)
        while True:
            ready = [t for t in self.threads if not t.draining and t.clock < first]
            if not ready:
                break
            thread = min(ready, key=lambda t: t.clock)
            stamp = thread.run(first, self.progress, self.judge, len(self.threads) == 1)
            if stamp >= 0:
                first = min(first, _next_tick(max(stamp, now)))
        stop = end
        for thread in self.threads:
            if not thread.draining:
                thread.rest(end)
                stop = min(stop, thread.clock // TICK_NS * TICK_NS)
        if self._stalls and _stalled(flow):
            self.progress.settle()
        return first, first if queue.lists.turns else max(first, stop)

    def _carry(self, first: int, stop: int) -> None:
        world, queue, reclaimers = self.world, self.queue, self.reclaimers
        self._step_end = first
        queue.turn(self.movers.clock, first)
        self._moving = _carry_on(
            world.memory, world.rates, self.scratch, self.progress.flow, world.nodes, queue.chunks,
            queue.terms, queue.books, reclaimers.sink, reclaimers.sunk, self.movers, first, stop,
        )  # fmt: skip

    def _take_notice(self) -> None:
        """Of ends of work, phase borders, starts and exits that the step reached."""
        at_border = self.progress.at_border
        if at_border:
            for p in self.progress.finish():
                text = f"{self.world.mms[p].name}: work done"
                t_ns = int(self.progress.finished_ns[p])
                self.events.append({"t_ns": t_ns, "kind": "log", "text": text})
            self.events += begun(self.progress, self._told, self.world)
        if at_border or self.time_ns >= self.population.next_ns():
            self._populate(self.time_ns)
            self.progress.settle(changed=True)
            self.optimum.share()  # what is hot from here on

    def _populate(self, now: int) -> None:
        population = self.population
        population.act(now)
        for mm in population.left:
            for source in self.sources.values():
                source.leave(mm)
            self.queue.forget(mm, now)
            self.filters.hotness.forget(mm)
            self.judge.forget(mm)
        for mm in population.entered:
            if population.alive[mm]:
                for name, source in self.sources.items():
                    if self._takes_part[mm] or not SOURCES[name].by_mm:
                        source.enter(mm, now)
        population.left, population.entered = [], []


def _next_tick(now: int) -> int:
    return (now // TICK_NS + 1) * TICK_NS


def _reserve(scenario: Scenario, world: World) -> NDArray[np.int64]:
    """i64[N] pages that promotion must leave free."""
    marks = world.marks
    by_name = {"none": np.zeros_like(marks.least), "min": marks.least, "high": marks.high}
    return by_name[scenario.migration.reserve]


def end_ns(scenario: Scenario) -> int:
    """The grid point at which time is up."""
    return -(-round(scenario.until_s * NS_PER_S) // TICK_NS) * TICK_NS
