"""Runs through real workers on a real server, which are killed on the way."""

import os
import signal
from typing import Any

import orjson
import pytest
import redis

from tiering.simulation.load import load_text
from tiering.simulation.loop import Simulation
from tiering.stream.bus import Bus, Message
from tiering.stream.codec import decode
from tiering.work.submit import Jobs
from tiering.work.worker import LOST, main

SIZE = "pte_scan.scan_size_mib"


def rows(bus: Bus, run_id: str) -> bytes:
    return b"".join(decode(data).rows for _, data in bus.read(run_id, -1, 10**6, 0))


def straight(text: str, log: list[Message]) -> tuple[bytes, dict[str, Any]]:
    """Rows and result of the same run without workers, pauses and pacing."""
    simulation = Simulation(load_text(text, "tiny"), 1)
    changes, parts = list(log), []
    while not simulation.done:
        while changes and changes[0]["t_ns"] == simulation.time_ns:
            change = changes.pop(0)
            simulation.set_knob(change["knob"], change["value"])
        parts.append(simulation.next_block().rows)
    assert changes == []
    return b"".join(parts), simulation.result()


def check_same_bytes(bus: Bus, run_id: str, text: str) -> None:
    expected, result = straight(text, bus.control_log(run_id))
    assert rows(bus, run_id) == expected
    assert orjson.loads(bus.meta(run_id)["result"]) == orjson.loads(orjson.dumps(result))


def test_a_worker_runs_what_is_submitted(bus: Bus, jobs: Jobs, workers: Any, tiny: str) -> None:
    until = workers.until
    assert (jobs.capacity(), jobs.starting()) == ((0, 0), False)
    run_id = jobs.submit(tiny, "tiny", speed=0)
    assert bus.meta(run_id)["status"] == "waiting"
    workers.start(2)
    until(jobs.starting)
    until(lambda: bus.meta(run_id)["status"] == "done")
    until(lambda: jobs.capacity() == (2, 2))
    check_same_bytes(bus, run_id, tiny)
    assert bus.meta(run_id)["attempt"] == "1"


def test_a_killed_worker_group_is_replaced_and_the_run_has_the_same_bytes(
    bus: Bus, jobs: Jobs, workers: Any, tiny: str
) -> None:
    until = workers.until
    pool = workers.start(1)
    run_id = jobs.submit(tiny, "tiny", speed=10)
    until(lambda: bus.last_step(run_id) >= 10)
    jobs.send(run_id, {"cmd": "set", "knob": SIZE, "value": 100})
    until(lambda: len(bus.control_log(run_id)) == 1)
    jobs.send(run_id, {"cmd": "pause"})
    until(lambda: bus.meta(run_id)["status"] == "paused")
    assert jobs.capacity() == (1, 0)
    jobs.send(run_id, {"cmd": "resume"})
    seen = bus.last_step(run_id)
    until(lambda: bus.last_step(run_id) > seen)
    os.kill(pool, signal.SIGKILL)  # workers and work-horses die with it
    workers.start(1)
    until(lambda: not bus.alive(run_id))
    assert bus.meta(run_id)["status"] == "running"  # the page says: worker lost, retrying
    until(lambda: bus.meta(run_id)["attempt"] == "2")
    jobs.send(run_id, {"cmd": "set", "knob": SIZE, "value": 200})
    until(lambda: len(bus.control_log(run_id)) == 2)
    jobs.send(run_id, {"cmd": "speed", "value": 0})
    until(lambda: bus.meta(run_id)["status"] == "done")
    check_same_bytes(bus, run_id, tiny)


def test_a_worker_busy_with_a_paused_run_notices_the_death_of_another(
    bus: Bus, jobs: Jobs, workers: Any, tiny: str, client: "redis.Redis"
) -> None:
    workers.start(1)
    paused = jobs.submit(tiny, "paused")
    jobs.send(paused, {"cmd": "pause"})
    workers.until(lambda: bus.meta(paused)["status"] == "paused")
    pool = workers.start(1)
    lost = jobs.submit(tiny, "lost", speed=1)
    workers.until(lambda: bus.last_step(lost) >= 0)
    os.kill(pool, signal.SIGKILL)
    workers.until(lambda: client.lrange("rq:queue:runs", 0, -1) == [lost.encode()])
    for run_id in (paused, lost):
        jobs.cancel(run_id)
    workers.until(lambda: bus.meta(paused)["status"] == bus.meta(lost)["status"] == "stopped")


def test_a_killed_work_horse_is_replaced_at_once_but_not_for_ever(
    bus: Bus, jobs: Jobs, workers: Any, tiny: str
) -> None:
    pool = workers.start(1)
    run_id = jobs.submit(tiny, "tiny", speed=1)
    for attempt in range(1, 5):
        workers.until(lambda n=str(attempt): bus.meta(run_id)["attempt"] == n)
        os.kill(workers.horse_of(pool), signal.SIGKILL)
    workers.until(lambda: bus.meta(run_id)["status"] == "failed")
    assert bus.meta(run_id)["error"] == LOST


def test_a_stopped_pool_hands_its_paused_run_over(
    bus: Bus, jobs: Jobs, workers: Any, tiny: str
) -> None:
    workers.start(1)
    run_id = jobs.submit(tiny, "tiny", speed=0)
    for _ in range(2):
        jobs.send(run_id, {"cmd": "step"})
    workers.until(lambda: bus.last_step(run_id) == 1)
    workers.stop()
    assert bus.meta(run_id)["status"] == "paused"
    workers.start(1)
    workers.until(lambda: bus.meta(run_id)["attempt"] == "2")
    jobs.send(run_id, {"cmd": "resume"})
    workers.until(lambda: bus.meta(run_id)["status"] == "done")
    check_same_bytes(bus, run_id, tiny)


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["-n", "0", "--redis", "redis://x"], "-n 0: allowed is 1 .. 1000 workers."),
        ([], "No Redis given: use --redis URL or set REDIS_URL."),
        (["--redis", "redis://127.0.0.1:1"], "Redis at 127.0.0.1:1 does not answer"),
    ],
)
def test_the_worker_command_refuses_in_a_sentence(
    argv: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert main(argv) == 2
    assert capsys.readouterr().err.startswith(sentence)
