"""Attempts over the memory bus, in this process."""

import threading
import time
from collections.abc import Callable
from typing import Any

import tiering
from tiering.simulation.loop import ROWS_PER_BLOCK
from tiering.stream.bus import Bus, Message
from tiering.stream.codec import decode
from tiering.work.attempt import Attempt

BLOCKS = 200 // ROWS_PER_BLOCK
"""Of the tiny scenario."""

BLOCK_NS = ROWS_PER_BLOCK * 100_000_000
SIZE, PERIOD = "pte_scan.scan_size_mib", "pte_scan.scan_period_ms"


def submit(bus: Bus, text: str, run_id: str, **fields: str) -> None:
    meta = {"scenario": "tiny", "scenario_toml": text, "seed": "1", "version": tiering.__version__}
    bus.create(run_id, meta | fields)


def work(bus: Bus, run_id: str = "run") -> None:
    with Attempt(bus, run_id, "worker") as attempt:
        attempt.run()


def rows(bus: Bus, run_id: str = "run") -> bytes:
    return b"".join(decode(data).rows for _, data in bus.read(run_id, -1, 10**6, 0))


def events(bus: Bus, run_id: str = "run") -> list[dict[str, Any]]:
    return [e for _, data in bus.read(run_id, -1, 10**6, 0) for e in decode(data).events]


def background(bus: Bus, run_id: str = "run") -> threading.Thread:
    thread = threading.Thread(target=work, args=(bus, run_id))
    thread.start()
    return thread


def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.005)


def status(bus: Bus, run_id: str = "run") -> str:
    return bus.meta(run_id)["status"]


def sent(bus: Bus, *messages: Message) -> None:
    for message in messages:
        bus.send("run", message)
