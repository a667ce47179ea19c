-- A budget's spending as one ledger has it: no less is used than all ledgers together say.
-- KEYS: the bucket, and what each ledger has said of its window. A call: both; the window and when it began; what was
-- spent; the ledger.
local function run(call)
  local key, said, window, since, amount, at = struct.unpack('<c48c47Bdd', call)
  local used, began = level(key, window, 0)
  if began ~= since then return 0 end
  redis.call('HSET', said, string.sub(call, at), amount)
  redis.call('PEXPIRE', said, lifetime(window))
  local spent = 0
  for _, of_one in ipairs(redis.call('HVALS', said)) do spent = spent + of_one end
  change(key, window, math.max(used, math.min(spent, MOST_USED)), began)
  return 1
end
