"""What the queue calls in a work-horse."""

import logging

from rq import get_current_job

from tiering.stream.bus import UnknownRun
from tiering.stream.redis_bus import RedisBus
from tiering.work.attempt import Attempt

log = logging.getLogger(__name__)


def run(run_id: str) -> None:
    """Run one attempt; raises BusUnavailable, and then the queue tries again."""
    job = get_current_job()
    if job is None:
        raise RuntimeError("tiering.work.job.run is called by a worker of the queue")
    try:
        attempt = Attempt(RedisBus(job.connection), run_id, job.worker_name or "")
    except UnknownRun as error:  # deleted while it waited
        log.info("%s", error)
        return
    with attempt:
        attempt.run()
