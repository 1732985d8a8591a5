/**
 * The scripts that make a Redis take writes (again). All but VIEW are compare-and-set on what a
 * view has seen (its `state`), so that servers which race undo nothing of one another: they answer
 * MOVED, and the loser looks again. Keys: meta, log, ids, servers, candidates, snapshot.
 */
import { defineScript } from '../link/connection.ts';
import type { Keys } from '../link/keys.ts';
import { SETTLE_MS } from '../link/limits.ts';
import { PRELUDE } from '../records/scripts.ts';

export function repairKeys({
  meta,
  log,
  ids,
  servers,
  candidates,
  snapshot,
  bell,
}: Keys): string[] {
  return [meta, log, ids, servers, candidates, snapshot, bell];
}

const REPAIR_PRELUDE = `${PRELUDE}
local function state(m)
  local last, length = stream_end()
  return table.concat({ m.run, m.epoch, m.idx, m.hash, last, int(length) }, ' ')
end
local function newer(a, b)
  if tonumber(a) > tonumber(b) then return a end
  return b
end
local function epochs()
  local found = redis.pcall('HGET', KEYS[1], 'seals')
  return type(found) == 'string' and found or ''
end
-- Ids say what need not be written again: none may be of an entry that is not there.
local function drop_ids_after(idx)
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '(' .. idx, '+inf')
end
local function drop_snapshot_after(idx)
  local at = redis.call('HGET', KEYS[6], 'idx')
  if at and tonumber(at) > tonumber(idx) then redis.call('UNLINK', KEYS[6]) end
end
`;

/** A candidate that was not renewed for this long has died. */
export const CANDIDATE_FRESH_MS = SETTLE_MS / 2;
const CANDIDATES_TTL_MS = 10_000;

/**
 * ARGV: server, and what it holds: epoch, index, hash, warm (1 or 0); the epoch that it has promised
 * to one Redis, and the newest that it promised to another before; the process; where the indexes of an
 * epoch that it took part in began; to which Redis it has promised. An epoch that is older than what was
 * promised elsewhere is ended. Answers TWICE where another process is this server, else what there is to know of this Redis. Where it is not to be written to as it is, the
 * server's holdings are published beside those of the others.
 */
export const VIEW = defineScript(`${REPAIR_PRELUDE}
clear_foreign({ 'hash', 'stream', 'zset', 'hash', 'hash', 'hash', 'stream' })
local m = meta()
local run = run_id()
local now = now_ms()
local ok = consistent(m)
local at, rival = string.match(redis.call('HGET', KEYS[5], ARGV[1]) or '', '^(%d+) .* (%S+)$')
local age = rival and rival ~= ARGV[8] and now - tonumber(at) or -1
if is_used(ARGV[1], ARGV[8], now) or age >= 0 and age < ${CANDIDATE_FRESH_MS} then
  return { 'TWICE' }
end
local since = 0
local ballot, elsewhere = '0', ARGV[6]
if ARGV[10] == run then ballot, elsewhere = ARGV[6], ARGV[7] end
if m.run == run and tonumber(m.epoch) < tonumber(elsewhere) then
  redis.call('HSET', KEYS[1], 'run', '')
  m.run = ''
end
if not ok or m.run ~= run or tonumber(m.epoch) < tonumber(ARGV[2])
  or tonumber(m.idx) < tonumber(ARGV[3]) then
  local held = redis.call('HMGET', KEYS[5], ':since', ':last', ':run')
  local quiet = now - tonumber(held[2] or '0')
  -- A clock that was set back would let us wait, and the dead be candidates, for as long.
  if not held[1] or held[3] ~= run or quiet < 0 or quiet > ${CANDIDATE_FRESH_MS} then
    redis.call('DEL', KEYS[5])
    redis.call('HSET', KEYS[5], ':since', int(now), ':run', run)
    held[1] = now
  end
  since = now - tonumber(held[1])
  redis.call('HSET', KEYS[5], ':last', int(now),
    ARGV[1], table.concat({ int(now), ARGV[2], ARGV[3], ARGV[5], ballot, ARGV[4], ARGV[9], ARGV[8] }, ' '))
  redis.call('PEXPIRE', KEYS[5], ${CANDIDATES_TTL_MS})
end
local function entry(from, to)
  local found = redis.pcall('XRANGE', KEYS[2], from, to, 'COUNT', 1)
  if found.err then return nil end
  return found[1]
end
local mine = entry(ARGV[3] .. '-0', ARGV[3] .. '-0')
local mine_hash = ''
if mine then
  for i = 1, #mine[2], 2 do
    if mine[2][i] == 'h' then mine_hash = mine[2][i + 1] end
  end
end
local first = entry('-', '+')
local last, length = stream_end()
return {
  run, m.run, m.epoch, m.idx, m.hash, m.t, m.next, m.floor, m.floorhash,
  last, int(length), first and first[1] or '', mine_hash, ok and '1' or '0',
  int(since), int(now), state(m), redis.call('HGETALL', KEYS[5]), redis.call('HGETALL', KEYS[4]),
  epochs()
}
`);

/** Some hundred epochs: a server that was away for longer cannot tell all that it lost. */
const EPOCHS_MAX_CHARS = 4096;

/**
 * ARGV: state, epoch, next index, the mark of this epoch, and the epochs before it where they are not
 * those that stand there. From now on this process takes appends in this epoch. After which index it
 * began stays known when the entries are trimmed. Answers MOVED too where there is an epoch as
 * late in the log: what came next in an equal one, after a gap, would follow for nobody.
 */
export const BEGIN = defineScript(`${REPAIR_PRELUDE}
local m = meta()
if state(m) ~= ARGV[1] or tonumber(ARGV[2]) <= tonumber(m.epoch) then return { 'MOVED' } end
drop_ids_after(m.idx)
redis.call('HSET', KEYS[1], 'run', run_id(), 'epoch', ARGV[2], 'next', ARGV[3],
  'idx', m.idx, 'hash', m.hash, 't', m.t, 'floor', m.floor, 'floorhash', m.floorhash,
  'sealed', int(now_ms()),
  'seals', string.sub((ARGV[5] ~= '' and ARGV[5] or epochs()) ..
    ' ' .. ARGV[2] .. ':' .. m.idx .. ':' .. ARGV[4], -${EPOCHS_MAX_CHARS}))
-- What was rung of the epoch before is no news to anybody.
redis.call('DEL', KEYS[5], KEYS[7])
return { 'OK' }
`);

/**
 * ARGV: state, then index, epoch, t, id, hash, payload of each entry, from the one after the last.
 * Puts back what was lost, as it was. Answers OK with the new state; BROKEN when an entry does not
 * follow from the one before. What was put back is whole at any moment, but nobody may append to
 * it before an epoch begins.
 */
export const REPAIR = defineScript(`${REPAIR_PRELUDE}
local m = meta()
if state(m) ~= ARGV[1] then return { 'MOVED' } end
local idx, hash, t, epoch = m.idx, m.hash, m.t, m.epoch
for i = 2, #ARGV, 6 do
  local n, e, at, id, h, payload = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5]
  local expected = redis.sha1hex(hash .. ' ' .. n .. ' ' .. e .. ' ' .. at .. ' ' .. id .. ' ' .. payload)
  if h ~= expected then return { 'BROKEN', n } end
  idx, hash, t, epoch = n, h, at, newer(epoch, e)
end
drop_ids_after(m.idx)
for i = 2, #ARGV, 6 do
  redis.call('XADD', KEYS[2], ARGV[i] .. '-0',
    'e', ARGV[i + 1], 't', ARGV[i + 2], 'p', ARGV[i + 3], 'h', ARGV[i + 4], 'c', ARGV[i + 5])
  redis.call('ZADD', KEYS[3], ARGV[i], ARGV[i + 3])
end
redis.call('HSET', KEYS[1], 'run', '', 'idx', idx, 'hash', hash, 't', t, 'epoch', epoch,
  'floor', m.floor, 'floorhash', m.floorhash)
redis.call('HSET', KEYS[5], ':since', int(now_ms()))
return { 'OK', state(meta()) }
`);

/**
 * ARGV: state, index, epoch, hash, t of an entry that is in the stream, the floor and its hash.
 * Everything after the entry goes. Answers OK with the new state.
 */
export const CUT = defineScript(`${REPAIR_PRELUDE}
local m = meta()
if state(m) ~= ARGV[1] then return { 'MOVED' } end
local idx = ARGV[2]
repeat
  local wrong = redis.call('XRANGE', KEYS[2], '(' .. idx .. '-0', '+', 'COUNT', 500)
  for _, entry in ipairs(wrong) do redis.call('XDEL', KEYS[2], entry[1]) end
until #wrong == 0
redis.call('XSETID', KEYS[2], idx .. '-0')
drop_ids_after(idx)
drop_snapshot_after(idx)
local next, before = m.next, epochs()
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'run', '', 'epoch', newer(m.epoch, ARGV[3]), 'idx', idx,
  'hash', ARGV[4], 't', ARGV[5], 'next', next, 'floor', ARGV[6], 'floorhash', ARGV[7],
  'seals', before)
return { 'OK', state(meta()) }
`);

/**
 * ARGV: state, index, epoch, hash, t of the position to begin anew from, and the last index that
 * will be put back. Answers OK with the new state.
 */
export const RESET = defineScript(`${REPAIR_PRELUDE}
local m = meta()
if state(m) ~= ARGV[1] then return { 'MOVED' } end
local before = epochs()
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
drop_snapshot_after(ARGV[6])
local want = ARGV[2]
local at = redis.call('HGET', KEYS[6], 'idx')
if at and tonumber(at) >= tonumber(want) then want = '0' end
redis.call('HSET', KEYS[1], 'run', '', 'epoch', newer(m.epoch, ARGV[3]), 'idx', ARGV[2],
  'hash', ARGV[4], 't', ARGV[5], 'next', m.next, 'floor', ARGV[2], 'floorhash', ARGV[4],
  'want', want, 'seals', before)
return { 'OK', state(meta()) }
`);

/** ARGV: index. A snapshot of this index or later is needed: the stream does not lead there. */
export const WANT = defineScript(`${REPAIR_PRELUDE}
local m = meta()
if tonumber(m.want) < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'want', ARGV[1]) end
return { 'OK' }
`);
