"""One attempt over the memory bus, in this process."""

import time
from typing import Any

import numpy as np
import orjson
import pytest

from tests.work.attempts import (
    BLOCK_NS,
    BLOCKS,
    SIZE,
    background,
    events,
    rows,
    sent,
    status,
    submit,
    until,
    work,
)
from tiering.model.metrics import RowShape, row_dtype
from tiering.simulation.loop import Simulation
from tiering.stream.bus import BusUnavailable, Message
from tiering.stream.codec import decode
from tiering.stream.memory_bus import MemoryBus
from tiering.work import attempt as attempt_module


@pytest.fixture
def bus(tiny: str) -> MemoryBus:
    memory = MemoryBus()
    submit(memory, tiny, "run")
    return memory


def test_a_run_ends_with_its_rows_schema_and_result(bus: MemoryBus) -> None:
    work(bus)
    meta = bus.meta("run")
    assert (meta["status"], meta["sim_ns"], meta["until_ns"]) == ("done", *["20000000000"] * 2)
    assert orjson.loads(meta["result"])["simulated_s"] == 20
    columns = orjson.loads(meta["schema"])
    dtype = row_dtype(RowShape(columns["nodes"], columns["mms"], columns["threads"]))
    table = np.frombuffer(rows(bus), dtype)
    assert table["time_ns"].tolist() == [1e8 * n for n in range(1, 201)]
    assert [step for step, _ in bus.read("run", -1, 1000, 0)] == list(range(BLOCKS))


def test_blocks_of_a_fast_run_are_published_together(
    bus: MemoryBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    append = bus.append

    def counting(run_id: str, attempt: int, blocks: list[tuple[int, bytes]]) -> None:
        sizes.append(len(blocks))
        append(run_id, attempt, blocks)

    monkeypatch.setattr(bus, "append", counting)
    work(bus)
    assert sum(sizes) == BLOCKS
    assert len(sizes) < 50


def test_a_paced_run_takes_its_time_and_has_the_same_rows(bus: MemoryBus, tiny: str) -> None:
    work(bus)
    submit(bus, tiny, "paced", speed="40")
    begin = time.monotonic()
    work(bus, "paced")
    assert 0.48 <= time.monotonic() - begin < 5
    assert rows(bus, "paced") == rows(bus)
    assert bus.meta("paced")["result"] == bus.meta("run")["result"]
    assert events(bus, "paced") == events(bus)


def test_a_paced_run_never_waits_in_a_read_for_what_is_due_soon(
    bus: MemoryBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: set[int] = set()
    receive = bus.receive

    def noting(run_id: str, after: str, wait_ms: int) -> list[tuple[str, Message]]:
        waits.add(wait_ms)
        return receive(run_id, after, wait_ms)

    monkeypatch.setattr(bus, "receive", noting)
    bus.update("run", 0, {"speed": "20"})
    work(bus)
    assert waits == {0}


def test_a_run_paused_before_its_start_waits_and_goes_on(bus: MemoryBus, tiny: str) -> None:
    sent(bus, {"cmd": "pause"})
    thread = background(bus)
    until(lambda: status(bus) == "paused")
    assert bus.last_step("run") == -1
    sent(bus, {"cmd": "resume"})
    thread.join()
    submit(bus, tiny, "straight")
    work(bus, "straight")
    assert rows(bus) == rows(bus, "straight")


def test_each_step_computes_exactly_one_block(bus: MemoryBus) -> None:
    sent(bus, {"cmd": "pause"}, {"cmd": "step"}, {"cmd": "step"})
    thread = background(bus)
    until(lambda: bus.last_step("run") == 1)
    sent(bus, {"cmd": "step"})
    until(lambda: bus.last_step("run") == 2)
    assert status(bus) == "paused"
    sent(bus, {"cmd": "stop"})
    thread.join()
    assert bus.last_step("run") == 2
    assert bus.meta("run")["sim_ns"] == str(3 * BLOCK_NS)


def test_a_message_after_a_step_acts_after_it(bus: MemoryBus) -> None:
    sent(bus, {"cmd": "step"}, {"cmd": "set", "knob": SIZE, "value": 100}, {"cmd": "stop"})
    work(bus)
    assert bus.control_log("run") == [{"t_ns": BLOCK_NS, "knob": SIZE, "value": 100}]


def test_stop_leaves_a_partial_result(bus: MemoryBus) -> None:
    sent(bus, {"cmd": "pause"}, {"cmd": "step"}, {"cmd": "stop"})
    work(bus)
    assert status(bus) == "stopped"
    assert orjson.loads(bus.meta("run")["result"])["simulated_s"] == BLOCK_NS / 1e9


def test_a_slow_run_can_be_sped_up_at_once(bus: MemoryBus) -> None:
    bus.update("run", 0, {"speed": "0.01"})
    thread = background(bus)
    until(lambda: bus.last_step("run") == 0)
    sent(bus, {"cmd": "speed", "value": 0})
    thread.join(5)
    assert not thread.is_alive()
    assert (status(bus), bus.meta("run")["speed"]) == ("done", "0")


def test_a_knob_acts_on_the_next_block_and_is_in_the_log(bus: MemoryBus) -> None:
    sent(bus, {"cmd": "step"}, {"cmd": "set", "knob": SIZE, "value": 100}, {"cmd": "resume"})
    work(bus)
    marks = [event for event in events(bus) if event["kind"] == "knob"]
    assert [(mark["t_ns"], mark["knob"], mark["value"]) for mark in marks] == [
        (BLOCK_NS, SIZE, 100)
    ]
    assert decode(bus.read("run", 0, 1, 0)[0][1]).events[0]["kind"] == "knob"


def test_a_knob_moved_on_a_paused_run_is_told_before_its_next_rows(bus: MemoryBus) -> None:
    sent(bus, {"cmd": "step"}, {"cmd": "set", "knob": SIZE, "value": 100})
    thread = background(bus)
    until(lambda: len(events(bus)) > 0 and events(bus)[-1]["kind"] == "knob")
    assert status(bus) == "paused"
    assert [decode(data).nr_rows for _, data in bus.read("run", 0, 9, 0)] == [0]
    sent(bus, {"cmd": "stop"})
    thread.join()
    assert events(bus)[-1]["value"] == 100


def test_a_run_that_is_stopped_keeps_what_was_turned_last(bus: MemoryBus) -> None:
    change = {"cmd": "set", "knob": SIZE, "value": 100}
    sent(bus, {"cmd": "pause"}, change, {"cmd": "step"}, {**change, "value": 90}, {"cmd": "stop"})
    work(bus)
    told = [event for event in events(bus) if event["kind"] == "knob"]
    assert [{key: event[key] for key in ("t_ns", "knob", "value")} for event in told] == (
        bus.control_log("run")
    )
    assert orjson.loads(bus.meta("run")["result"])["simulated_s"] == told[-1]["t_ns"] / 1e9


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"cmd": "set", "knob": SIZE, "value": -5}, "scan_size_mib = -5: allowed is"),
        ({"cmd": "set", "knob": "pte_scan.nothing", "value": 5}, "no such knob"),
        ({"cmd": "set", "knob": ["list"], "value": 5}, "name one knob"),
        ({"cmd": "set"}, "name one knob"),
        ({"cmd": "speed", "value": "fast"}, "speed = 'fast': allowed is"),
        ({"cmd": "explode"}, "cmd = 'explode': allowed is one of pause"),
        ({"cmd": {}}, "allowed is one of pause"),
        ({}, "cmd = None: allowed is one of pause"),
    ],
)
def test_a_bad_message_is_answered_in_the_event_log(
    bus: MemoryBus, message: Message, words: str
) -> None:
    sent(bus, message)
    work(bus)
    assert status(bus) == "done"
    errors = [event for event in events(bus) if event["kind"] == "error"]
    assert len(errors) == 1
    assert words in errors[0]["text"]
    assert bus.control_log("run") == []


def test_a_fenced_attempt_ends_in_silence(bus: MemoryBus) -> None:
    bus.update("run", 0, {"speed": "1"})
    thread = background(bus)
    until(lambda: bus.last_step("run") >= 0)
    bus.claim("run", "another")
    thread.join(5)
    assert not thread.is_alive()
    assert status(bus) == "running"


def test_a_run_stopped_while_it_waited_is_not_begun(bus: MemoryBus) -> None:
    bus.update("run", 0, {"status": "stopped"})
    work(bus)
    assert status(bus) == "stopped"
    assert bus.last_step("run") == -1


def test_a_failure_of_the_simulation_becomes_one_sentence(
    bus: MemoryBus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Simulation):
        def result(self) -> dict[str, Any]:
            raise ZeroDivisionError("books do\nnot balance")

    monkeypatch.setattr(attempt_module, "Simulation", Broken)
    work(bus)
    meta = bus.meta("run")
    assert meta["status"] == "failed"
    assert meta["error"] == "ZeroDivisionError: books do not balance"
    assert bus.last_step("run") == BLOCKS - 1
    assert "Traceback" in caplog.text


def test_a_scenario_that_no_longer_loads_is_named(bus: MemoryBus) -> None:
    submit(bus, "title = 3", "bad")
    work(bus, "bad")
    assert status(bus, "bad") == "failed"
    assert "title" in bus.meta("bad")["error"]


def test_a_bus_that_is_gone_is_the_queues_business(
    bus: MemoryBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise BusUnavailable("Redis at here does not answer.")

    monkeypatch.setattr(bus, "append", gone)
    with pytest.raises(BusUnavailable):
        work(bus)
    assert status(bus) == "running"


def test_a_paused_run_keeps_its_lease(tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = MemoryBus(lease_ms=300)
    submit(bus, tiny, "run")
    monkeypatch.setattr(attempt_module, "SIGN_OF_LIFE_EVERY_S", 0.05)
    sent(bus, {"cmd": "pause"})
    thread = background(bus)
    until(lambda: status(bus) == "paused")
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        assert bus.alive("run")
        time.sleep(0.02)
    sent(bus, {"cmd": "stop"})
    thread.join()
