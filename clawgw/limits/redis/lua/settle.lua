-- Charge or give back what a reservation took too little or too much of, and free its places: once.
-- KEYS: the reservation's record. ARGV: what was used of each claim; where nothing is said, nothing was.
-- The buckets' keys come from the record: all have one hash tag, so they are where the record is.
local record = redis.call('GET', KEYS[1])
if not record then return 0 end
redis.call('DEL', KEYS[1])
local ends, member, claims = unpack(cmsgpack.unpack(record))
if ends <= now then return 0 end

local function settled(rule, limit, level, change)
  local most = rule == 'drain' and 2 * limit * PARTS or MOST_SPENT
  return math.min(math.max(0, level + change), most)
end

for i, claim in ipairs(claims) do
  local key, rule, limit, amount, _, reserved_at = unpack(claim)
  if rule == 'places' then
    for place = 1, amount do redis.call('ZREM', key, member .. ':' .. place) end
  else
    local used, at = unpacked(redis.call('GET', key))
    used, at = level_at(rule, limit, used, at)
    if rule == 'drain' or at == reserved_at then
      keep(key, rule, settled(rule, limit, used, (ARGV[i] or 0) * parts(rule) - amount), at)
    end
  end
end
return 1
