-- Check every claim, then take every one; a refusal changes nothing.
-- KEYS: each claim's bucket. A call: not after; the record's lifetime and key; then each claim's bucket, rule, limit
-- and amount.
-- Answers -1, now and 0 when it is too late, else granted, now, absent, used, at, used, at, ...: whether all was taken,
-- which budgets were unknown (the first claim is bit 0), and every bucket's level afterwards.
local held, takes = {}, {}
local keys, rules, amounts, times, levels = {}, {}, {}, {}, {}
local formats = {}

local function format(kind, count)
  local name = kind .. count
  formats[name] = formats[name] or '<' .. string.rep(kind, count)
  return formats[name]
end

local function held_places(key)
  if not held[key] then
    held[key] = redis.call('ZCOUNT', key, '(' .. now, lease_ends() + SET_BACK_MS)
  end
  return held[key]
end

local function take_places(key, amount, name)
  if amount == 0 then return end
  if not takes[key] then
    write('ZREMRANGEBYSCORE', key, '-inf', now)
    takes[key] = write('ZADD', key)
    write('PEXPIRE', key, lease_ends() - now)
  end
  local take = takes[key]
  for place = 1, amount do
    take[#take + 1], take[#take + 2] = lease_ends(), name .. ':' .. place
  end
  held[key] = held[key] + amount
end

-- The record: when it ends, the claims as they came, and the time of each level.
local function record(key, lifetime_ms, claims, count)
  local ends = struct_pack('<d', now + lifetime_ms)
  local since = struct_pack(format('d', count), unpack(times, 1, count))
  write('SET', key, ends .. claims .. since, 'PX', string.format('%d', lifetime_ms))
end

local function run(call)
  local not_after, lifetime_ms, name, at = struct_unpack('<ddc53', call)
  if now > not_after then return struct_pack('<i8i8i8', -1, now, 0) end
  local first, count, fits, absent = at, 0, true, 0
  while at <= #call do
    count = count + 1
    local key, rule, limit, amount, used, since, unknown
    key, rule, limit, amount, at = struct_unpack('<c48Bdd', call, at)
    if rule == PLACES then
      used, since = held_places(key), 0
    else
      used, since, unknown = level(key, rule, limit)
      if rule == DRAIN then
        limit, amount = limit * PARTS, amount * PARTS
      elseif unknown then
        absent = absent + 2 ^ (count - 1)
      end
    end
    fits = fits and used + amount <= limit
    keys[count], rules[count], amounts[count], times[count] = key, rule, amount, since
    levels[2 * count - 1], levels[2 * count] = used, since
  end
  local answer = format('i8', 3 + 2 * count)
  if not fits then return struct_pack(answer, 0, now, 0, unpack(levels, 1, 2 * count)) end
  for i = 1, count do
    local used = levels[2 * i - 1] + amounts[i]
    if rules[i] == PLACES then
      take_places(keys[i], amounts[i], string.sub(name, -32))
    else
      change(keys[i], rules[i], used, levels[2 * i])
    end
    levels[2 * i - 1] = used
  end
  record(name, lifetime_ms, string.sub(call, first), count)
  return struct_pack(answer, 1, now, absent, unpack(levels, 1, 2 * count))
end
