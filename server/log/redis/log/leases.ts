/** Leases in Redis, by Redis's own clock, so that every server sees the same ones end. */
import { noLeader } from '../../../../lib/errors.ts';
import type { Leases } from '../../../leases.ts';
import { defineScript, type Script } from '../link/connection.ts';
import type { Keys } from '../link/keys.ts';
import type { LiveSession } from '../repair/live.ts';
import { PRELUDE } from './scripts.ts';

/**
 * A Redis that was restarted, promoted or restored has lost renewals. So after each seal every lease
 * has its whole time again: a lease may last too long, and never ends too early.
 */
const LEASES_PRELUDE = `${PRELUDE}
local function end_of(id, score, sealed)
  local ttl = redis.call('HGET', KEYS[4], id)
  return math.max(tonumber(score), sealed + tonumber(ttl or '0'))
end
`;

/** ARGV: id, ms. Keys here: meta, log, leases, lease-ttls. */
const RENEW = defineScript(`${LEASES_PRELUDE}
redis.call('ZADD', KEYS[3], int(now_ms() + tonumber(ARGV[2])), ARGV[1])
redis.call('HSET', KEYS[4], ARGV[1], ARGV[2])
return 1
`);

/** ARGV: id. */
const DROP = defineScript(`
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
return 1
`);

/** Answers ids. Nothing ends in a Redis that is not sealed: it may be an old one. */
const EXPIRED = defineScript(`${LEASES_PRELUDE}
local m = meta()
if m.run ~= run_id() then return {} end
local now, sealed = now_ms(), tonumber(m.sealed)
local ended = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', int(now), 'WITHSCORES')
local ids = {}
for i = 1, #ended, 2 do
  if end_of(ended[i], ended[i + 1], sealed) <= now then ids[#ids + 1] = ended[i] end
end
return ids
`);

/** Answers id and milliseconds left in turn. */
const REMAINING = defineScript(`${LEASES_PRELUDE}
local now, sealed = now_ms(), tonumber(meta().sealed)
local all = redis.call('ZRANGE', KEYS[3], 0, -1, 'WITHSCORES')
for i = 1, #all, 2 do
  all[i + 1] = int(math.max(0, end_of(all[i], all[i + 1], sealed) - now))
end
return all
`);

/** ARGV: id. Answers milliseconds left, -1 when there is no such lease. */
const LEFT = defineScript(`${LEASES_PRELUDE}
local score = redis.call('ZSCORE', KEYS[3], ARGV[1])
if not score then return '-1' end
return int(math.max(0, end_of(ARGV[1], score, tonumber(meta().sealed)) - now_ms()))
`);

/** Rejects 'unavailable' while there is no Redis to ask. */
export class RedisLeases implements Leases {
  readonly #live: LiveSession;
  readonly #keys: readonly string[];

  constructor(live: LiveSession, { meta, log, leases, leaseTtls }: Keys) {
    this.#live = live;
    this.#keys = [meta, log, leases, leaseTtls];
  }

  async renew(id: string, ttlMs: number): Promise<void> {
    await this.#run(RENEW, [id, Math.ceil(ttlMs)]);
  }

  async drop(id: string): Promise<void> {
    await this.#run(DROP, [id]);
  }

  async expired(): Promise<string[]> {
    return (await this.#run(EXPIRED, [])) as string[];
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
    const live = this.#live.current;
    if (live === undefined) throw noLeader();
    return await live.session.commands.run(script, this.#keys, args);
  }
}
