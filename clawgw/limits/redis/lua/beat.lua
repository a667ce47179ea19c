-- Say that a gateway is alive. Answers how many are, now, and 1 if it was not known.
-- KEYS: the gateways. A call: which one; for how long that is believed.
local function run(call)
  local gateway, lifetime_ms = struct.unpack('<c32d', call)
  local joined = redis.call('ZADD', KEYS[1], now + lifetime_ms, gateway)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  redis.call('PEXPIRE', KEYS[1], lifetime_ms)
  return struct.pack('<i8i8i8', redis.call('ZCARD', KEYS[1]), now, joined)
end
