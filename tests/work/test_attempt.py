"""One attempt after another over the memory bus, in this process."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest

import tiering
from tiering.model.metrics import RowShape, row_dtype
from tiering.simulation.loop import Simulation
from tiering.stream.bus import Bus, BusUnavailable, Message
from tiering.stream.codec import decode
from tiering.stream.memory_bus import MemoryBus
from tiering.work import attempt as attempt_module
from tiering.work.attempt import Attempt

SIZE, PERIOD = "pte_scan.scan_size_mib", "pte_scan.scan_period_ms"


@pytest.fixture
def bus(tiny: str) -> MemoryBus:
    memory = MemoryBus()
    submit(memory, tiny, "run")
    return memory


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


def test_a_run_ends_with_its_rows_schema_and_result(bus: MemoryBus) -> None:
    work(bus)
    meta = bus.meta("run")
    assert (meta["status"], meta["sim_ns"], meta["until_ns"]) == ("done", *["20000000000"] * 2)
    assert orjson.loads(meta["result"])["simulated_s"] == 20
    columns = orjson.loads(meta["schema"])
    dtype = row_dtype(RowShape(columns["nodes"], columns["mms"], columns["threads"]))
    table = np.frombuffer(rows(bus), dtype)
    assert table["time_ns"].tolist() == [1e8 * n for n in range(1, 201)]
    assert [step for step, _ in bus.read("run", -1, 1000, 0)] == list(range(100))


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
    assert sum(sizes) == 100
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
    assert bus.meta("run")["sim_ns"] == "600000000"


def test_a_message_after_a_step_acts_after_it(bus: MemoryBus) -> None:
    sent(bus, {"cmd": "step"}, {"cmd": "set", "knob": SIZE, "value": 100}, {"cmd": "stop"})
    work(bus)
    assert bus.control_log("run") == [{"t_ns": 200_000_000, "knob": SIZE, "value": 100}]


def test_stop_leaves_a_partial_result(bus: MemoryBus) -> None:
    sent(bus, {"cmd": "pause"}, {"cmd": "step"}, {"cmd": "stop"})
    work(bus)
    assert status(bus) == "stopped"
    assert orjson.loads(bus.meta("run")["result"])["simulated_s"] == 0.2


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
        (200_000_000, SIZE, 100)
    ]
    assert decode(bus.read("run", 0, 1, 0)[0][1]).events[0]["kind"] == "knob"


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


def test_a_retry_repeats_the_lost_attempt_to_the_byte(bus: MemoryBus, tiny: str) -> None:
    script: list[Message] = [
        *[{"cmd": "step"}] * 3,
        {"cmd": "set", "knob": SIZE, "value": 100},
        *[{"cmd": "step"}] * 20,
        {"cmd": "set", "knob": PERIOD, "value": 900},
        {"cmd": "resume"},
    ]
    sent(bus, *script)
    work(bus)
    for lost_at in (0, 2, 3, 10, 60):
        submit(bus, tiny, f"lost-{lost_at}")
        for message in script:
            bus.send(f"lost-{lost_at}", message)
        run_until_lost(bus, f"lost-{lost_at}", lost_at)
        assert bus.last_step(f"lost-{lost_at}") == lost_at
        work(bus, f"lost-{lost_at}")
        assert rows(bus, f"lost-{lost_at}") == rows(bus)
        assert events(bus, f"lost-{lost_at}") == events(bus)
        assert bus.control_log(f"lost-{lost_at}") == bus.control_log("run")
        assert bus.meta(f"lost-{lost_at}")["result"] == bus.meta("run")["result"]


class Lost(BaseException):
    """As sudden as a SIGKILL: passes every handler of ours."""


def run_until_lost(bus: MemoryBus, run_id: str, last_step: int) -> None:
    """An attempt that vanishes once it has published `last_step`, block by block."""
    append = MemoryBus.append

    def dying(run_id: str, attempt: int, blocks: list[tuple[int, bytes]]) -> None:
        append(bus, run_id, attempt, [block for block in blocks if block[0] <= last_step])
        if blocks[-1][0] >= last_step:
            raise Lost

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bus, "append", dying)
        with pytest.raises(Lost):
            work(bus, run_id)


def test_a_change_that_was_logged_but_never_published_is_repeated(
    bus: MemoryBus, tiny: str
) -> None:
    change = {"cmd": "set", "knob": SIZE, "value": 100}
    script: list[Message] = [{"cmd": "step"}, change, {"cmd": "resume"}]
    sent(bus, *script)
    work(bus)
    submit(bus, tiny, "lost")
    for message in script:
        bus.send("lost", message)
    log_control = bus.log_control

    def dying(run_id: str, attempt: int, entry: Message, cursor: str) -> None:
        log_control(run_id, attempt, entry, cursor)
        raise Lost

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bus, "log_control", dying)
        with pytest.raises(Lost):
            work(bus, "lost")
    work(bus, "lost")
    assert len(bus.control_log("lost")) == 1
    assert rows(bus, "lost") == rows(bus)


def test_a_step_whose_block_was_lost_is_taken_again(bus: MemoryBus) -> None:
    sent(bus, *[{"cmd": "step"}] * 3)

    def dying(*_: object) -> None:
        raise Lost

    run_until_lost(bus, "run", 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bus, "append", dying)
        with pytest.raises(Lost):
            work(bus)
    assert bus.last_step("run") == 0
    sent(bus, {"cmd": "stop"})
    work(bus)
    assert bus.last_step("run") == 2


def test_a_paused_run_is_still_paused_after_its_worker_was_lost(bus: MemoryBus) -> None:
    sent(bus, *[{"cmd": "step"}] * 3)
    run_until_lost(bus, "run", 1)
    thread = background(bus)
    until(lambda: bus.last_step("run") == 2)
    until(lambda: bus.meta("run")["attempt"] == "2" and status(bus) == "paused")
    sent(bus, {"cmd": "stop"})
    thread.join()
    assert bus.last_step("run") == 2


def test_another_version_does_not_continue_a_run(bus: MemoryBus) -> None:
    run_until_lost(bus, "run", 1)
    bus.update("run", 1, {"version": "0.0.1"})
    work(bus)
    meta = bus.meta("run")
    assert meta["status"] == "failed"
    assert "begun by version 0.0.1" in meta["error"]


def test_another_version_may_begin_a_run_that_waited(bus: MemoryBus) -> None:
    bus.update("run", 0, {"version": "0.0.1"})
    work(bus)
    meta = bus.meta("run")
    assert (meta["status"], meta["version"]) == ("done", tiering.__version__)


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
    assert bus.last_step("run") == 99
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
