-- Decide about one reservation after the other, up to the first that is refused: check every claim, then take every
-- one; a refusal changes nothing.
-- KEYS: each claim's bucket. A call: not after; the records' lifetime; then of each reservation the record's key, how
-- many claims, and each claim's bucket, rule, limit and amount.
-- Answers -1, now and 0 when it is too late, else granted, now, absent, used, at, used, at, ...: how many were granted,
-- which of their budgets were unknown (the first claim of all is bit 0), and the level afterwards of each bucket that
-- was asked for.
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
local function record(key, lifetime_ms, claims, first, last)
  local ends = struct_pack('<d', now + lifetime_ms)
  local since = struct_pack(format('d', last - first + 1), unpack(times, first, last))
  write('SET', key, ends .. claims .. since, 'PX', string.format('%d', lifetime_ms))
end

-- Whether there is enough for the claims that begin at a place of the call, which of their budgets were unknown, and
-- where they end.
local function check(call, at, first, last)
  local fits, absent = true, 0
  for i = first, last do
    local key, rule, limit, amount, used, since, unknown
    key, rule, limit, amount, at = struct_unpack('<c48Bdd', call, at)
    if rule == PLACES then
      used, since = held_places(key), 0
    else
      used, since, unknown = level(key, rule, limit)
      if rule == DRAIN then
        limit, amount = limit * PARTS, amount * PARTS
      elseif unknown then
        absent = absent + 2 ^ (i - 1)
      end
    end
    fits = fits and used + amount <= limit
    keys[i], rules[i], amounts[i], times[i] = key, rule, amount, since
    levels[2 * i - 1], levels[2 * i] = used, since
  end
  return fits, absent, at
end

local function take(name, first, last)
  for i = first, last do
    local used = levels[2 * i - 1] + amounts[i]
    if rules[i] == PLACES then
      take_places(keys[i], amounts[i], string.sub(name, -32))
    else
      change(keys[i], rules[i], used, levels[2 * i])
    end
    levels[2 * i - 1] = used
  end
end

local function run(call)
  local not_after, lifetime_ms, at = struct_unpack('<dd', call)
  if now > not_after then return struct_pack('<i8i8i8', -1, now, 0) end
  local granted, absent, asked = 0, 0, 0
  while at <= #call do
    local name, count, begin = struct_unpack('<c53H', call, at)
    local first, fits, unknown = asked + 1, nil, nil
    asked = asked + count
    fits, unknown, at = check(call, begin, first, asked)
    if not fits then break end
    take(name, first, asked)
    record(name, lifetime_ms, string.sub(call, begin, at - 1), first, asked)
    granted, absent = granted + 1, absent + unknown
  end
  return struct_pack(format('i8', 3 + 2 * asked), granted, now, absent, unpack(levels, 1, 2 * asked))
end
