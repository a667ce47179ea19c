-- Say that a gateway is alive. Answers {how many are, now, 1 if it was not known}.
-- KEYS: the gateways. ARGV: which one; for how long that is believed.
local joined = redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {redis.call('ZCARD', KEYS[1]), now, joined}
