"""The bus on a Redis-compatible server (7.0 or later).

Whatever an attempt writes goes through one Lua script that first compares the attempt's number
with the one in the run's hash, so a worker that was thought dead cannot write into a later
attempt. A block's stream id is made of its step, so publishing a step twice changes nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from tiering.stream import keys
from tiering.stream.bus import LEASE_MS, BusUnavailable, Fenced, Message, UnknownRun

LONGEST_WAIT_MS = 5000
SOCKET_TIMEOUT_S = 15.0  # longer than the longest blocking read
CONNECT_TIMEOUT_S = 2.0
MOST_CONNECTIONS = 1000  # every reader that waits holds one

_CREATE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[3]), ARGV[1])
return 1
"""

_CLAIM = """
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local attempt = redis.call('HINCRBY', KEYS[1], 'attempt', 1)
redis.call('HSET', KEYS[1], 'worker', ARGV[1])
redis.call('SET', KEYS[2], attempt, 'PX', ARGV[2])
return attempt
"""

_FENCE = """
if redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
if ARGV[1] ~= '0' then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
"""

_UPDATE = _FENCE + "if ARGV[3] then redis.call('HSET', KEYS[1], unpack(ARGV, 3)) end return 1"

_APPEND = (
    _FENCE
    + """
local newest = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
local last = 0
if newest[1] then last = tonumber(string.match(newest[1][1], '^%d+')) end
for i = 3, #ARGV, 2 do
  local id = tonumber(ARGV[i]) + 1
  if id > last then
    redis.call('XADD', KEYS[3], string.format('%d-0', id), 'b', ARGV[i + 1])
    last = id
  end
end
return 1
"""
)

_LOG = (
    _FENCE
    + """
redis.call('RPUSH', KEYS[3], ARGV[3])
redis.call('HSET', KEYS[1], 'cursor', ARGV[4])
return 1
"""
)

_SEND = """
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
return redis.call('XADD', KEYS[2], '*', 'm', ARGV[1])
"""


def connect(url: str) -> "redis.Redis":
    """A client for `url`, checked with a ping; raises BusUnavailable within about 2 s."""
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
        self._create, self._claim, self._update = map(register, (_CREATE, _CLAIM, _UPDATE))
        self._append, self._log, self._send = map(register, (_APPEND, _LOG, _SEND))

    def create(self, run_id: str, meta: dict[str, str]) -> None:
        fields = _flat({**meta, "status": "waiting", "attempt": "0"})
        where = [keys.meta(run_id), keys.RUNS, keys.RUNS_CREATED]
        with _sentences(self._redis):
            if not self._create(where, [run_id, *fields]):
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

    def delete(self, run_id: str) -> None:
        with _sentences(self._redis), self._redis.pipeline() as pipe:
            pipe.zrem(keys.RUNS, run_id)
            pipe.delete(*keys.all_of(run_id))
            pipe.execute()

    def claim(self, run_id: str, worker: str) -> int:
        where = [keys.meta(run_id), keys.lease(run_id)]
        with _sentences(self._redis):
            attempt = int(self._claim(where, [worker, self._lease_ms]))
        if attempt < 0:
            raise UnknownRun(run_id)
        return attempt

    def update(self, run_id: str, attempt: int, fields: dict[str, str]) -> None:
        self._fenced(self._update, run_id, attempt, _flat(fields))

    def renew(self, run_id: str, attempt: int) -> None:
        self._fenced(self._update, run_id, attempt, [])

    def alive(self, run_id: str) -> bool:
        with _sentences(self._redis), self._redis.pipeline() as pipe:
            pipe.exists(keys.meta(run_id)).exists(keys.lease(run_id))
            known, leased = pipe.execute()
        if not known:
            raise UnknownRun(run_id)
        return bool(leased)

    def append(self, run_id: str, attempt: int, blocks: list[tuple[int, bytes]]) -> None:
        flat = [part for block in blocks for part in block]
        self._fenced(self._append, run_id, attempt, flat, keys.blocks(run_id))

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
        where = [keys.meta(run_id), keys.control(run_id)]
        with _sentences(self._redis):
            entry_id = self._send(where, [orjson.dumps(message)])
        if entry_id is None:
            raise UnknownRun(run_id)
        return str(entry_id.decode())

    def receive(self, run_id: str, after: str, wait_ms: int) -> list[tuple[str, Message]]:
        entries = self._xread(keys.control(run_id), after, None, wait_ms)
        return [(entry_id.decode(), orjson.loads(fields[b"m"])) for entry_id, fields in entries]

    def log_control(self, run_id: str, attempt: int, entry: Message, cursor: str) -> None:
        values = [orjson.dumps(entry), cursor]
        self._fenced(self._log, run_id, attempt, values, keys.control_log(run_id))

    def control_log(self, run_id: str) -> list[Message]:
        with _sentences(self._redis):
            return [orjson.loads(e) for e in self._redis.lrange(keys.control_log(run_id), 0, -1)]

    def _fenced(
        self, script: Any, run_id: str, attempt: int, values: list[Any], *more_keys: str
    ) -> None:
        where = [keys.meta(run_id), keys.lease(run_id), *more_keys]
        with _sentences(self._redis):
            if not script(where, [attempt, self._lease_ms, *values]):
                raise Fenced(f"Attempt {attempt} no longer owns run {run_id}.")

    def _xread(self, key: str, after: str, count: int | None, wait_ms: int) -> list[Any]:
        block = min(wait_ms, LONGEST_WAIT_MS) or None  # BLOCK 0 would wait for ever
        with _sentences(self._redis):
            streams = self._redis.xread({key: after}, count=count, block=block)
        return streams[0][1] if streams else []


def _flat(fields: dict[str, str]) -> list[str]:
    return [part for pair in fields.items() for part in pair]


def _step(entry_id: bytes) -> int:
    return int(entry_id.split(b"-")[0]) - 1
