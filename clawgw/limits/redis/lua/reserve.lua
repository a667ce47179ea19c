-- Check every claim, then take every one; a refusal writes nothing.
-- KEYS: the reservation's record, then each claim's bucket.
-- ARGV: not after; the record's lifetime; the member that places are held by; then each claim's rule, limit and amount.
-- Answers {-1, now} when it is too late, else {granted, now, absent, used, at, used, at, ...}: whether all was taken,
-- which budgets were unknown (the first claim is bit 0), and every bucket's level afterwards.
local CLAIMS_FROM = 4
if now > tonumber(ARGV[1]) then return {-1, now} end

local stored = redis.call('MGET', unpack(KEYS))
local claims, fits, absent = {}, true, 0
for i = 1, #KEYS - 1 do
  local key, argument = KEYS[i + 1], CLAIMS_FROM + (i - 1) * 3
  local rule, limit = ARGV[argument], tonumber(ARGV[argument + 1])
  local amount = ARGV[argument + 2] * parts(rule)
  local used, at
  if rule == 'places' then
    used, at = redis.call('ZCOUNT', key, '(' .. now, lease_ends() + SET_BACK_MS), 0
  else
    if rule ~= 'drain' and not stored[i + 1] then absent = absent + 2 ^ (i - 1) end
    used, at = unpacked(stored[i + 1])
    used, at = level_at(rule, limit, used, at)
  end
  claims[i] = {key, rule, limit, amount, used, at}
  fits = fits and used + amount <= limit * parts(rule)
end

local answer = {fits and 1 or 0, now, absent}
for i, claim in ipairs(claims) do
  answer[2 * i + 2], answer[2 * i + 3] = claim[5] + (fits and claim[4] or 0), claim[6]
end
if not fits then return answer end

local function take_places(key, amount)
  local ends = lease_ends()
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  for place = 1, amount do redis.call('ZADD', key, ends, ARGV[3] .. ':' .. place) end
  redis.call('PEXPIRE', key, ends - now)
end

for _, claim in ipairs(claims) do
  local key, rule, _, amount, used, at = unpack(claim)
  if rule == 'places' then take_places(key, amount) else keep(key, rule, used + amount, at) end
end
redis.call('SET', KEYS[1], cmsgpack.pack({now + ARGV[2], ARGV[3], claims}), 'PX', ARGV[2])
return answer
