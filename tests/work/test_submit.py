"""Submitting and stopping; one pair of real workers for the whole file."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis

from tiering.simulation.load import ScenarioError
from tiering.stream.bus import Bus, UnknownRun
from tiering.stream.embedded import EmbeddedServer
from tiering.work import submit as submit_module
from tiering.work.pacing import SpeedError
from tiering.work.submit import Jobs

ONE_RUN_AT_A_TIME = 1


@pytest.fixture(scope="module")
def pool(
    server: EmbeddedServer, make_workers: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    workers = make_workers(server.url, tmp_path_factory.mktemp("log") / "workers.log")
    workers.pool = workers.start(ONE_RUN_AT_A_TIME)
    yield workers
    workers.stop()


def test_what_is_submitted_is_written_down(bus: Bus, jobs: Jobs, tiny: str) -> None:
    run_id = jobs.submit(tiny, "My Tiny", 7, {"until_s": 4.0}, 100)
    meta = bus.meta(run_id)
    assert run_id.startswith("my-tiny-")
    assert run_id.isascii()
    assert {key: meta[key] for key in ("scenario", "title", "seed", "speed", "status")} == {
        "scenario": "My Tiny",
        "title": "Tiny",
        "seed": "7",
        "speed": "100",
        "status": "waiting",
    }
    assert meta["scenario_toml"] == tiny
    assert orjson.loads(meta["overrides"]) == {"until_s": 4.0}
    assert meta["until_ns"] == "4000000000"
    jobs.cancel(run_id)


def test_a_bad_scenario_is_refused_before_it_is_queued(bus: Bus, jobs: Jobs, tiny: str) -> None:
    before = bus.runs()
    with pytest.raises(ScenarioError, match="until_s"):
        jobs.submit(tiny, "tiny", 1, {"until_s": -1})
    with pytest.raises(ScenarioError, match="seed = -1: allowed is"):
        jobs.submit(tiny, "tiny", -1)
    with pytest.raises(SpeedError, match="speed = -3"):
        jobs.submit(tiny, "tiny", 1, {}, -3)
    assert bus.runs() == before


def test_a_waiting_run_is_stopped_at_once_and_never_starts(
    bus: Bus, jobs: Jobs, client: "redis.Redis", tiny: str
) -> None:
    run_id = jobs.submit(tiny, "tiny")
    assert client.lrange("rq:queue:runs", 0, -1) == [run_id.encode()]
    jobs.cancel(run_id)
    assert bus.meta(run_id)["status"] == "stopped"
    assert client.lrange("rq:queue:runs", 0, -1) == []
    jobs.cancel(run_id)  # a second time changes nothing
    assert bus.meta(run_id)["attempt"] == "0"


def test_an_unknown_run_cannot_be_stopped(jobs: Jobs) -> None:
    for call in (jobs.cancel, jobs.delete):
        with pytest.raises(UnknownRun):
            call("nobody")


def test_old_finished_runs_are_forgotten_when_a_run_is_submitted(
    bus: Bus, jobs: Jobs, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run_id in bus.runs():
        bus.delete(run_id)
    monkeypatch.setattr(submit_module, "KEEP_ROWS", 1)
    monkeypatch.setattr(submit_module, "KEEP_RUNS", 2)
    waiting = jobs.submit(tiny, "waiting")
    finished = [jobs.submit(tiny, "finished") for _ in range(4)]
    for run_id in finished:
        jobs.cancel(run_id)
    newest = jobs.submit(tiny, "newest")
    assert bus.runs() == [newest, finished[3], finished[2], waiting]
    assert [bus.meta(run_id).get("rows", "") for run_id in finished[2:]] == ["gone", ""]
    for run_id in (newest, waiting):
        jobs.cancel(run_id)


def test_a_stopped_or_deleted_run_leaves_nothing_in_the_queue(
    bus: Bus, jobs: Jobs, client: "redis.Redis", tiny: str
) -> None:
    stopped, deleted = jobs.submit(tiny, "stopped"), jobs.submit(tiny, "deleted")
    jobs.cancel(stopped)
    jobs.delete(deleted)
    assert client.lrange("rq:queue:runs", 0, -1) == []
    assert client.exists(f"rq:job:{stopped}", f"rq:job:{deleted}") == 0
    assert client.keys(f"*{deleted}*") == []
    assert bus.meta(stopped)["status"] == "stopped"


def test_a_run_that_a_crash_took_off_the_queue_is_queued_again(
    bus: Bus, jobs: Jobs, client: "redis.Redis", tiny: str
) -> None:
    queued, lost = jobs.submit(tiny, "queued"), jobs.submit(tiny, "lost")
    client.delete(f"rq:job:{lost}")
    client.lrem("rq:queue:runs", 1, lost)
    assert jobs.recover() == [lost]
    assert client.lrange("rq:queue:runs", 0, -1) == [queued.encode(), lost.encode()]
    assert jobs.recover() == []
    for run_id in (queued, lost):
        jobs.cancel(run_id)


def test_a_running_run_is_stopped_with_a_partial_result(
    bus: Bus, jobs: Jobs, pool: Any, tiny: str
) -> None:
    run_id = jobs.submit(tiny, "tiny", speed=1)
    pool.until(lambda: bus.last_step(run_id) >= 1)
    jobs.cancel(run_id)
    pool.until(lambda: bus.meta(run_id)["status"] == "stopped", 2)
    assert 0 < orjson.loads(bus.meta(run_id)["result"])["simulated_s"] < 20


def test_a_paused_run_is_stopped_and_the_next_one_starts(
    bus: Bus, jobs: Jobs, pool: Any, tiny: str
) -> None:
    first, second = jobs.submit(tiny, "tiny"), jobs.submit(tiny, "tiny", speed=0)
    jobs.send(first, {"cmd": "pause"})
    pool.until(lambda: bus.meta(first)["status"] == "paused")
    assert bus.meta(second)["status"] == "waiting"
    jobs.send(first, {"cmd": "stop"})
    pool.until(lambda: bus.meta(first)["status"] == "stopped", 2)
    pool.until(lambda: bus.meta(second)["status"] == "done")


def test_a_run_that_does_not_react_is_killed(bus: Bus, jobs: Jobs, pool: Any, tiny: str) -> None:
    run_id = jobs.submit(tiny, "tiny", speed=1)
    pool.until(lambda: bus.last_step(run_id) >= 0)
    horse = pool.horse_of(pool.pool)
    os.kill(horse, signal.SIGSTOP)
    jobs.cancel(run_id)
    pool.until(lambda: bus.meta(run_id)["status"] == "stopped", 8)
    pool.until(lambda: not Path(f"/proc/{horse}").exists(), 8)
    after = jobs.submit(tiny, "tiny", speed=0)
    pool.until(lambda: bus.meta(after)["status"] == "done")
    assert bus.meta(run_id)["status"] == "stopped"


def test_a_deleted_run_frees_its_worker(bus: Bus, jobs: Jobs, pool: Any, tiny: str) -> None:
    run_id = jobs.submit(tiny, "tiny", speed=1)
    pool.until(lambda: bus.last_step(run_id) >= 0)
    jobs.delete(run_id)
    assert run_id not in bus.runs()
    pool.until(lambda: jobs.capacity() == (1, 1))
