"""The worker command as a child of the page's process."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import tiering
from tiering.stream.lifeline import die_with_parent

STOP_TIMEOUT_S = 4.0
RESTART_AFTER_S = 5.0
log = logging.getLogger(__name__)


class WorkerService:
    """`python -m tiering worker -n count`, restarted if it dies, gone when its parent is.

    url: of Redis; handed over in the environment, since command lines are public. log_file: for
    the workers' output and tracebacks, begun anew; None = this process's standard error.
    """

    def __init__(self, count: int, url: str, log_file: Path | None) -> None:
        self._count, self._url, self._log_file = count, url, log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0

    def start(self) -> None:
        """Returns at once; workers take up runs a second or two later. Main thread only."""
        if self._count == 0:
            return
        output = self._log_file.open("wb") if self._log_file else None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tiering", "worker", "-n", str(self._count)],
            env={**os.environ, "REDIS_URL": self._url},
            cwd=Path(tiering.__file__).parents[1],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the parent, which stops us in order
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 (it only calls prctl)
        )
        self._started_s = time.monotonic()
        if output:
            output.close()

    @property
    def pid(self) -> int | None:
        """Of the process that supervises the workers, None before `start` and after `stop`."""
        return self._process.pid if self._process else None

    def check(self) -> None:
        """Start the workers again if they are gone, at most every 5 s. Main thread only."""
        if self._process is None or self._process.poll() is None:
            return
        if time.monotonic() - self._started_s >= RESTART_AFTER_S:
            log.warning("The workers ended with code %s; starting them again", self._process.poll())
            self.start()

    def stop(self) -> None:
        """Workers hand their runs back to the queue and end; killed after 4 s."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
