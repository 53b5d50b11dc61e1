"""What people ask of a run while it runs: pause, resume, step, stop, speed, knobs."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from tiering.simulation.loop import Simulation
from tiering.simulation.tuning import KnobError
from tiering.stream.bus import Bus, Message
from tiering.stream.codec import Block
from tiering.work.changes import change_block
from tiering.work.outbox import Outbox
from tiering.work.pacing import Pace, SpeedError, parse_speed


class Control:
    """Reads control messages of one attempt and obeys them at block borders.

    Messages are obeyed one by one; after a `step` the next one waits until the block is done.
    Each message is remembered (metadata `cursor`) when obeyed, so a retry goes on behind it; a
    step is remembered together with the block it asks for (`step_until`), which may be lost.

    next_step: of the block that comes next. log: what the run has applied until then.
    """

    def __init__(
        self,
        bus: Bus,
        run_id: str,
        attempt: int,
        simulation: Simulation,
        outbox: Outbox,
        next_step: int,
        log: list[Message],
    ) -> None:
        self._bus, self._run_id, self._attempt = bus, run_id, attempt
        self._simulation, self._outbox = simulation, outbox
        meta = bus.meta(run_id)
        self.pace = Pace(parse_speed(meta.get("speed", "0")))
        self.pace.rebase(simulation.time_ns)
        self.paused = meta["status"] == "paused"
        self.stopped = False
        self.stepping = self.paused and int(meta.get("step_until", "-1")) >= next_step
        self._next_step = next_step
        self._received = meta.get("cursor", "0")
        self._log = log
        self._inbox: deque[tuple[str, Message]] = deque()
        self._complaints: list[dict[str, Any]] = []

    @property
    def held(self) -> bool:
        """True while the run must not compute the next block."""
        return self.paused and not self.stepping and not self.stopped

    def look(self, wait_ms: int) -> None:
        """Obey the messages that are there, waiting up to wait_ms for the first."""
        if not self._inbox:
            news = self._bus.receive(self._run_id, self._received, wait_ms)
            self._inbox.extend(news)
            if news:
                self._received = news[-1][0]
        while self._inbox and not self.stepping and not self.stopped:
            self._obey(*self._inbox.popleft())

    def stamp(self, block: Block) -> Block:
        """The block with its step in the run, and complaints about bad messages in its events."""
        self.stepping = False
        complaints, self._complaints = self._complaints, []
        return replace(block, step=self._take_step(), events=complaints + block.events)

    def _take_step(self) -> int:
        self._next_step += 1
        return self._next_step - 1

    def _obey(self, cursor: str, message: Message) -> None:
        commands: dict[str, Callable[[str, Message], None]] = {
            "pause": self._pause,
            "resume": self._resume,
            "step": self._step,
            "stop": self._stop,
            "speed": self._speed,
            "set": self._set,
        }
        name = message.get("cmd") if isinstance(message, dict) else message
        command = commands.get(name) if isinstance(name, str) else None
        if command is None:
            self._complain(cursor, f"cmd = {name!r}: allowed is one of {', '.join(commands)}")
        else:
            command(cursor, message)

    def _remember(self, cursor: str, **fields: str) -> None:
        self._bus.update(self._run_id, self._attempt, {**fields, "cursor": cursor})

    def _pause(self, cursor: str, _: Message) -> None:
        self.paused = True
        self._outbox.flush()
        self._remember(cursor, status="paused")

    def _resume(self, cursor: str, _: Message) -> None:
        self.paused = False
        self.pace.rebase(self._simulation.time_ns)
        self._remember(cursor, status="running")

    def _step(self, cursor: str, _: Message) -> None:
        self.paused = self.stepping = True
        self._remember(cursor, status="paused", step_until=str(self._next_step))

    def _stop(self, cursor: str, _: Message) -> None:
        self.stopped = True
        self._remember(cursor)

    def _speed(self, cursor: str, message: Message) -> None:
        try:
            speed = parse_speed(message.get("value"))
        except SpeedError as error:
            self._complain(cursor, str(error))
            return
        self.pace.rebase(self._simulation.time_ns, speed)
        self._remember(cursor, speed=f"{speed:g}")

    def _set(self, cursor: str, message: Message) -> None:
        knob, value = message.get("knob"), message.get("value")
        if not isinstance(knob, str) or not isinstance(value, int | float | str):
            self._complain(cursor, f"set: knob = {knob!r}, value = {value!r}: name one knob")
            return
        # All blocks before the change are published before it is logged: a retry replays the
        # published steps and meets the change at their end.
        self._outbox.flush()
        try:
            entry = self._simulation.set_knob(knob, value)
        except KnobError as error:
            self._complain(cursor, str(error))
            return
        self._bus.log_control(self._run_id, self._attempt, entry, cursor)
        self._log.append(entry)
        fields = {"turned": orjson.dumps(turned(self._log)).decode()}
        self._bus.update(self._run_id, self._attempt, fields)
        block = change_block(self._simulation, self._take_step())
        self._outbox.put(block, self._simulation.time_ns)
        self._outbox.flush()  # also while the run is paused, or is about to be stopped

    def _complain(self, cursor: str, text: str) -> None:
        t_ns = self._simulation.time_ns
        self._complaints.append({"t_ns": t_ns, "kind": "error", "text": text})
        self._remember(cursor)


def turned(log: list[Message]) -> dict[str, Any]:
    """The knobs as a control log leaves them, by path."""
    return {entry["knob"]: entry["value"] for entry in log}
