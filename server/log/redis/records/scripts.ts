/**
 * The scripts of every day: append, check, read-index. Redis runs a script alone and does not undo
 * what an error left half done, so each looks at everything before it writes anything.
 *
 * All share one order of keys: meta, log, ids, servers. Numbers travel as strings: Lua's own lose
 * digits above 2^53, and its formatting of them above 10^14.
 */
import { LOG_TIME } from '../../log-clock.ts';
import { defineScript } from '../link/connection.ts';
import type { Keys } from '../link/keys.ts';
import { REMEMBERED_PROPOSALS, USING_MS } from '../link/limits.ts';

export function dailyKeys({ meta, log, ids, servers }: Keys): string[] {
  return [meta, log, ids, servers];
}

/** What all scripts know: the meta record, the process, the time, the end of the stream. */
export const PRELUDE = `
local function run_id()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end
local function meta()
  local v = redis.pcall('HMGET', KEYS[1],
    'run', 'epoch', 'idx', 'hash', 't', 'next', 'floor', 'floorhash', 'want', 'sealed', 'round')
  if v.err then v = {} end
  return { run = v[1] or '', epoch = v[2] or '0', idx = v[3] or '0', hash = v[4] or '',
    t = v[5] or '0', next = v[6] or '1', floor = v[7] or '0', floorhash = v[8] or '',
    want = v[9] or '0', sealed = v[10] or '0', round = v[11] or '0' }
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

/** ARGV, as CheckIn makes them: epoch, server, applied, round, process. */
const CHECKS_IN = `
local now = now_ms()
if is_used(ARGV[2], ARGV[5], now) then return { 'TWICE' } end
-- A Redis that is full can be read from all the same.
redis.pcall('HSET', KEYS[4], ARGV[2],
  table.concat({ int(now), ARGV[3], ARGV[1], ARGV[4], ARGV[5] }, ' '))
`;

/**
 * ARGV: epoch, then id and payload of each proposal.
 * Answers EPOCH when this process or epoch is not sealed, DAMAGED when the stream does not end where
 * the meta record says; nothing is written then. Else OK, the last index and its hash: every
 * proposal is in the log.
 */
export const APPEND = defineScript(`${PRELUDE}${LOG_TIME}
local m = meta()
if m.run ~= run_id() or m.epoch ~= ARGV[1] then return { 'EPOCH' } end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
if last then
  if last[1] ~= m.idx .. '-0' then return { 'DAMAGED' } end
elseif m.floor ~= m.idx then
  return { 'DAMAGED' }
end
local t = int(log_time(tonumber(m.t), now_ms()))
local idx, hash, next = m.idx, m.hash, tonumber(m.next)
local answer = 'OK'
for i = 2, #ARGV, 2 do
  local id, payload = ARGV[i], ARGV[i + 1]
  if not redis.call('ZSCORE', KEYS[3], id) then
    local n = int(next)
    local h = redis.sha1hex(hash .. ' ' .. n .. ' ' .. m.epoch .. ' ' .. t .. ' ' .. id .. ' ' .. payload)
    -- Fails at the first entry or never: where the stream's last id was moved above ours, or where
    -- Redis refuses to write at all.
    local added = redis.pcall('XADD', KEYS[2], n .. '-0',
      'e', m.epoch, 't', t, 'p', id, 'h', h, 'c', payload)
    if type(added) == 'table' and added.err then
      if idx == m.idx and not string.find(added.err, 'equal or smaller') then
        return redis.error_reply(added.err)
      end
      answer = 'DAMAGED'
      break
    end
    redis.call('ZADD', KEYS[3], n, id)
    idx, hash, next = n, h, next + 1
  end
end
if idx ~= m.idx then
  redis.call('HSET', KEYS[1], 'idx', idx, 'hash', hash, 't', t, 'next', int(next))
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, ${-REMEMBERED_PROPOSALS - 1})
end
return { answer, idx, hash }
`);

/**
 * ARGV: stream id, the most entries, the most bytes. Answers what comes after it as XRANGE does,
 * one at least where there is any; none where something else than a stream stands there.
 */
export const READ = defineScript(`
local from, left = '(' .. ARGV[1], tonumber(ARGV[3])
local found = {}
repeat
  local some = redis.pcall('XRANGE', KEYS[2], from, '+', 'COUNT', 16)
  if some.err then return found end
  for _, entry in ipairs(some) do
    for _, part in ipairs(entry[2]) do left = left - #part end
    if #found > 0 and (left < 0 or #found >= tonumber(ARGV[2])) then return found end
    found[#found + 1] = entry
    from = '(' .. entry[1]
  end
until #some < 16
return found
`);

/**
 * ARGV: epoch; 1 where a round is to begin, else 0. Answers OK, the last index and the round, or EPOCH:
 * what was sealed by others is not for us.
 */
export const READ_INDEX = defineScript(`${PRELUDE}
local m = meta()
if m.run ~= run_id() or m.epoch ~= ARGV[1] then return { 'EPOCH' } end
if ARGV[2] == '1' then m.round = redis.call('HINCRBY', KEYS[1], 'round', 1) end
return { 'OK', m.idx, int(m.round) }
`);

/**
 * One key more: the snapshot.
 * Answers OK, the last index and its hash, the wanted snapshot's index, that of the one there is, the
 * round, and of every server its name, the milliseconds since it was seen, how far it had applied; else
 * EPOCH, DAMAGED or TWICE.
 */
export const CHECK = defineScript(`${PRELUDE}
local m = meta()
if m.run ~= run_id() or m.epoch ~= ARGV[1] then return { 'EPOCH' } end
if not consistent(m) then return { 'DAMAGED' } end
${CHECKS_IN}
local servers = {}
local all = redis.call('HGETALL', KEYS[4])
for i = 1, #all, 2 do
  local seen, applied = string.match(all[i + 1], '^(%d+) (%d+)')
  if seen then
    servers[#servers + 1] = all[i]
    servers[#servers + 1] = int(now - tonumber(seen))
    servers[#servers + 1] = applied
  end
end
return { 'OK', m.idx, m.hash, m.want, redis.call('HGET', KEYS[5], 'idx') or '0', int(m.round), servers }
`);

/**
 * Answers OK, the round, and of every server in this epoch when it was seen, how far it had applied, and
 * in which round it said so; else EPOCH or TWICE. What a server has applied in an older epoch may be
 * another history.
 */
export const REPORT = defineScript(`${PRELUDE}
local m = meta()
if m.run ~= run_id() or m.epoch ~= ARGV[1] then return { 'EPOCH' } end
${CHECKS_IN}
local reports = {}
local all = redis.call('HGETALL', KEYS[4])
for i = 1, #all, 2 do
  local seen, applied, epoch, round = string.match(all[i + 1], '^(%d+) (%d+) (%d+) (%d+) ')
  if epoch == m.epoch then
    reports[#reports + 1] = seen
    reports[#reports + 1] = applied
    reports[#reports + 1] = round
  end
end
return { 'OK', int(m.round), reports }
`);
