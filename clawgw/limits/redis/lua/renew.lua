-- Hold places for another lease. One that has ended stays lost: it may be somebody else's by now.
-- KEYS: the buckets. A call: the bucket and the member of each place.
local function run(call)
  local at, ends = 1, lease_ends()
  while at <= #call do
    local key, member
    key, member, at = struct.unpack('<c48s', call, at)
    local held_until = redis.call('ZSCORE', key, member)
    if held_until and tonumber(held_until) > now then
      redis.call('ZADD', key, ends, member)
      redis.call('PEXPIRE', key, ends - now)
    end
  end
  return 1
end
