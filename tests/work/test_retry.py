"""One attempt after another: what a lost one began is repeated and continued."""

import orjson
import pytest

import tiering
from tests.work.attempts import (
    PERIOD,
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
from tiering.stream.bus import Message
from tiering.stream.memory_bus import MemoryBus


@pytest.fixture
def bus(tiny: str) -> MemoryBus:
    memory = MemoryBus()
    submit(memory, tiny, "run")
    return memory


def test_a_retry_repeats_the_lost_attempt_to_the_byte(bus: MemoryBus, tiny: str) -> None:
    script: list[Message] = [
        *[{"cmd": "step"}] * 3,
        {"cmd": "set", "knob": SIZE, "value": 100},
        {"cmd": "set", "knob": PERIOD, "value": 800},
        *[{"cmd": "step"}] * 20,
        {"cmd": "set", "knob": PERIOD, "value": 900},
        {"cmd": "resume"},
    ]
    sent(bus, *script)
    work(bus)
    for lost_at in (0, 2, 3, 4, 5, 10, 60):
        submit(bus, tiny, f"lost-{lost_at}")
        for message in script:
            bus.send(f"lost-{lost_at}", message)
        run_until_lost(bus, f"lost-{lost_at}", lost_at)
        assert bus.last_step(f"lost-{lost_at}") == lost_at
        work(bus, f"lost-{lost_at}")
        assert rows(bus, f"lost-{lost_at}") == rows(bus)
        assert events(bus, f"lost-{lost_at}") == events(bus)
        assert bus.control_log(f"lost-{lost_at}") == bus.control_log("run")
        for field in ("result", "summary", "turned"):
            assert bus.meta(f"lost-{lost_at}")[field] == bus.meta("run")[field]


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
    assert events(bus, "lost") == events(bus)


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


def test_a_run_is_not_continued_with_a_policy_that_was_edited_meanwhile(tiny: str) -> None:
    rooms = {"rooms.promotion": "user_policy", "user_policy.file": "fair_share.py"}
    bus = MemoryBus()
    submit(bus, tiny, "run", overrides=orjson.dumps(rooms).decode())
    run_until_lost(bus, "run", 1)
    assert len(bus.meta("run")["policy"]) == 16
    bus.update("run", 1, {"policy": "0" * 16})
    work(bus)
    meta = bus.meta("run")
    assert meta["status"] == "failed"
    assert meta["error"].startswith("fair_share.py was edited after the run began")


def test_another_version_may_begin_a_run_that_waited(bus: MemoryBus) -> None:
    bus.update("run", 0, {"version": "0.0.1"})
    work(bus)
    meta = bus.meta("run")
    assert (meta["status"], meta["version"]) == ("done", tiering.__version__)
