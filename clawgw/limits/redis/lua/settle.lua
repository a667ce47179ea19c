-- Charge or give back what a reservation took too little or too much of, and free its places: once.
-- KEYS: the reservation's record. ARGV: what was used of each claim; where nothing is said, nothing was.
-- The buckets' keys come from the record: all have one hash tag, so they are where the record is.
local packed = redis.call('GET', KEYS[1])
if not packed then return 0 end
redis.call('DEL', KEYS[1])
local record = cmsgpack.unpack(packed)
local ends, member = record[1], record[2]
if ends <= now then return 0 end

for i = 1, (#record - 2) / 5 do
  local key, rule, limit, amount, reserved_at = unpack(record, 5 * i - 2, 5 * i + 2)
  if rule == 'places' then
    for place = 1, amount do redis.call('ZREM', key, member .. ':' .. place) end
  else
    local used, at = level(key, rule, limit)
    if rule == 'drain' or at == reserved_at then
      local most = rule == 'drain' and 2 * limit * PARTS or MOST_USED
      used = used + ((ARGV[i] or 0) - amount) * parts(rule)
      change(key, rule, math.min(math.max(0, used), most), at)
    end
  end
end
return 1
