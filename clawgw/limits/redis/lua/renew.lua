-- Hold places for another lease. One that has ended stays lost: it may be somebody else's by now.
-- KEYS: the bucket of each place. ARGV: each place's member.
local ends = lease_ends()
for i, key in ipairs(KEYS) do
  local held_until = redis.call('ZSCORE', key, ARGV[i])
  if held_until and tonumber(held_until) > now then
    redis.call('ZADD', key, ends, ARGV[i])
    redis.call('PEXPIRE', key, ends - now)
  end
end
return 1
