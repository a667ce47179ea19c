-- Charge or give back what a reservation took too little or too much of, and free its places: once.
-- KEYS: the reservation's record. A call: the same, and what was used of each claim; where nothing is said, nothing
-- was.
-- The buckets' keys come from the record: all have one hash tag, so they are where the record is.
local RECORD, CLAIM, TIME = 8, 65, 8
local frees, gone = {}, nil

local function forget(key)
  found[key] = false
  gone = gone or write('DEL')
  gone[#gone + 1] = key
end

local function free_places(key, amount, name)
  if amount == 0 then return end
  frees[key] = frees[key] or write('ZREM', key)
  local free = frees[key]
  for place = 1, amount do free[#free + 1] = name .. ':' .. place end
end

-- The limit is that of the reservation: where it was raised since, what has passed because of that is not forgiven.
local function correct(key, rule, limit, amount, really, reserved_at)
  local used, at = level(key, rule, limit, true)
  if rule == DRAIN then
    local most = math.max(used, 2 * limit * PARTS)
    change(key, rule, math.min(math.max(0, used + (really - amount) * PARTS), most), at)
  elseif at == reserved_at then
    change(key, rule, math.min(math.max(0, used + really - amount), MOST_USED), at)
  end
end

local function run(call)
  local name, said = struct_unpack('<c53', call)
  local record = found[name]
  if not record then return 0 end
  forget(name)
  if struct_unpack('<d', record) <= now then return 0 end
  local count = (#record - RECORD) / (CLAIM + TIME)
  local claim, time = RECORD + 1, RECORD + 1 + CLAIM * count
  for _ = 1, count do
    local key, rule, limit, amount, reserved_at
    local really = 0
    key, rule, limit, amount, claim = struct_unpack('<c48Bdd', record, claim)
    reserved_at, time = struct_unpack('<d', record, time)
    if said <= #call then really, said = struct_unpack('<d', call, said) end
    if rule == PLACES then
      free_places(key, amount, string.sub(name, -32))
    elseif really ~= amount then
      correct(key, rule, limit, amount, really, reserved_at)
    end
  end
  return 1
end
