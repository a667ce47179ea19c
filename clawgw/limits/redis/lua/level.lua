-- What is used of a bucket, and for which time that is true, as clawgw/limits/arithmetic.py has it; packed as two
-- doubles.
-- A bucket's rule: what kind it is of, or a budget's window, as clawgw/limits/redis/keys.py numbers them.
local DRAIN, PLACES, MINUTE, HOUR, DAY, MONTH = 0, 1, 2, 3, 4, 5
local PARTS = 60000
local SET_BACK_MS = 60000
local DAY_MS = 86400000
local LONGEST_MS = {[MINUTE] = 60000, [HOUR] = 3600000, [DAY] = DAY_MS, [MONTH] = 31 * DAY_MS}
local SHORTEST_MS = {[MINUTE] = 60000, [HOUR] = 3600000, [DAY] = DAY_MS, [MONTH] = 28 * DAY_MS}
local DRAINED_MS = '120000'
local MOST_USED = 4e15
local struct_pack, struct_unpack = struct.pack, struct.unpack
local now = now_ms()

-- When a lease ends that begins now.
local function lease_ends()
  return (math.floor(now / LEASE_TICK_MS) + LEASE_TICKS) * LEASE_TICK_MS
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

-- When the window began that a moment is in. Mostly it is the one that was asked about before.
local function window_start(window, ms, before)
  if ms >= before and ms - before < SHORTEST_MS[window] then return before end
  if window == MONTH then return month_start(ms) end
  return ms - ms % LONGEST_MS[window]
end

-- A bucket's debt is never more than its limit: unless it is `unbounded`, since another limit has let more pass.
local function level_at(rule, limit, used, at, unbounded)
  local ahead = at - now
  if rule == DRAIN then
    if ahead > SET_BACK_MS then return 0, now end
    local most = 2 * limit * PARTS
    if used > most and not unbounded then used = most end
    if ahead >= 0 then return used, at end
    used = used + ahead * limit
    return used > 0 and used or 0, now
  end
  local start = window_start(rule, ahead > 0 and ahead <= SET_BACK_MS and at or now, at)
  if start == at then return used, at end
  return 0, start
end

-- What was found under the keys of the calls; the levels that they have changed; and what else is to be written. Each
-- bucket is read once and written once.
local found, used_of, at_of, changed, later = {}, {}, {}, {}, {}

-- The present level, and whether there was none before.
local function level(key, rule, limit, unbounded)
  local used, at = used_of[key], at_of[key]
  if not used then
    local packed = found[key]
    if packed == nil then packed = redis.call('GET', key) end
    if not packed then
      used, at = level_at(rule, limit, 0, 0)
      return used, at, true
    end
    used, at = struct_unpack('<dd', packed)
  end
  return level_at(rule, limit, used, at, unbounded)
end

local function change(key, rule, used, at)
  used_of[key], at_of[key], changed[key] = used, at, rule
end

-- Until it makes no difference; a budget is kept so long that the next window knows it was not lost.
local function lifetime(rule)
  return rule == DRAIN and DRAINED_MS or string.format('%d', 2 * LONGEST_MS[rule])
end

-- A command that will run when all calls are decided; it may be added to until then.
local function write(...)
  local command = {...}
  later[#later + 1] = command
  return command
end

local function keep_changes()
  for _, command in ipairs(later) do redis.call(unpack(command)) end
  for key, rule in pairs(changed) do
    redis.call('SET', key, struct_pack('<dd', used_of[key], at_of[key]), 'PX', lifetime(rule))
  end
end
