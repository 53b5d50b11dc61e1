"""N worker processes forked from this one; a dead one is replaced until the pool is stopped."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable

from tiering.stream.bus import BusUnavailable
from tiering.stream.lifeline import die_with_parent

STOP_TIMEOUT_S = 3.0
TOO_SHORT_S = 1.0
"""A worker that lived no longer is replaced only after as much time."""

_STOP = (signal.SIGTERM, signal.SIGINT)
log = logging.getLogger(__name__)


class Pool:
    """Keeps `count` children running `serve`. Signals are read, not handled: there is no race.

    serve: runs until SIGTERM; called in a fork, so open connections only in there.
    """

    def __init__(self, count: int, serve: Callable[[], None]) -> None:
        self._count, self._serve = count, serve
        self._born: dict[int, float] = {}
        self._stopping = False

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; on return no child is left."""
        watched = {*_STOP, signal.SIGCHLD}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        try:
            while not self._stopping:
                while len(self._born) < self._count:
                    self._fork(before)
                self._await(watched, None)
            self._end_all(watched)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _fork(self, mask: set[int | signal.Signals]) -> None:
        lifeline = die_with_parent(signal.SIGKILL)
        pid = os.fork()
        if pid:
            self._born[pid] = time.monotonic()
            return
        code = 1
        try:
            lifeline()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self._serve()
            code = 0
        except BusUnavailable as error:
            log.info("%s", error)
        finally:
            logging.shutdown()
            sys.stderr.flush()
            os._exit(code)

    def _await(self, watched: set[signal.Signals], timeout_s: float | None) -> None:
        """Take one signal; bury the dead."""
        if timeout_s is None:
            number = signal.sigwait(watched)
        else:
            info = signal.sigtimedwait(watched, timeout_s)
            number = signal.Signals(info.si_signo) if info else signal.SIGCHLD
        if number in _STOP:
            self._stopping = True
        youngest = self._bury()
        if youngest < TOO_SHORT_S and not self._stopping:
            self._await(watched, TOO_SHORT_S)

    def _bury(self) -> float:
        """Reap the children that ended; returns the age of the youngest, in s."""
        youngest = float("inf")
        for pid in list(self._born):
            if os.waitpid(pid, os.WNOHANG)[0]:
                youngest = min(youngest, time.monotonic() - self._born.pop(pid))
        return youngest

    def _end_all(self, watched: set[signal.Signals]) -> None:
        """SIGTERM, so that runs are handed over; SIGKILL for who has not ended in 3 s."""
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for pid in self._born:
            os.kill(pid, signal.SIGTERM)
        while self._born and (left := deadline - time.monotonic()) > 0:
            self._await(watched, left)
        for pid in self._born:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
