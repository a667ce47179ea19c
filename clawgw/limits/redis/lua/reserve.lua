-- Check every claim, then take every one; a refusal changes nothing.
-- KEYS: the reservation's record, then each claim's bucket.
-- ARGV: not after; the record's lifetime; the member that places are held by; then each claim's rule, limit and amount.
-- Answers {-1, now} when it is too late, else {granted, now, absent, used, at, used, at, ...}: whether all was taken,
-- which budgets were unknown (the first claim is bit 0), and every bucket's level afterwards.
if now > ARGV[1] then return {-1, now} end

local answer, fits, absent = {1, now, 0}, true, 0
for i = 2, #KEYS do
  local rule, limit, amount = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
  local used, at, unknown
  if rule == 'places' then
    used, at = redis.call('ZCOUNT', KEYS[i], '(' .. now, lease_ends() + SET_BACK_MS), 0
  else
    used, at, unknown = level(KEYS[i], rule, limit)
    if unknown and rule ~= 'drain' then absent = absent + 2 ^ (i - 2) end
  end
  answer[2 * i], answer[2 * i + 1] = used, at
  fits = fits and used + amount * parts(rule) <= limit * parts(rule)
end
if not fits then
  answer[1] = 0
  return answer
end

local function take_places(key, amount)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  for place = 1, amount do redis.call('ZADD', key, lease_ends(), ARGV[3] .. ':' .. place) end
  redis.call('PEXPIRE', key, lease_ends() - now)
end

local record = {now + ARGV[2], ARGV[3]}
for i = 2, #KEYS do
  local key, rule, limit, amount = KEYS[i], ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
  local used, at = answer[2 * i] + amount * parts(rule), answer[2 * i + 1]
  if rule == 'places' then take_places(key, amount) else change(key, rule, used, at) end
  answer[2 * i] = used
  local last = 5 * i - 8
  record[last + 1], record[last + 2], record[last + 3], record[last + 4], record[last + 5] = key, rule, limit, amount, at
end
answer[3] = absent
redis.call('SET', KEYS[1], cmsgpack.pack(record), 'PX', ARGV[2])
return answer
