-- Many calls of one script at once, each as if it were alone: one that fails answers with its error.
-- KEYS: all that the calls name. ARGV: the calls as JSON, each a list of its keys and a list of its arguments.
local answers = {}
for i, packed in ipairs(redis.call('MGET', unpack(KEYS))) do remember(KEYS[i], packed) end
for i, call in ipairs(cjson.decode(ARGV[1])) do
  local worked, answer = pcall(run, unpack(call))
  if not worked and type(answer) ~= 'table' then answer = redis.error_reply(answer) end
  answers[i] = answer
end
keep_changes()
return answers
