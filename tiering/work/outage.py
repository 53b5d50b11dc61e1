"""Redis is gone: one sentence for all workers of a pool, instead of a traceback from each."""

import logging
import os

import redis

from tiering.stream.bus import BusUnavailable

log = logging.getLogger(__name__)


class Outage(logging.Filter):
    """A filter for RQ's logger, made before the workers are forked: they share its state.

    where: the address of Redis, without a password. A token lies in one of two pipes, which tells
    whether the loss was said already; who takes it out speaks, and that can be only one.
    """

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where
        self._unsaid, self._said = os.pipe(), os.pipe()
        for reader, _ in (self._unsaid, self._said):
            os.set_blocking(reader, False)
        os.write(self._unsaid[1], b"!")

    def filter(self, record: logging.LogRecord) -> bool:
        """False, and a sentence in its place, for what RQ says of a lost connection."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, redis.RedisError | BusUnavailable) or "Redis" in str(record.msg):
            self.begin()
            return False
        return True

    def begin(self) -> None:
        """Redis does not answer."""
        if _move(self._unsaid, self._said):
            log.warning("Redis at %s does not answer; the workers keep trying.", self._where)

    def end(self) -> None:
        """Redis has answered."""
        if _move(self._said, self._unsaid):
            log.warning("Redis at %s answers again.", self._where)


def _move(source: tuple[int, int], target: tuple[int, int]) -> bool:
    """Move the token; False if it was not there."""
    try:
        token = os.read(source[0], 1)
    except BlockingIOError:
        return False
    os.write(target[1], token)
    return True
