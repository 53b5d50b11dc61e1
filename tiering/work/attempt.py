"""One attempt at a run, from claiming it to its last word.

A run is a pure function of (scenario, seed, control log, version), so an attempt that follows a
lost one simulates the published steps again in silence and goes on from there.
"""

import logging
import time
from collections import deque
from types import TracebackType
from typing import Literal

import orjson

import tiering
from tiering.model.block import Block
from tiering.model.metrics import row_dtype, schema
from tiering.simulation.load import load_text
from tiering.simulation.loop import Simulation
from tiering.simulation.policy import digest
from tiering.stream.bus import FINAL, Bus, BusUnavailable, Fenced, Message
from tiering.work.changes import change_block
from tiering.work.control import Control, turned
from tiering.work.outbox import Outbox
from tiering.work.summary import Summary

LOOK_EVERY_S = 0.02
OVERSLEEP_S = 0.15
"""A Redis with its usual `hz 10` ends a blocking read up to 0.1 s late."""

SIGN_OF_LIFE_EVERY_S = 1.0
SUMMARY_EVERY_S = 2.0
log = logging.getLogger(__name__)


class CannotResume(RuntimeError):
    """A retry cannot repeat what was published; str() says why."""


class Attempt:
    """`with` reports failures: they become the run's status, never a crash of the worker.

    Fenced ends the attempt silently (another one owns the run), BusUnavailable is passed on (the
    queue tries again later), anything else is the simulation's own fault, which a retry would
    only repeat.
    """

    def __init__(self, bus: Bus, run_id: str, worker: str) -> None:
        self._bus, self._run_id = bus, run_id
        self._number = bus.claim(run_id, worker)
        self._outbox = Outbox(bus, run_id, self._number)
        self._renewed_s = time.monotonic()
        self._looked_s = -LOOK_EVERY_S
        self._summary: Summary | None = None
        self._summed_s = -SUMMARY_EVERY_S

    def __enter__(self) -> "Attempt":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, Fenced):
            log.info("%s", error)
            return True
        if not isinstance(error, Exception) or isinstance(error, BusUnavailable):
            return False
        log.error("Run %s failed", self._run_id, exc_info=(type(error), error, trace))
        try:
            self._outbox.flush()
            self._end("failed", error=sentence(error))
        except Fenced as fenced:
            log.info("%s", fenced)
        return True

    def run(self) -> None:
        """Simulate to the end, publish, and leave the run in one of the final states."""
        meta = self._bus.meta(self._run_id)
        if meta["status"] in FINAL:  # stopped while it waited
            return
        last_step = self._bus.last_step(self._run_id)
        control_log = self._bus.control_log(self._run_id)
        resuming = last_step >= 0 or bool(control_log)
        if resuming and meta["version"] != tiering.__version__:
            raise CannotResume(
                f"The run was begun by version {meta['version']} and its worker was lost;"
                f" version {tiering.__version__} cannot continue it. Start it again."
            )
        status = "paused" if meta["status"] == "paused" else "running"
        self._update(status=status, version=tiering.__version__)
        overrides = orjson.loads(meta.get("overrides", "{}"))
        scenario = load_text(meta["scenario_toml"], meta["scenario"], overrides)
        policy = digest(scenario.policy_text)
        if resuming and meta.get("policy", "") != policy:
            raise CannotResume(
                f"{scenario.policy_file} was edited after the run began, and its worker was lost."
                " Start it again."
            )
        if policy:
            self._update(policy=policy)
        simulation = Simulation(scenario, int(meta["seed"]))
        self._update(
            schema=orjson.dumps(schema(simulation.shape)).decode(),
            until_ns=str(simulation.until_ns),
            turned=orjson.dumps(turned(control_log)).decode(),
        )
        self._summary = Summary(row_dtype(simulation.shape))
        next_step = self._replay(simulation, last_step, control_log)
        control = Control(
            self._bus, self._run_id, self._number, simulation, self._outbox, next_step, control_log
        )
        self._simulate(simulation, control)
        self._outbox.flush()
        self._end(
            "stopped" if control.stopped and not simulation.done else "done",
            result=orjson.dumps(simulation.result()).decode(),
            sim_ns=str(simulation.time_ns),
        )

    def _replay(self, simulation: Simulation, last_step: int, entries: list[Message]) -> int:
        """Repeat the published steps, with each knob change at its own time.

        Changes that were logged but not yet published are published now. Returns the next step.
        """
        waiting = deque(entries)
        step = 0
        while True:
            while waiting and waiting[0]["t_ns"] <= simulation.time_ns:
                entry = waiting.popleft()
                simulation.set_knob(entry["knob"], entry["value"])
                block = change_block(simulation, step)
                if step > last_step:
                    self._outbox.put(block, simulation.time_ns)
                step += 1
            if step > last_step:
                break
            if simulation.done:
                raise CannotResume(f"Repeating the run ended at step {step}, not {last_step}.")
            self._sum(simulation.next_block())
            step += 1
            self._renew()
        if waiting:
            raise CannotResume(f"The control log goes beyond the last step, {last_step}.")
        return step

    def _simulate(self, simulation: Simulation, control: Control) -> None:
        while not simulation.done:
            self._look(control)
            while control.held:
                self._outbox.flush()
                self._renew()
                control.look(int(SIGN_OF_LIFE_EVERY_S * 1000))
            if control.stopped:
                return
            block = control.stamp(simulation.next_block())
            self._outbox.put(block, simulation.time_ns)
            self._sum(block)
            if control.paused:  # a step: show it, and be exact about what was stepped
                self._outbox.flush()
            self._wait_until_due(simulation, control)

    def _look(self, control: Control) -> None:
        """Obey the messages that are there; between blocks 20 ms apart, while paused always."""
        if control.paused or time.monotonic() - self._looked_s >= LOOK_EVERY_S:
            control.look(0)
            self._looked_s = time.monotonic()

    def _wait_until_due(self, simulation: Simulation, control: Control) -> None:
        """Wait on the control stream, so that messages act at once; its last part in short naps."""
        while not (control.paused or control.stopped):
            wait_s = control.pace.wait_s(simulation.time_ns)
            if wait_s <= 0:
                return
            if self._outbox.due_s() <= 0:
                self._outbox.flush()
            wait_s = min(wait_s, max(self._outbox.due_s(), 0.001), SIGN_OF_LIFE_EVERY_S)
            if wait_s > 2 * OVERSLEEP_S:
                control.look(int((wait_s - OVERSLEEP_S) * 1000))
            else:
                time.sleep(min(wait_s, LOOK_EVERY_S))
                self._look(control)
            self._renew()

    def _renew(self) -> None:
        if time.monotonic() - self._renewed_s >= SIGN_OF_LIFE_EVERY_S:
            self._bus.renew(self._run_id, self._number)
            self._renewed_s = time.monotonic()

    def _sum(self, block: Block) -> None:
        """Keep the summary, and show it now and then to those who list runs."""
        if self._summary is None:
            return
        self._summary.take(block)
        if time.monotonic() - self._summed_s >= SUMMARY_EVERY_S:
            self._update(summary=self._summary.json())
            self._summed_s = time.monotonic()

    def _update(self, **fields: str) -> None:
        self._bus.update(self._run_id, self._number, fields)

    def _end(self, status: Literal["done", "stopped", "failed"], **fields: str) -> None:
        if self._summary is not None:
            fields["summary"] = self._summary.json()
        self._update(status=status, finished_at=f"{time.time():.3f}", **fields)


def sentence(error: BaseException) -> str:
    """One line for the page: the first line of the message, with the type where it says more."""
    text = " ".join(str(error).split())
    plain = isinstance(error, CannotResume) or type(error).__module__.startswith("tiering.")
    return text if plain and text else f"{type(error).__name__}: {text}".removesuffix(": ")
