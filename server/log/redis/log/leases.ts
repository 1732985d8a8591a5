/**
 * Leases in Redis, by Redis's own clock, so that every server sees the same ones end. What counts of
 * its time is as server/leases.ts says: neither a silence of the keeper nor a clock that was
 * set back or on.
 */
import { noLeader, ProconsulError } from '../../../../lib/errors.ts';
import {
  type Expired,
  GRACE_MS,
  type Leases,
  MAX_SILENCE_MS,
  MAX_SILENCES,
} from '../../../leases.ts';
import { defineScript, type Script } from '../link/connection.ts';
import { PRELUDE } from '../records/scripts.ts';
import type { LinkGate } from './link-gate.ts';

/**
 * Keys here: meta, log, leases, lease-ttls, lease-clock. A lease's score is when it ends, in the time
 * that counts: `heard`. A Redis that was restarted, promoted or restored has lost renewals, so after
 * each beginning of an epoch every lease has its whole time again: it may last too long, and never ends too early.
 */
const LEASES_PRELUDE = `${PRELUDE}
clear_foreign({ [3] = 'zset', [4] = 'hash', [5] = 'hash' })
local m = meta()
local c = { now = now_ms() }
local v = redis.call('HMGET', KEYS[5],
  'last', 'asked', 'unheard', 'silences', 'grace', 'sealed', 'sealed_at')
c.asked, c.unheard = tonumber(v[2] or c.now), tonumber(v[3] or '0')
c.silences, c.grace = tonumber(v[4] or '0'), tonumber(v[5] or '0')
-- Set back: the time that counts goes on from where it was.
local back = math.max(0, tonumber(v[1] or '0') - c.now)
c.unheard, c.asked = c.unheard - back, c.asked - back
c.heard = c.now - c.unheard
c.begun_at = v[6] == m.begun and tonumber(v[7]) or c.heard
local function end_of(id, score)
  local ttl = tonumber(redis.call('HGET', KEYS[4], id) or '0')
  return math.max(tonumber(score), c.begun_at + ttl, c.grace + math.min(ttl, ${GRACE_MS}))
end
local function save()
  redis.call('HSET', KEYS[5], 'last', int(c.now), 'asked', int(c.asked), 'unheard', int(c.unheard),
    'silences', int(c.silences), 'grace', int(c.grace),
    'sealed', m.begun, 'sealed_at', int(c.begun_at))
end
`;

/** ARGV: id, ms. */
const RENEW = defineScript(`${LEASES_PRELUDE}
redis.call('ZADD', KEYS[3], int(c.heard + tonumber(ARGV[2])), ARGV[1])
redis.call('HSET', KEYS[4], ARGV[1], ARGV[2])
save()
return 1
`);

/** ARGV: id. */
const DROP = defineScript(`
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
return 1
`);

/**
 * Answers how many milliseconds were not counted, then ids. Nothing ends in a Redis that is not
 * in its epoch: it may be an old one.
 */
const EXPIRED = defineScript(`${LEASES_PRELUDE}
if m.run ~= run_id() then return { '0' } end
local silent = c.now - c.asked
c.asked = c.now
local answer = { '0' }
if silent > ${MAX_SILENCE_MS} then
  if c.heard - silent - c.grace >= ${GRACE_MS} then c.silences = 0 end
  if c.silences < ${MAX_SILENCES} then
    c.silences, c.unheard, c.heard = c.silences + 1, c.unheard + silent, c.heard - silent
    c.grace = c.heard
    answer[1] = int(silent)
    -- Who was renewed meanwhile has its time, and not the silence besides, or what a clock jumped by.
    local ttls = redis.call('HGETALL', KEYS[4])
    for i = 1, #ttls, 2 do
      local most = c.heard + tonumber(ttls[i + 1])
      local ends = tonumber(redis.call('ZSCORE', KEYS[3], ttls[i]) or '0')
      if ends > most then redis.call('ZADD', KEYS[3], int(most), ttls[i]) end
    end
  end
end
save()
local ended = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', int(c.heard), 'WITHSCORES')
for i = 1, #ended, 2 do
  if end_of(ended[i], ended[i + 1]) <= c.heard then answer[#answer + 1] = ended[i] end
end
return answer
`);

const GRACE = defineScript(`${LEASES_PRELUDE}
c.grace = c.heard
save()
return 1
`);

/** Answers id and milliseconds left in turn. */
const REMAINING = defineScript(`${LEASES_PRELUDE}
local all = redis.call('ZRANGE', KEYS[3], 0, -1, 'WITHSCORES')
for i = 1, #all, 2 do
  all[i + 1] = int(math.max(0, end_of(all[i], all[i + 1]) - c.heard))
end
return all
`);

/** ARGV: id. Answers milliseconds left, -1 when there is no such lease. */
const LEFT = defineScript(`${LEASES_PRELUDE}
local score = redis.call('ZSCORE', KEYS[3], ARGV[1])
if not score then return '-1' end
return int(math.max(0, end_of(ARGV[1], score) - c.heard))
`);

/** Rejects 'unavailable' while there is no Redis to ask. */
export class RedisLeases implements Leases {
  readonly #gate: LinkGate;

  constructor(gate: LinkGate) {
    this.#gate = gate;
  }

  async renew(id: string, ttlMs: number): Promise<void> {
    await this.#run(RENEW, [id, Math.ceil(ttlMs)]);
  }

  async drop(id: string): Promise<void> {
    await this.#run(DROP, [id]);
  }

  async expired(): Promise<Expired> {
    const [unheardMs, ...ids] = (await this.#run(EXPIRED, [])) as string[];
    return { ids, unheardMs: Number(unheardMs) };
  }

  async grace(): Promise<void> {
    await this.#run(GRACE, []);
  }

  async remaining(): Promise<ReadonlyMap<string, number>> {
    const flat = (await this.#run(REMAINING, [])) as string[];
    const left = new Map<string, number>();
    for (let i = 0; i + 1 < flat.length; i += 2) left.set(flat[i] ?? '', Number(flat[i + 1]));
    return left;
  }

  async left(id: string): Promise<number | undefined> {
    const leftMs = Number(await this.#run(LEFT, [id]));
    return leftMs < 0 ? undefined : leftMs;
  }

  async #run(script: Script, args: readonly (string | number)[]): Promise<unknown> {
    const epochLink = this.#gate.current;
    if (epochLink === undefined) throw noLeader();
    const { commands, keys } = epochLink.link;
    const { meta, log, leases, leaseTtls, leaseClock } = keys;
    try {
      return await commands.run(script, [meta, log, leases, leaseTtls, leaseClock], args);
    } catch (error) {
      // A Redis that is full refuses a lease to everybody: it is no word on whoever asks for one.
      const isFull = error instanceof ProconsulError && error.code === 'rejected';
      throw isFull ? noLeader(error) : error;
    }
  }
}
