"""The bus on a Redis-compatible server (7.0 or later).

Whatever an attempt writes goes through one Lua script (scripts.py). A block's stream id is made of
its step, so publishing a step twice changes nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from tiering.stream import keys, scripts
from tiering.stream.bus import (
    LEASE_MS,
    LISTED,
    BusUnavailable,
    Fenced,
    Listed,
    Listing,
    Message,
    UnknownRun,
)

LONGEST_WAIT_MS = 5000
SOCKET_TIMEOUT_S = 15.0  # longer than the longest blocking read
CONNECT_TIMEOUT_S = 2.0
MOST_CONNECTIONS = 1000  # every reader that waits holds one


def connect(url: str) -> "redis.Redis":
    """A client for `url`, checked with a ping; raises BusUnavailable within about 2 s, at once
    where nobody named a server."""
    if not url:
        raise BusUnavailable("No Redis given: use --redis URL or set REDIS_URL.")
    try:
        client = redis.from_url(
            url,
            max_connections=MOST_CONNECTIONS,
            socket_timeout=SOCKET_TIMEOUT_S,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 3),
        )
        probe = redis.from_url(
            url,
            socket_timeout=CONNECT_TIMEOUT_S,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            retry=Retry(ExponentialBackoff(), 0),
        )
    except ValueError as error:
        raise BusUnavailable(
            "The Redis URL is not valid; write redis://HOST:PORT/0, rediss://... or unix://PATH."
        ) from error
    with probe, _sentences(probe):
        probe.ping()
    return client


def address(client: "redis.Redis") -> str:
    """Where the server is, for messages; never with a password."""
    where = client.connection_pool.connection_kwargs
    return str(where.get("path") or f"{where.get('host', 'localhost')}:{where.get('port', 6379)}")


@contextmanager
def _sentences(client: "redis.Redis") -> Iterator[None]:
    try:
        yield
    except redis.AuthenticationError as error:
        raise BusUnavailable(
            f"Redis at {address(client)} refused the user name or password."
        ) from error
    except redis.ResponseError as error:
        raise BusUnavailable(f"Redis at {address(client)} refused: {error}") from error
    except redis.RedisError as error:
        raise BusUnavailable(f"Redis at {address(client)} does not answer: {error}") from error


class RedisBus:
    """Implements `tiering.stream.bus.Bus`; safe to use from several threads.

    client: from `connect`, without decode_responses and with a socket timeout above 5 s.
    lease_ms: how long an attempt counts as alive after its last sign of life.
    """

    def __init__(self, client: "redis.Redis", lease_ms: int = LEASE_MS) -> None:
        self._redis: Any = client
        self._lease_ms = lease_ms
        register: Callable[[str], Any] = client.register_script
        self._create, self._claim = register(scripts.CREATE), register(scripts.CLAIM)
        self._update, self._renew = register(scripts.UPDATE), register(scripts.RENEW)
        self._append, self._log = register(scripts.APPEND), register(scripts.LOG)
        self._send, self._describe = register(scripts.SEND), register(scripts.DESCRIBE)
        self._empty, self._delete = register(scripts.EMPTY), register(scripts.DELETE)

    def create(self, run_id: str, meta: dict[str, str]) -> None:
        fields = _flat({**meta, "status": "waiting", "attempt": "0"})
        if not self._call(self._create, run_id, keys.RUNS_CREATED, *fields):
            raise ValueError(f"There is already a run {run_id}.")

    def meta(self, run_id: str) -> dict[str, str]:
        with _sentences(self._redis):
            fields = self._redis.hgetall(keys.meta(run_id))
        if not fields:
            raise UnknownRun(run_id)
        return {key.decode(): value.decode() for key, value in fields.items()}

    def runs(self) -> list[str]:
        with _sentences(self._redis):
            return [run_id.decode() for run_id in self._redis.zrevrange(keys.RUNS, 0, -1)]

    def listed(self, after: int, before: int | None, count: int) -> Listing:
        newest = "+inf" if before is None else f"({before}"
        with _sentences(self._redis), self._redis.pipeline() as pipe:
            pipe.get(keys.REVISION).zcard(keys.RUNS)
            pipe.zrevrangebyscore(keys.CHANGED, newest, f"({after}", 0, count, withscores=True)
            revision, total, found = pipe.execute()
            for run_id, _ in found:
                pipe.hmget(keys.meta(run_id.decode()), LISTED)
            rows = pipe.execute()
        runs = [
            Listed(run_id.decode(), int(changed), _told(values))
            for (run_id, changed), values in zip(found, rows, strict=True)
            if values[0] is not None  # else deleted meanwhile
        ]
        return Listing(int(revision or 0), total, runs)

    def leases(self) -> dict[str, bool]:
        with _sentences(self._redis), self._redis.pipeline() as pipe:
            claimed = [run_id.decode() for run_id in self._redis.smembers(keys.CLAIMED)]
            for run_id in claimed:
                pipe.exists(keys.lease(run_id))
            return dict(zip(claimed, map(bool, pipe.execute()), strict=True))

    def describe(self, run_id: str, fields: dict[str, str]) -> None:
        if not self._call(self._describe, run_id, *_flat(fields)):
            raise UnknownRun(run_id)

    def expire(self, keep_rows: int, keep_runs: int) -> None:
        with _sentences(self._redis):
            too_old = self._redis.zrevrange(keys.FINISHED, keep_runs, -1)
            for run_id in too_old:
                self.delete(run_id.decode())
            for run_id in self._redis.zrevrange(keys.WITH_ROWS, keep_rows, -1):
                self._call(self._empty, run_id.decode())

    def delete(self, run_id: str) -> None:
        self._call(self._delete, run_id)

    def claim(self, run_id: str, worker: str) -> int:
        attempt = int(self._call(self._claim, run_id, worker, self._lease_ms))
        if attempt < 0:
            raise UnknownRun(run_id)
        return attempt

    def update(self, run_id: str, attempt: int, fields: dict[str, str]) -> None:
        if fields:
            self._fenced(self._update, run_id, attempt, _flat(fields))
        else:
            self.renew(run_id, attempt)

    def renew(self, run_id: str, attempt: int) -> None:
        self._fenced(self._renew, run_id, attempt, [])

    def alive(self, run_id: str) -> bool:
        with _sentences(self._redis), self._redis.pipeline() as pipe:
            pipe.exists(keys.meta(run_id)).exists(keys.lease(run_id))
            known, leased = pipe.execute()
        if not known:
            raise UnknownRun(run_id)
        return bool(leased)

    def append(self, run_id: str, attempt: int, blocks: list[tuple[int, bytes]]) -> None:
        flat = [part for block in blocks for part in block]
        self._fenced(self._append, run_id, attempt, flat)

    def last_step(self, run_id: str) -> int:
        with _sentences(self._redis), self._redis.pipeline() as pipe:
            pipe.exists(keys.meta(run_id)).xrevrange(keys.blocks(run_id), count=1)
            known, newest = pipe.execute()
        if not known:
            raise UnknownRun(run_id)
        return _step(newest[0][0]) if newest else -1

    def read(self, run_id: str, after: int, count: int, wait_ms: int) -> list[tuple[int, bytes]]:
        entries = self._xread(keys.blocks(run_id), f"{after + 1}-0", count, wait_ms)
        return [(_step(entry_id), fields[b"b"]) for entry_id, fields in entries]

    def send(self, run_id: str, message: Message) -> str:
        entry_id = self._call(self._send, run_id, orjson.dumps(message))
        if entry_id is None:
            raise UnknownRun(run_id)
        return str(entry_id.decode())

    def receive(self, run_id: str, after: str, wait_ms: int) -> list[tuple[str, Message]]:
        entries = self._xread(keys.control(run_id), after, None, wait_ms)
        return [(entry_id.decode(), orjson.loads(fields[b"m"])) for entry_id, fields in entries]

    def log_control(self, run_id: str, attempt: int, entry: Message, cursor: str) -> None:
        self._fenced(self._log, run_id, attempt, [orjson.dumps(entry), cursor])

    def control_log(self, run_id: str) -> list[Message]:
        with _sentences(self._redis):
            return [orjson.loads(e) for e in self._redis.lrange(keys.control_log(run_id), 0, -1)]

    def _call(self, script: Any, run_id: str, *values: Any) -> Any:
        with _sentences(self._redis):
            return script(keys.about(run_id), [run_id, *values])

    def _fenced(self, script: Any, run_id: str, attempt: int, values: list[Any]) -> None:
        if not self._call(script, run_id, attempt, self._lease_ms, *values):
            raise Fenced(f"Attempt {attempt} no longer owns run {run_id}.")

    def _xread(self, key: str, after: str, count: int | None, wait_ms: int) -> list[Any]:
        block = min(wait_ms, LONGEST_WAIT_MS) or None  # BLOCK 0 would wait for ever
        with _sentences(self._redis):
            streams = self._redis.xread({key: after}, count=count, block=block)
        return streams[0][1] if streams else []


def _told(values: list[bytes | None]) -> dict[str, str]:
    pairs = zip(LISTED, values, strict=True)
    return {field: value.decode() for field, value in pairs if value is not None}


def _flat(fields: dict[str, str]) -> list[str]:
    return [part for pair in fields.items() for part in pair]


def _step(entry_id: bytes) -> int:
    return int(entry_id.split(b"-")[0]) - 1
