/**
 * Leases in Redis, by Redis's own clock, so that every server sees the same ones end. What counts of
 * its time is as server/leases.ts says: neither a silence of the keeper nor a clock that was
 * set back or on.
 */
import type { Clock } from '../../../../lib/clock.ts';
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
c.begun_at = math.min(c.heard, v[6] == m.begun and tonumber(v[7]) or c.heard)
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

/** ARGV: id and ms in turn, in the order in which they were asked for; with '' for ms a lease is dropped. */
const CHANGE = defineScript(`${LEASES_PRELUDE}
for i = 1, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('ZREM', KEYS[3], ARGV[i])
    redis.call('HDEL', KEYS[4], ARGV[i])
  else
    redis.call('ZADD', KEYS[3], int(c.heard + tonumber(ARGV[i + 1])), ARGV[i])
    redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1])
  end
end
save()
return 1
`);

/** Of one script, which takes Redis about a millisecond: nobody else is served meanwhile. */
const LEASES_AT_ONCE = 500;
/**
 * Who is patient goes with a script that begins so long after the one before. It takes Redis some 15 µs and a server
 * as much again and more, and each lease in it a few.
 */
const PATIENCE_MS = 10;

/**
 * Answers how many milliseconds were not counted, how many there are until the next one ends ('' for none), then ids. Of the
 * next one the time is that of the lowest score, which is soonest as a rule. Nothing ends in a Redis that is not
 * in its epoch: it may be an old one.
 */
const EXPIRED = defineScript(`${LEASES_PRELUDE}
if m.run ~= run_id() then return { '0', '' } end
local silent = c.now - c.asked
c.asked = c.now
local answer = { '0', '' }
if silent > ${MAX_SILENCE_MS} then
  if c.heard - silent - c.grace >= ${GRACE_MS} then c.silences = 0 end
  if c.silences < ${MAX_SILENCES} then
    c.silences, c.unheard, c.heard = c.silences + 1, c.unheard + silent, c.heard - silent
    c.grace = c.heard
    -- An epoch may have begun in a Redis whose clock is ahead, and this be the first who sees that.
    c.begun_at = math.min(c.begun_at, c.heard)
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
local to_come = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. int(c.heard), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
if to_come[1] then answer[2] = int(end_of(to_come[1], to_come[2]) - c.heard) end
return answer
`);

const GRACE = defineScript(`${LEASES_PRELUDE}
c.grace = c.heard
save()
return 1
`);

/** ARGV: cursor, how many. Answers the next cursor, then id and milliseconds left in turn. */
const REMAINING = defineScript(`${LEASES_PRELUDE}
local page = redis.call('ZSCAN', KEYS[3], ARGV[1], 'COUNT', ARGV[2])
local answer = { page[1] }
for i = 1, #page[2], 2 do
  answer[i + 1] = page[2][i]
  answer[i + 2] = int(math.max(0, end_of(page[2][i], page[2][i + 1]) - c.heard))
end
return answer
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
  readonly #clock: Clock;
  /** Changes that are yet to be sent: id and ms in turn. */
  #waiting: (string | number)[] = [];
  #next: Promise<void> | undefined;
  #underWay: Promise<unknown> = Promise.resolve();
  /** When the last of them were sent. */
  #sentAt = Number.NEGATIVE_INFINITY;
  /** Whether somebody among those who wait has no patience, and what tells those who had. */
  #isUrgent = false;
  #hurry: () => void = () => undefined;

  constructor(gate: LinkGate, clock: Clock) {
    this.#gate = gate;
    this.#clock = clock;
  }

  async renew(id: string, ttlMs: number, how?: 'patient'): Promise<void> {
    await this.#change(id, Math.ceil(ttlMs), how);
  }

  async drop(id: string): Promise<void> {
    await this.#change(id, '');
  }

  async expired(): Promise<Expired> {
    const [unheardMs, next, ...ids] = (await this.#run(EXPIRED, [])) as string[];
    const nextMs = next === '' ? Number.POSITIVE_INFINITY : Number(next);
    return { ids, unheardMs: Number(unheardMs), nextMs };
  }

  async grace(): Promise<void> {
    await this.#run(GRACE, []);
  }

  /** By parts: fifty thousand in one script would keep all writes waiting for a quarter of a second. */
  async remaining(): Promise<ReadonlyMap<string, number>> {
    const left = new Map<string, number>();
    let cursor = '0';
    do {
      const page = (await this.#run(REMAINING, [cursor, LEASES_AT_ONCE])) as string[];
      cursor = page[0] ?? '0';
      for (let i = 1; i + 1 < page.length; i += 2) left.set(page[i] ?? '', Number(page[i + 1]));
    } while (cursor !== '0');
    return left;
  }

  async left(id: string): Promise<number | undefined> {
    const leftMs = Number(await this.#run(LEFT, [id]));
    return leftMs < 0 ? undefined : leftMs;
  }

  /** What is asked for while others are on their way goes out together: a script costs more than a lease. */
  #change(id: string, ms: number | '', how?: 'patient'): Promise<void> {
    this.#waiting.push(id, ms);
    this.#next ??= this.#sendWhenDue();
    if (how === undefined) {
      this.#isUrgent = true;
      this.#hurry();
    }
    return this.#next;
  }

  async #sendWhenDue(): Promise<void> {
    await this.#underWay.catch(() => undefined);
    await this.#untilDue();
    const changes = this.#waiting;
    this.#waiting = [];
    this.#isUrgent = false;
    this.#sentAt = this.#clock.monotonic();
    // From here on it counts as sent: who comes now goes with the next.
    this.#underWay = this.#next ?? Promise.resolve();
    this.#next = undefined;
    for (let at = 0; at < changes.length; at += 2 * LEASES_AT_ONCE) {
      await this.#run(CHANGE, changes.slice(at, at + 2 * LEASES_AT_ONCE));
    }
  }

  async #untilDue(): Promise<void> {
    const waitMs = this.#sentAt + PATIENCE_MS - this.#clock.monotonic();
    if (this.#isUrgent || waitMs <= 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(waitMs, resolve);
      this.#hurry = () => {
        cancel();
        resolve();
      };
    });
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
