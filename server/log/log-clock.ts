/**
 * The log's time, which is what lock-delays are judged by. It never goes back. Where the machine's
 * clock does, and stands behind it, it goes on at half the pace of real time until that has caught
 * up: a delay takes twice as long then, rather than as long as the clock was wrong, and the log is
 * ahead of all clocks for twice as long as they were set back by, at most.
 */
import type { Clock } from '../../lib/clock.ts';

const PACE = 0.5;

export class LogClock {
  readonly #clock: Clock;
  /** A time of the log, and when it was that by the clock that never goes back. */
  #from: { readonly t: number; readonly at: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The time of an entry that is written now, after one of the time `t`. */
  after(t: number): number {
    const now = this.#clock.now();
    const at = this.#clock.monotonic();
    this.#from ??= { t, at };
    const own = Math.max(t, this.#from.t + Math.floor((at - this.#from.at) * PACE));
    if (now < own) return own;
    this.#from = { t: now, at };
    return now;
  }
}

/**
 * The same for a script of Redis, which has no clock but the machine's: real time is what that has
 * gone on by since it was first seen behind. KEYS[1] is the meta record.
 */
export const LOG_TIME = `
local function log_time(t, now)
  local v = redis.call('HMGET', KEYS[1], 'late_t', 'late_at')
  local from, at = tonumber(v[1] or t), tonumber(v[2] or now)
  if now < at then from, at = t, now end
  local own = math.max(t, from + math.floor((now - at) * ${PACE}))
  if now >= own then
    if v[1] then redis.call('HDEL', KEYS[1], 'late_t', 'late_at') end
    return now
  end
  -- A full Redis takes no entry either.
  redis.pcall('HSET', KEYS[1], 'late_t', string.format('%d', from), 'late_at', string.format('%d', at))
  return own
end
`;
