"""Runs made by hand on a bus in memory, and jobs that nobody works on."""

from typing import Any

import orjson

from tests.charts.rows import rows, shape
from tiering.model.metrics import schema
from tiering.simulation.load import load_text
from tiering.stream.bus import BusUnavailable, Listing, Message
from tiering.stream.codec import Block, encode
from tiering.stream.memory_bus import MemoryBus

SHAPE = shape("redis")
DOWN = "Redis at redis:6379 does not answer: switched off"
SCENARIO = """
title = "Tiny"
question = "Does the page work?"
topic = "Tests"
preset = "kmmscand_v0"
until_s = 20.0

[[nodes]]
name = "DRAM"
tier = 0
capacity_mib = 256
latency_ns = 90.0
read_gb_s = 60.0
write_gb_s = 50.0
cpus = 4

[[nodes]]
name = "CXL"
tier = 1
capacity_mib = 512
latency_ns = 250.0
read_gb_s = 20.0
write_gb_s = 16.0

[[processes]]
name = "redis"
threads = 2
vmas = [{name = "heap", size_mib = 64.0, node = "CXL"}]
"""


class SwitchedBus(MemoryBus):
    """A bus in memory that can be switched off."""

    down = False

    def _run(self, run_id: str) -> Any:
        self._check()
        return super()._run(run_id)

    def _check(self) -> None:
        if self.down:
            raise BusUnavailable(DOWN)

    def runs(self) -> list[str]:
        self._check()
        return super().runs()

    def listed(self, after: int, before: int | None, count: int) -> Listing:
        self._check()
        return super().listed(after, before, count)

    def read(self, run_id: str, after: int, count: int, wait_ms: int) -> list[tuple[int, bytes]]:
        self._check()
        return super().read(run_id, after, count, wait_ms)


class SomeJobs:
    """Takes runs and messages; four workers are idle for ever."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus

    def submit(
        self,
        scenario_text: str,
        name: str,
        seed: int,
        overrides: dict[str, Any],
        speed: float,
        parent: str = "",
    ) -> str:
        scenario = load_text(scenario_text, name, overrides)
        run_id = f"{name}-no{len(self._bus.runs())}"
        meta = {
            "scenario": name,
            "title": scenario.title,
            "scenario_toml": scenario_text,
            "seed": str(seed),
            "overrides": orjson.dumps(overrides).decode(),
            "speed": f"{speed:g}",
            "until_ns": str(round(scenario.until_s * 1e9)),
            "schema": "",
            "parent": parent,
        }
        self._bus.create(run_id, meta)
        return run_id

    def send(self, run_id: str, message: Message) -> str:
        return self._bus.send(run_id, message)

    def cancel(self, run_id: str) -> None:
        self._bus.send(run_id, {"cmd": "stop"})

    def delete(self, run_id: str) -> None:
        self._bus.meta(run_id)
        self._bus.delete(run_id)

    def capacity(self) -> tuple[int, int]:
        return 4, 4

    def starting(self) -> bool:
        return False


class Worker:
    """Plays the worker of one run."""

    def __init__(self, bus: MemoryBus, run_id: str = "tiny-1") -> None:
        self.bus, self.run_id = bus, run_id
        if run_id not in bus.runs():
            meta = {"scenario": "tiny", "title": "Tiny", "scenario_toml": SCENARIO, "seed": "1"}
            bus.create(run_id, meta | {"until_ns": "20000000000", "speed": "10"})
        self.attempt = bus.claim(run_id, "worker-1")
        self.tell(status="running", schema=orjson.dumps(schema(SHAPE)).decode())

    def tell(self, **fields: str) -> None:
        self.bus.update(self.run_id, self.attempt, fields)

    def publish(self, steps: range, events: list[dict[str, Any]] | None = None) -> None:
        self.bus.append(self.run_id, self.attempt, [(step, block(step, events)) for step in steps])


def block(step: int, events: list[dict[str, Any]] | None = None) -> bytes:
    """Two rows of a block; the number of accesses is the step."""
    made = rows(SHAPE, 2)
    made["time_ns"] += step * 200_000_000
    made["accesses"] = step
    return encode(Block(step, 2, made.tobytes(), events or []))
