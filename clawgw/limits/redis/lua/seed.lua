-- A budget's spending, from the ledger: whoever has counted more knows better.
-- KEYS: the bucket. ARGV: its window, and what was spent.
local used, at = unpacked(redis.call('GET', KEYS[1]))
used, at = level_at(ARGV[1], 0, used, at)
keep(KEYS[1], ARGV[1], math.max(used, math.min(tonumber(ARGV[2]), MOST_SPENT)), at)
return 1
