-- A budget's spending, from the ledger: whoever has counted more knows better.
-- KEYS: the bucket. ARGV: its window, and what was spent.
local used, at = level(KEYS[1], ARGV[1], 0)
change(KEYS[1], ARGV[1], math.max(used, math.min(ARGV[2], MOST_USED)), at)
return 1
