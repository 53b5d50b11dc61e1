"""Submitting, steering and stopping runs: what the page and scripts see of the workers."""

import logging
import re
import secrets
import threading
import time
from datetime import timedelta
from typing import Any, NamedTuple

import orjson
import redis
from rq import Queue, Retry
from rq.command import send_stop_job_command
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job
from rq.utils import now, utcparse
from rq.worker_registration import get_keys

import tiering
from tiering.simulation.load import ScenarioError, load_text
from tiering.stream import keys
from tiering.stream.bus import FINAL, Bus, BusUnavailable, Fenced, Message, UnknownRun
from tiering.work.pacing import parse_speed

KEEP_ROWS, KEEP_RUNS = 200, 5000
"""So many finished runs keep their rows, and so many are known at all. Looked after when a run is
submitted; a run with a tag is kept whatever its age. See `Bus.expire`."""

PAGE_SPEED = 10.0
STOP_WITHIN_S = 3.0
LOST_WORKERS_ALLOWED = 3
FAILED_JOB_TTL_S = 3600
STARTING_S = 180
FRESH_S = 12  # an idle worker gives a sign every 5 s, a busy one every 2 s
MAX_SEED = 2**63 - 1
log = logging.getLogger(__name__)


class Capacity(NamedTuple):
    """Workers alive, and how many of them are idle."""

    workers: int
    idle: int


def make_queue(client: "redis.Redis") -> Queue:
    """The queue of runs. JSON, so that nobody who can write to Redis can run code."""
    return Queue(keys.QUEUE, connection=client, serializer="json")


class Jobs:
    """Runs as jobs of the queue; safe to use from several threads."""

    def __init__(self, bus: Bus, queue: Queue) -> None:
        self._bus, self._queue = bus, queue

    def submit(
        self,
        scenario_text: str,
        name: str,
        seed: int | None = None,
        overrides: dict[str, Any] | None = None,
        speed: float = PAGE_SPEED,
        parent: str = "",
    ) -> str:
        """Check the scenario, put a run on the queue and return its id.

        name: of the scenario. seed: None = the scenario's own. overrides: dotted key -> value.
        speed: simulated seconds per wall second, 0 = as fast as it goes. parent: the run that this
        one repeats or forks. Raises ScenarioError (one line per mistake), SpeedError,
        BusUnavailable.
        """
        scenario = load_text(scenario_text, name, overrides or {})
        seed = scenario.seed if seed is None else seed
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= MAX_SEED:
            raise ScenarioError(f"seed = {seed}: allowed is a whole number 0 .. {MAX_SEED}")
        meta = {
            "scenario": name,
            "title": scenario.title,
            "scenario_toml": scenario_text,
            "seed": str(seed),
            "overrides": orjson.dumps(overrides or {}).decode(),
            "speed": f"{parse_speed(speed):g}",
            "created_at": f"{time.time():.3f}",
            "version": tiering.__version__,
            "until_ns": str(round(scenario.until_s * 1e9)),
            "sim_ns": "0",
            "worker": "",
            "error": "",
            "schema": "",
            "result": "",
            "cursor": "0",
            "parent": parent,
        }
        self._bus.expire(KEEP_ROWS, KEEP_RUNS)
        run_id = self._create(name, meta)
        self._enqueue(run_id)
        return run_id

    def send(self, run_id: str, message: Message) -> str:
        """Send a control message (see `tiering.stream.bus.Message`); a stop is a `cancel`."""
        if message.get("cmd") == "stop":
            self.cancel(run_id)
            return ""
        return self._bus.send(run_id, message)

    def cancel(self, run_id: str) -> None:
        """Stop a run, whatever it does; returns at once, the run ends within about 3 s.

        A waiting run never starts. A running or paused one is asked to stop and keeps its partial
        result; if it does not react, its work-horse is killed. Raises UnknownRun.
        """
        meta = self._bus.meta(run_id)
        if meta["status"] in FINAL:
            return
        self._bus.send(run_id, {"cmd": "stop"})
        if meta["status"] == "waiting" and self._stop_waiting(run_id):
            return
        wait_s = STOP_WITHIN_S if self._bus.alive(run_id) else 0.0
        killer = threading.Timer(wait_s, self._stop_hard, (run_id,))
        killer.daemon = True
        killer.start()

    def delete(self, run_id: str) -> None:
        """Forget a run and its place in the queue; one that is not final is stopped first.

        Raises UnknownRun.
        """
        if self._bus.meta(run_id)["status"] not in FINAL:
            self._kill(run_id)
        self._bus.delete(run_id)

    def recover(self) -> list[str]:
        """Queue unfinished runs again that a crash took off the queue; returns their ids."""
        lost = []
        for run_id in self._bus.runs():
            if not self._is_final(run_id) and not self._is_queued(run_id):
                self._enqueue(run_id)
                lost.append(run_id)
        return lost

    def capacity(self) -> Capacity:
        """Counts of this moment; a killed worker is counted for up to 12 s."""
        try:
            with self._queue.connection.pipeline(transaction=False) as pipe:
                for key in get_keys(self._queue):
                    pipe.hmget(key, "state", "last_heartbeat", "death")
                workers = pipe.execute()
        except redis.RedisError as error:
            raise BusUnavailable(f"The workers cannot be counted: {error}") from error
        oldest = now() - timedelta(seconds=FRESH_S)
        alive = [
            state for state, beat, death in workers if beat and not death and _time(beat) > oldest
        ]
        return Capacity(len(alive), sum(state == b"idle" for state in alive))

    def starting(self) -> bool:
        """True if workers were announced of late: they may be compiling, for about a minute."""
        try:
            return bool(self._queue.connection.exists(keys.STARTING))
        except redis.RedisError as error:
            raise BusUnavailable(f"The workers cannot be counted: {error}") from error

    def _create(self, name: str, meta: dict[str, str]) -> str:
        stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "run"
        while True:
            run_id = f"{stem}-{secrets.token_hex(2)}"
            try:
                self._bus.create(run_id, meta)
            except ValueError:  # taken
                continue
            return run_id

    def _enqueue(self, run_id: str) -> None:
        try:
            self._queue.enqueue(
                "tiering.work.job.run",
                run_id,
                job_id=run_id,
                retry=Retry(max=LOST_WORKERS_ALLOWED),
                job_timeout=-1,
                result_ttl=0,
                failure_ttl=FAILED_JOB_TTL_S,
            )
        except redis.RedisError as error:
            raise BusUnavailable(f"The run could not be queued: {error}") from error

    def _is_queued(self, run_id: str) -> bool:
        try:
            return Job.exists(run_id, connection=self._queue.connection)
        except redis.RedisError as error:
            raise BusUnavailable(f"The queue cannot be read: {error}") from error

    def _stop_waiting(self, run_id: str) -> bool:
        """True if the run was stopped before any worker claimed it."""
        try:
            self._off_queue(run_id)
            self._bus.update(run_id, 0, _stopped())
        except Fenced:
            return False
        except redis.RedisError as error:
            raise BusUnavailable(f"The run could not be taken off the queue: {error}") from error
        return True

    def _stop_hard(self, run_id: str) -> None:
        try:
            self._kill(run_id)
        except BusUnavailable as error:
            log.warning("Run %s could not be stopped: %s", run_id, error)

    def _kill(self, run_id: str) -> None:
        """Fence the attempt, mark the run stopped and kill its work-horse."""
        try:
            stop_as(self._bus, run_id, _stopped())
            if self._off_queue(run_id):
                queue = self._queue
                send_stop_job_command(queue.connection, run_id, serializer=queue.serializer)
        except InvalidJobOperation:
            return  # it ended by itself just now
        except redis.RedisError as error:
            raise BusUnavailable(f"The worker could not be told: {error}") from error

    def _off_queue(self, run_id: str) -> bool:
        """Take the run off the queue, and all that the queue knows of it unless a worker has it.

        True if a worker has it.
        """
        queue = self._queue
        queue.remove(run_id)
        try:
            job = Job.fetch(run_id, connection=queue.connection, serializer=queue.serializer)
        except NoSuchJobError:
            return False
        if not job.worker_name:
            job.delete(remove_from_queue=False)
        return bool(job.worker_name)

    def _is_final(self, run_id: str) -> bool:
        try:
            return self._bus.meta(run_id)["status"] in FINAL
        except UnknownRun:  # deleted meanwhile
            return False


def announce_workers(client: "redis.Redis") -> None:
    """Let the page know that workers are about to start."""
    try:
        client.set(keys.STARTING, "1", ex=STARTING_S)
    except redis.RedisError as error:
        raise BusUnavailable(f"The workers cannot be announced: {error}") from error


def stop_as(bus: Bus, run_id: str, fields: dict[str, str]) -> None:
    """Take the run from its attempt and write its last word, unless it has had one."""
    while True:
        try:
            if bus.meta(run_id)["status"] not in FINAL:
                attempt = bus.claim(run_id, bus.meta(run_id).get("worker", ""))
                if bus.meta(run_id)["status"] not in FINAL:
                    bus.update(run_id, attempt, fields)
        except Fenced:  # a worker claimed it between the two calls
            continue
        except UnknownRun:
            return
        return


def _stopped() -> dict[str, str]:
    return {"status": "stopped", "finished_at": f"{time.time():.3f}"}


def _time(stamp: bytes) -> Any:
    return utcparse(stamp.decode())
