-- What is used of a bucket, {used, at}, as clawgw/limits/arithmetic.py has it, and packed as two doubles.
-- A bucket's rule is 'drain', 'places', or a budget's window.
local PARTS = 60000
local SET_BACK_MS = 60000
local DAY_MS = 86400000
local WINDOW_MS = {minute = 60000, hour = 3600000, day = DAY_MS}
local DRAINED_MS = 120000
local LONGEST_MONTH_MS = 31 * DAY_MS
local MOST_USED = 4e15
local LEVEL_BYTES = 16
local now = now_ms()

-- When a lease ends that begins now.
local function lease_ends()
  return (math.floor(now / LEASE_TICK_MS) + LEASE_TICKS) * LEASE_TICK_MS
end

local function parts(rule)
  return rule == 'drain' and PARTS or 1
end

-- The day of the month is counted in a year that begins in March, so that February's end needs no rule of its own.
local function month_start(ms)
  local day = math.floor(ms / DAY_MS)
  local of_era = (day + 719468) % 146097
  local leaps = math.floor(of_era / 1460) - math.floor(of_era / 36524) + math.floor(of_era / 146096)
  local year = math.floor((of_era - leaps) / 365)
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * of_year + 2) / 153)
  return (day - (of_year - math.floor((153 * month + 2) / 5))) * DAY_MS
end

local function window_start(window, ms)
  if window == 'month' then return month_start(ms) end
  return ms - ms % WINDOW_MS[window]
end

local function level_at(rule, limit, used, at)
  local moment = now
  if at > now and at - now <= SET_BACK_MS then moment = at end
  if rule == 'drain' then
    if at - now > SET_BACK_MS then return 0, now end
    local most = math.min(used, 2 * limit * PARTS)
    return math.max(0, most - math.max(0, moment - at) * limit), moment
  end
  local start = window_start(rule, moment)
  if start == at then return used, at end
  return 0, start
end

-- The levels that this script has read or changed so far: each bucket is read once and written once.
local used_of, at_of, changed = {}, {}, {}

-- Of what has another length, it is a record.
local function remember(key, packed)
  if not packed then
    used_of[key], at_of[key] = 0, 0
  elseif #packed == LEVEL_BYTES then
    used_of[key], at_of[key] = struct.unpack('<dd', packed)
  end
end

-- The present level, and whether there was none before.
local function level(key, rule, limit)
  if not used_of[key] then remember(key, redis.call('GET', key)) end
  local used, at = level_at(rule, limit, used_of[key], at_of[key])
  return used, at, at_of[key] == 0
end

local function change(key, rule, used, at)
  used_of[key], at_of[key], changed[key] = used, at, rule
end

-- Until it makes no difference; a budget is kept so long that the next window knows it was not lost.
local function lifetime(rule)
  return rule == 'drain' and DRAINED_MS or 2 * (WINDOW_MS[rule] or LONGEST_MONTH_MS)
end

local function keep_changes()
  for key, rule in pairs(changed) do
    redis.call('SET', key, struct.pack('<dd', used_of[key], at_of[key]), 'PX', lifetime(rule))
  end
end
