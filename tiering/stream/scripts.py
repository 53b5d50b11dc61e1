"""What the bus does in one step inside Redis: Lua scripts.

All get the keys of `keys.about` and the run id first. Whatever an attempt writes first compares the
attempt's number with the one in the run's hash, so a worker that was thought dead cannot write
into a later attempt.
"""

from tiering.stream.bus import FINAL

_NAMES = """
local meta, lease, blocks, control, log = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local runs, changed, revision = KEYS[6], KEYS[7], KEYS[8]
local claimed, finished, with_rows = KEYS[9], KEYS[10], KEYS[11]
local run = ARGV[1]
"""

_CHANGED = (
    """
redis.call('ZADD', changed, redis.call('INCR', revision), run)
local now = redis.call('HMGET', meta, 'status', 'tags', 'rows')
local final = """
    + " or ".join(f"now[1] == '{status}'" for status in FINAL)
    + """
if final then redis.call('SREM', claimed, run) end
if final and (now[2] == false or now[2] == '') then
  local number = redis.call('ZSCORE', runs, run)
  redis.call('ZADD', finished, number, run)
  if now[3] ~= 'gone' then redis.call('ZADD', with_rows, number, run) end
else
  redis.call('ZREM', finished, run)
  redis.call('ZREM', with_rows, run)
end
"""
)

CREATE = (
    _NAMES
    + """
if redis.call('EXISTS', meta) == 1 then return 0 end
redis.call('HSET', meta, unpack(ARGV, 3))
redis.call('ZADD', runs, redis.call('INCR', ARGV[2]), run)
"""
    + _CHANGED
    + "return 1"
)

CLAIM = (
    _NAMES
    + """
if redis.call('EXISTS', meta) == 0 then return -1 end
local attempt = redis.call('HINCRBY', meta, 'attempt', 1)
redis.call('HSET', meta, 'worker', ARGV[2])
redis.call('SET', lease, attempt, 'PX', ARGV[3])
redis.call('SADD', claimed, run)
return attempt
"""
)

_FENCE = (
    _NAMES
    + """
if redis.call('HGET', meta, 'attempt') ~= ARGV[2] then return 0 end
if ARGV[2] ~= '0' then redis.call('SET', lease, ARGV[2], 'PX', ARGV[3]) end
"""
)

RENEW = _FENCE + "return 1"
UPDATE = _FENCE + "redis.call('HSET', meta, unpack(ARGV, 4))" + _CHANGED + "return 1"

APPEND = (
    _FENCE
    + """
local newest = redis.call('XREVRANGE', blocks, '+', '-', 'COUNT', 1)
local last = 0
if newest[1] then last = tonumber(string.match(newest[1][1], '^%d+')) end
for i = 4, #ARGV, 2 do
  local id = tonumber(ARGV[i]) + 1
  if id > last then
    redis.call('XADD', blocks, string.format('%d-0', id), 'b', ARGV[i + 1])
    last = id
  end
end
return 1
"""
)

LOG = (
    _FENCE
    + """
redis.call('RPUSH', log, ARGV[4])
redis.call('HSET', meta, 'cursor', ARGV[5])
return 1
"""
)

SEND = (
    _NAMES
    + """
if redis.call('EXISTS', meta) == 0 then return false end
return redis.call('XADD', control, '*', 'm', ARGV[2])
"""
)

DESCRIBE = (
    _NAMES
    + """
if redis.call('EXISTS', meta) == 0 then return 0 end
redis.call('HSET', meta, unpack(ARGV, 2))
"""
    + _CHANGED
    + "return 1"
)

EMPTY = (
    _NAMES
    + """
if redis.call('EXISTS', meta) == 0 then return 0 end
redis.call('DEL', blocks, control)
redis.call('HSET', meta, 'rows', 'gone', 'schema', '')
redis.call('ZREM', with_rows, run)
"""
    + _CHANGED
    + "return 1"
)

DELETE = (
    _NAMES
    + """
redis.call('DEL', meta, lease, blocks, control, log)
for _, list in ipairs({runs, changed, finished, with_rows}) do redis.call('ZREM', list, run) end
redis.call('SREM', claimed, run)
"""
)
