/**
 * A snapshot is one key, its chunks among its fields: so nothing of it can be left when it goes. It
 * has an expiry until it is published, and again once another is published in its place.
 * Keys: meta, log, ids, servers, snapshot, snapshot-lock, and the snapshot that is being written.
 */
import { defineScript } from '../link/connection.ts';
import { SNAPSHOT_LOCK_MS, SNAPSHOT_TTL_MS } from '../link/limits.ts';
import { PRELUDE } from './scripts.ts';

/** ARGV: token, number, chunk. Answers 0 when another server has taken the lock meanwhile. */
export const WRITE_CHUNK = defineScript(`
if redis.call('GET', KEYS[6]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[6], ${SNAPSHOT_LOCK_MS})
redis.call('HSET', KEYS[7], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[7], ${SNAPSHOT_TTL_MS})
return 1
`);

/** ARGV: token. Answers 0 likewise. */
export const RENEW_LOCK = defineScript(`
if redis.call('GET', KEYS[6]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[6], ${SNAPSHOT_LOCK_MS})
`);

/** ARGV: token. What was not published goes. */
export const RELEASE_LOCK = defineScript(`
redis.call('UNLINK', KEYS[7])
if redis.call('GET', KEYS[6]) == ARGV[1] then redis.call('DEL', KEYS[6]) end
return 1
`);

/**
 * ARGV: epoch, id (and the lock's token), then the position: index, epoch, hash, t; number of
 * chunks. Answers OK, or what speaks against it.
 */
export const PUBLISH_SNAPSHOT = defineScript(`${PRELUDE}
local m = meta()
if m.run ~= run_id() or m.epoch ~= ARGV[1] then return { 'EPOCH' } end
if redis.call('GET', KEYS[6]) ~= ARGV[2] then return { 'LOCK' } end
local old, old_idx = unpack(redis.call('HMGET', KEYS[5], 'id', 'idx'))
if old_idx and tonumber(old_idx) >= tonumber(ARGV[3]) then return { 'OLDER' } end
-- It must be of this history.
local hash
if ARGV[3] == m.idx then hash = m.hash end
if ARGV[3] == m.floor then hash = m.floorhash end
local entry = redis.call('XRANGE', KEYS[2], ARGV[3] .. '-0', ARGV[3] .. '-0')[1]
if entry then
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'h' then hash = entry[2][i + 1] end
  end
end
if hash ~= ARGV[5] then return { 'FORK' } end
if redis.call('HLEN', KEYS[7]) ~= tonumber(ARGV[7]) then return { 'EXPIRED' } end
if old then
  -- Not at once gone: another server may be loading it. Its name has the same hash tag as the rest.
  redis.call('RENAME', KEYS[5], KEYS[5] .. ':' .. old)
  redis.call('PEXPIRE', KEYS[5] .. ':' .. old, ${SNAPSHOT_TTL_MS})
end
redis.call('HSET', KEYS[7], 'id', ARGV[2], 'idx', ARGV[3], 'epoch', ARGV[4], 'hash', ARGV[5],
  't', ARGV[6], 'chunks', ARGV[7])
redis.call('RENAME', KEYS[7], KEYS[5])
redis.call('PERSIST', KEYS[5])
if tonumber(m.want) <= tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], 'want') end
return { 'OK' }
`);

/**
 * ARGV: epoch, the index after which everything stays, ms after which a silent server is no longer
 * waited for. Keeps the snapshot's own entry too, to which a loader's first read is compared.
 */
export const TRIM = defineScript(`${PRELUDE}
local m = meta()
if m.run ~= run_id() or m.epoch ~= ARGV[1] then return 0 end
local snapshot = redis.call('HGET', KEYS[5], 'idx')
if not snapshot then return 0 end
local first = math.min(tonumber(snapshot), tonumber(ARGV[2]) + 1)
local now = now_ms()
local all = redis.call('HGETALL', KEYS[4])
for i = 1, #all, 2 do
  local seen, applied = string.match(all[i + 1], '^(%d+) (%d+)')
  if not seen or now - tonumber(seen) > tonumber(ARGV[3]) then
    redis.call('HDEL', KEYS[4], all[i])
  else
    first = math.min(first, tonumber(applied))
  end
end
local removed = redis.call('XTRIM', KEYS[2], 'MINID', '=', int(first) .. '-0')
if removed > 0 then redis.call('HSET', KEYS[1], 'floor', '-1', 'floorhash', '') end
return removed
`);
