/**
 * What all scripts share. Redis runs a script alone and does not undo what an error left half done,
 * so each looks at everything before it writes anything. Each stands beside its user; those of every
 * day have one order of keys: meta, log, ids, servers. Numbers travel as strings: Lua's own lose
 * digits above 2^53, and its formatting of them above 10^14.
 */
import type { Keys } from '../link/keys.ts';
import { USING_MS } from '../link/limits.ts';

export function dailyKeys({ meta, log, ids, servers }: Keys): string[] {
  return [meta, log, ids, servers];
}

/**
 * What all scripts know: the meta record, the process and for how long it has been a master (it gets
 * another replid when it becomes one, or the first replica comes), the time, the end of the stream.
 */
export const PRELUDE = `
local function run_id()
  local process = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  return process .. (string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or '')
end
local function meta()
  local v = redis.pcall('HMGET', KEYS[1],
    'run', 'epoch', 'idx', 'hash', 't', 'next', 'floor', 'floorhash', 'want', 'sealed', 'round')
  if v.err then v = {} end
  return { run = v[1] or '', epoch = v[2] or '0', idx = v[3] or '0', hash = v[4] or '',
    t = v[5] or '0', next = v[6] or '1', floor = v[7] or '0', floorhash = v[8] or '',
    want = v[9] or '0', begun = v[10] or '0', round = v[11] or '0' }
end
-- A key of another type is nothing of ours, and would fail every script for ever.
local function clear_foreign(kinds)
  for i, kind in pairs(kinds) do
    local found = redis.call('TYPE', KEYS[i]).ok
    if found ~= kind and found ~= 'none' then redis.call('DEL', KEYS[i]) end
  end
end
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local function int(n)
  return string.format('%d', n)
end
local function stream_end()
  local info = redis.pcall('XINFO', 'STREAM', KEYS[2])
  if info.err then return '0-0', 0 end
  local last, length
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last = info[i + 1] end
    if info[i] == 'length' then length = info[i + 1] end
  end
  return last, length
end
local function consistent(m)
  local last, length = stream_end()
  if length == 0 then return m.floor == m.idx and (last == '0-0' or last == m.idx .. '-0') end
  return last == m.idx .. '-0'
end
-- Whether another process than this one has said a moment ago that it is this server.
local function is_used(server, process, now)
  local seen, its = string.match(redis.call('HGET', KEYS[4], server) or '', '^(%d+) .* (%S+)$')
  local age = seen and now - tonumber(seen)
  return seen and its ~= process and age >= 0 and age < ${USING_MS}
end
`;
