"""A worker of the queue whose death is noticed within seconds, and its command."""

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import Any

import redis
from rq import Queue, Worker
from rq.exceptions import InvalidJobOperation
from rq.job import Job
from rq.registry import clean_registries
from rq.utils import now
from rq.worker_registration import clean_worker_registry

from tiering.stream import keys
from tiering.stream.bus import BusUnavailable
from tiering.stream.lifeline import die_with_parent
from tiering.stream.redis_bus import RedisBus, address, connect
from tiering.work.outage import Outage
from tiering.work.pool import Pool
from tiering.work.submit import LOST_WORKERS_ALLOWED, announce_workers, make_queue, stop_as

JOB_LEASE_S = 10
JOB_MONITORING_S = 2
MAINTENANCE_EVERY_S = 3
MAINTENANCE_LOCK_S = 10
LONGEST_RETRY_S = 2.0  # between two tries to reach a lost Redis; RQ's is a minute
WORKER_TTL_S = 20  # an idle worker looks for lost runs every WORKER_TTL_S - 15
LOST = (
    f"Its workers were lost {LOST_WORKERS_ALLOWED + 1} times (killed, or out of memory);"
    " it is not tried again."
)
log = logging.getLogger(__name__)


class LeaseWorker(Worker):
    """RQ's worker with short leases; hands its run over when it is asked to stop.

    RQ would wait a minute more before it takes a job for lost, look for lost jobs only when idle,
    and on SIGTERM wait for the end of a run that may be paused for ever.
    """

    outage: Outage
    max_connection_wait_time = LONGEST_RETRY_S

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002
        """Seconds without a sign of life after which a job is lost (RQ's is 60 s longer)."""
        return JOB_LEASE_S

    def maintain_heartbeats(self, job: Job, execution: Any) -> None:
        """Also look for lost runs while busy: all workers may be busy with paused runs."""
        super().maintain_heartbeats(job, execution)
        self.outage.end()
        if self.should_run_maintenance_tasks:
            self.clean_registries()

    def dequeue_job_and_maintain_ttl(self, *args: Any, **kwargs: Any) -> Any:
        """As RQ's, which returns once Redis has answered."""
        result = super().dequeue_job_and_maintain_ttl(*args, **kwargs)
        self.outage.end()
        return result

    def clean_registries(self) -> None:
        """As RQ's, but a worker that dies while it holds the lock holds it for 10 s, not 15 min."""
        if self.connection.set(keys.MAINTENANCE, self.name, nx=True, ex=MAINTENANCE_LOCK_S):
            for queue in self.queues:
                clean_registries(queue, self._exc_handlers)
                clean_worker_registry(queue)
                queue.intermediate_queue.cleanup(self, queue)
            self.connection.delete(keys.MAINTENANCE)
        self.last_cleaned_at = now()  # type: ignore[assignment]  # RQ declares None

    def handle_warm_shutdown_request(self) -> None:
        """Kill the work-horse: its run goes back to the queue and is continued elsewhere."""
        if self.horse_pid:
            self.kill_horse()

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:
        """A second signal changes nothing: the first one already ends the work-horse."""

    def handle_job_failure(self, job: Job, queue: Queue, *args: Any, **kwargs: Any) -> None:
        """A handover does not count as a lost worker; a run without retries left has failed."""
        if self._stop_requested:
            job.retries_left = (job.retries_left or 0) + 1
        stopped = self._stopped_job_id == job.id
        retried = job.should_retry and not stopped
        super().handle_job_failure(job, queue, *args, **kwargs)
        if not retried and not stopped:
            give_up(self.connection, job.id)

    def handle_job_success(
        self, job: Job, queue: Queue, started_job_registry: Any, execution: Any
    ) -> None:
        """RQ stumbles over executions that have expired, and over a job that another has ended."""
        self.connection.delete(job.execution_registry.key)
        try:
            super().handle_job_success(job, queue, started_job_registry, execution)
        except InvalidJobOperation as error:
            log.info("%s", error)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """A lost Redis is told once for all workers; for the rest see RQ."""
        if isinstance(exc_info[1], BusUnavailable):
            self.outage.begin()
            abandoned(job)
        else:
            super().handle_exception(job, *exc_info)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """In the fork: die with the worker, or two processes might work on one run."""
        self._lifeline()
        super().main_work_horse(job, queue)

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """As RQ's; the lifeline must be made before the fork."""
        self._lifeline = die_with_parent(signal.SIGKILL)
        super().fork_work_horse(job, queue)

    def _install_signal_handlers(self) -> None:
        """The pool passes SIGTERM on; Ctrl-C in a terminal is for the pool alone."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self.request_stop)


def give_up(connection: "redis.Redis", run_id: str) -> None:
    """Mark a run as failed whose last allowed worker was lost."""
    finished = f"{time.time():.3f}"
    fields = {"status": "failed", "error": LOST, "finished_at": finished}
    stop_as(RedisBus(connection), run_id, fields)


def abandoned(job: Job, *_: Any) -> None:
    """RQ's exception handler, called by whoever finds that a job's worker is gone."""
    if not job.retries_left:
        give_up(job.connection, job.id)


def serve(url: str, outage: Outage) -> None:
    """Work until told to stop; call it in a process of its own."""
    try:
        client = connect(url)
    except BusUnavailable:
        outage.begin()
        raise
    logging.getLogger("rq.worker").addFilter(outage)
    worker = LeaseWorker(
        [make_queue(client)],
        connection=client,
        serializer="json",
        exception_handlers=[abandoned],
        job_monitoring_interval=JOB_MONITORING_S,
        maintenance_interval=MAINTENANCE_EVERY_S,
        worker_ttl=WORKER_TTL_S,
        log_job_description=False,
    )
    worker.outage = outage
    worker.work(logging_level="ERROR")


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m tiering worker [-n N] [--redis URL]`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tiering worker")
    parser.add_argument("-n", type=int, default=1, metavar="N")
    parser.add_argument("--redis", default=os.environ.get("REDIS_URL", ""), metavar="URL")
    args = parser.parse_args(argv)
    if not 1 <= args.n <= 1000:
        return _refuse(f"-n {args.n}: allowed is 1 .. 1000 workers.")
    try:
        with connect(args.redis) as client:
            announce_workers(client)
            outage = Outage(address(client))
    except BusUnavailable as error:
        return _refuse(str(error))
    for threads in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(threads, "1")  # one engine is one thread
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    from tiering.simulation.warm import warm_up  # noqa: PLC0415 (after the variables above)

    warm_up()  # once, before the workers are forked, so that no run waits for a compiler
    Pool(args.n, lambda: serve(args.redis, outage)).run()
    return 0


def _refuse(text: str) -> int:
    sys.stderr.write(text + "\n")
    return 2
