-- Many calls of one script at once, each as if it were alone: one that fails answers with its error.
-- ARGV: how many calls; for each the number of its keys and of its arguments; then all of these.
local answers = {}
local key, argument = 1, 2 + 2 * ARGV[1]
for call = 1, ARGV[1] do
  local next_key, next_argument = key + ARGV[2 * call], argument + ARGV[2 * call + 1]
  local worked, answer = pcall(run, {unpack(KEYS, key, next_key - 1)}, {unpack(ARGV, argument, next_argument - 1)})
  if not worked and type(answer) ~= 'table' then answer = redis.error_reply(answer) end
  answers[call] = answer
  key, argument = next_key, next_argument
end
return answers
