-- Many calls of one script at once, each as if it were alone: one that fails answers with its error.
-- KEYS: all that the calls name. ARGV: the calls, each packed as its script wants it.
local answers = {}
for i, packed in ipairs(redis.call('MGET', unpack(KEYS))) do found[KEYS[i]] = packed end
for i, call in ipairs(ARGV) do
  local worked, answer = pcall(run, call)
  if not worked and type(answer) ~= 'table' then answer = redis.error_reply(answer) end
  answers[i] = answer
end
keep_changes()
return answers
