-- A budget's spending as one ledger has it: no less is used than all ledgers together say.
-- KEYS: the bucket, and what each ledger has said of its window. ARGV: the bucket's window, when it began, the ledger,
-- and what was spent.
local used, at = level(KEYS[1], ARGV[1], 0)
if at ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
redis.call('PEXPIRE', KEYS[2], lifetime(ARGV[1]))
local spent = 0
for _, said in ipairs(redis.call('HVALS', KEYS[2])) do spent = spent + said end
change(KEYS[1], ARGV[1], math.max(used, math.min(spent, MOST_USED)), at)
return 1
