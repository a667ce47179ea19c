-- Milliseconds since the epoch, by the one clock that all gateways share.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
