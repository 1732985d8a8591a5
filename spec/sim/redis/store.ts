/** What a Redis holds, and the commands on it that the product uses. Every write is one that a
 * replica or a file can repeat: nothing in here reads a clock but what it is handed. */
import { OK, RedisError, type Reply, Status } from './reply.ts';
import { formatId, Stream, type StreamItem } from './stream.ts';

type Value = string | Map<string, string> | ZSet | Stream;

export class ZSet extends Map<string, number> {}

interface Kept {
  value: Value;
  /** Milliseconds since 1970; undefined for one that stays. */
  expiresAt: number | undefined;
}

/** A write, as it is repeated elsewhere. */
export type Effect = readonly string[];

const WRITES = new Set(
  (
    'SET DEL UNLINK RENAME PEXPIREAT PERSIST HSET HINCRBY HDEL ZADD ZREM ZREMRANGEBYRANK ' +
    'ZREMRANGEBYSCORE XADD XDEL XTRIM XSETID FLUSHALL'
  ).split(' '),
);
/** What a Redis that is full refuses. */
const GROWS = new Set('SET HSET HINCRBY ZADD XADD'.split(' '));

const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';

export class Store {
  readonly #keys = new Map<string, Kept>();
  /** Whether it refuses what needs room. */
  full = false;
  /** Told of every write that changed something. */
  onEffect: (effect: Effect) => void = () => undefined;

  /** Answers an error as a value; throws nothing. */
  execute(words: readonly string[], now: number): Reply {
    const [name = '', ...args] = words;
    const command = name.toUpperCase();
    const run = COMMANDS[command];
    if (run === undefined) return new RedisError(`ERR unknown command '${name}'`);
    if (this.full && GROWS.has(command)) {
      return new RedisError("OOM command not allowed when used memory > 'maxmemory'.");
    }
    try {
      const reply = run(this, args, now);
      if (WRITES.has(command) && option(args, 'PX') === undefined) {
        this.onEffect([command, ...args]);
      }
      return reply;
    } catch (error) {
      if (error instanceof RedisError) return error;
      throw error;
    }
  }

  find(key: string, now: number): Kept | undefined {
    const kept = this.#keys.get(key);
    if (kept?.expiresAt === undefined || kept.expiresAt > now) return kept;
    this.#keys.delete(key);
    return undefined;
  }

  set(key: string, value: Value, expiresAt?: number): void {
    this.#keys.set(key, { value, expiresAt });
  }

  delete(key: string): boolean {
    return this.#keys.delete(key);
  }

  clear(): void {
    this.#keys.clear();
  }

  /** Another one that holds the same. */
  copy(): Store {
    const copy = new Store();
    for (const [key, { value, expiresAt }] of this.#keys) copy.set(key, copyOf(value), expiresAt);
    return copy;
  }

  /** The keys that stay until someone deletes them. */
  get keysForEver(): string[] {
    return [...this.#keys].filter(([, { expiresAt }]) => expiresAt === undefined).map(([k]) => k);
  }

  hash(key: string, now: number, make = false): Map<string, string> {
    return this.#of(key, now, make, () => new Map<string, string>(), isHash);
  }

  zset(key: string, now: number, make = false): ZSet {
    return this.#of(key, now, make, () => new ZSet(), isZSet);
  }

  stream(key: string, now: number, make = false): Stream {
    return this.#of(key, now, make, () => new Stream(), isStream);
  }

  text(key: string, now: number): string | null {
    const value = this.find(key, now)?.value;
    if (value === undefined) return null;
    if (typeof value !== 'string') throw new RedisError(WRONG_TYPE);
    return value;
  }

  /** An empty one goes, as Redis's do; a stream stays. */
  tidy(key: string): void {
    const value = this.#keys.get(key)?.value;
    if (value instanceof Map && value.size === 0) this.#keys.delete(key);
  }

  #of<T extends Value>(
    key: string,
    now: number,
    make: boolean,
    create: () => T,
    is: (value: Value) => value is T,
  ): T {
    const kept = this.find(key, now);
    if (kept === undefined) {
      const value = create();
      if (make) this.set(key, value);
      return value;
    }
    if (!is(kept.value)) throw new RedisError(WRONG_TYPE);
    return kept.value;
  }
}

function copyOf(value: Value): Value {
  if (typeof value === 'string') return value;
  if (isZSet(value)) return new ZSet(value);
  return isStream(value) ? value.copy() : new Map(value);
}

function isZSet(value: Value): value is ZSet {
  return value instanceof ZSet;
}

function isHash(value: Value): value is Map<string, string> {
  return value instanceof Map && !isZSet(value);
}

function isStream(value: Value): value is Stream {
  return value instanceof Stream;
}

type Run = (store: Store, args: readonly string[], now: number) => Reply;

function typeOf(value: Value | undefined): string {
  if (value === undefined) return 'none';
  if (typeof value === 'string') return 'string';
  if (isZSet(value)) return 'zset';
  return isHash(value) ? 'hash' : 'stream';
}

/** [member, score] by score, then by name. */
function ranked(zset: ZSet): [string, number][] {
  return [...zset].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
}

function within(min: string, max: string): (score: number) => boolean {
  const low = scoreOf(min);
  const high = scoreOf(max);
  return (score) =>
    (low.open ? score > low.at : score >= low.at) &&
    (high.open ? score < high.at : score <= high.at);
}

function scoreOf(text: string): { at: number; open: boolean } {
  const open = text.startsWith('(');
  const digits = open ? text.slice(1) : text;
  if (digits === '-inf') return { at: Number.NEGATIVE_INFINITY, open };
  return { at: digits === '+inf' ? Number.POSITIVE_INFINITY : Number(digits), open };
}

function shown(rows: readonly (readonly [string, number])[], withScores: boolean): Reply {
  return rows.flatMap(([member, score]) => (withScores ? [member, String(score)] : [member]));
}

function items(found: readonly StreamItem[]): Reply {
  return found.map((item) => [formatId(item), [...item.fields]]);
}

/** What follows a word among the arguments. */
function option(args: readonly string[], word: string): string | undefined {
  const at = args.findIndex((each) => each.toUpperCase() === word);
  return at < 0 ? undefined : args[at + 1];
}

const COMMANDS: Readonly<Record<string, Run>> = {
  GET: (store, [key = ''], now) => store.text(key, now),
  SET: (store, [key = '', value = '', ...rest], now) => {
    const flags = rest.map((each) => each.toUpperCase());
    if (flags.includes('NX') && store.find(key, now) !== undefined) return null;
    const ms = option(rest, 'PX');
    // A key's end is told on as a time of day: it means the same to whoever repeats it later.
    if (ms !== undefined) {
      return store.execute(['SET', key, value, 'PXAT', String(now + Number(ms))], now);
    }
    const at = option(rest, 'PXAT');
    store.set(key, value, at === undefined ? undefined : Number(at));
    return OK;
  },
  DEL: (store, keys) => keys.filter((key) => store.delete(key)).length,
  UNLINK: (store, keys) => keys.filter((key) => store.delete(key)).length,
  RENAME: (store, [from = '', to = ''], now) => {
    const kept = store.find(from, now);
    if (kept === undefined) return new RedisError('ERR no such key');
    store.delete(from);
    store.set(to, kept.value, kept.expiresAt);
    return OK;
  },
  HLEN: (store, [key = ''], now) => store.hash(key, now).size,
  TYPE: (store, [key = ''], now) => new Status(typeOf(store.find(key, now)?.value)),
  PEXPIRE: (store, [key = '', ms], now) =>
    store.execute(['PEXPIREAT', key, String(now + Number(ms))], now),
  PEXPIREAT: (store, [key = '', at], now) => {
    const kept = store.find(key, now);
    if (kept !== undefined) kept.expiresAt = Number(at);
    return kept === undefined ? 0 : 1;
  },
  PERSIST: (store, [key = ''], now) => {
    const kept = store.find(key, now);
    if (kept?.expiresAt === undefined) return 0;
    kept.expiresAt = undefined;
    return 1;
  },
  PTTL: (store, [key = ''], now) => {
    const kept = store.find(key, now);
    if (kept === undefined) return -2;
    return kept.expiresAt === undefined ? -1 : kept.expiresAt - now;
  },
  HSET: (store, [key = '', ...pairs], now) => {
    const hash = store.hash(key, now, true);
    const before = hash.size;
    for (let i = 0; i < pairs.length; i += 2) hash.set(pairs[i] ?? '', pairs[i + 1] ?? '');
    return hash.size - before;
  },
  HINCRBY: (store, [key = '', field = '', by], now) => {
    const hash = store.hash(key, now, true);
    const value = Number(hash.get(field) ?? 0) + Number(by);
    hash.set(field, String(value));
    return value;
  },
  HGET: (store, [key = '', field = ''], now) => store.hash(key, now).get(field) ?? null,
  HMGET: (store, [key = '', ...fields], now) => {
    const hash = store.hash(key, now);
    return fields.map((field) => hash.get(field) ?? null);
  },
  HGETALL: (store, [key = ''], now) => [...store.hash(key, now)].flat(),
  HDEL: (store, [key = '', ...fields], now) => {
    const hash = store.hash(key, now);
    const gone = fields.filter((field) => hash.delete(field)).length;
    store.tidy(key);
    return gone;
  },
  ZADD: (store, [key = '', ...pairs], now) => {
    const zset = store.zset(key, now, true);
    const before = zset.size;
    for (let i = 0; i < pairs.length; i += 2) zset.set(pairs[i + 1] ?? '', Number(pairs[i]));
    return zset.size - before;
  },
  ZREM: (store, [key = '', ...members], now) => {
    const zset = store.zset(key, now);
    const gone = members.filter((member) => zset.delete(member)).length;
    store.tidy(key);
    return gone;
  },
  ZCARD: (store, [key = ''], now) => store.zset(key, now).size,
  ZSCORE: (store, [key = '', member = ''], now) => {
    const score = store.zset(key, now).get(member);
    return score === undefined ? null : String(score);
  },
  ZMSCORE: (store, [key = '', ...members], now) => {
    const zset = store.zset(key, now);
    return members.map((member) => zset.get(member)?.toString() ?? null);
  },
  ZRANGE: (store, [key = '', from, to, ...rest], now) => {
    const rows = ranked(store.zset(key, now));
    const end = Number(to) < 0 ? rows.length + Number(to) + 1 : Number(to) + 1;
    return shown(rows.slice(Number(from), end), rest.length > 0);
  },
  /** All in one page. */
  ZSCAN: (store, [key = ''], now) => ['0', shown(ranked(store.zset(key, now)), true)],
  ZRANGEBYSCORE: (store, [key = '', min = '', max = '', ...rest], now) => {
    const isWithin = within(min, max);
    const rows = ranked(store.zset(key, now)).filter(([, score]) => isWithin(score));
    return shown(rows, rest.length > 0);
  },
  ZREMRANGEBYRANK: (store, [key = '', from, to], now) => {
    const zset = store.zset(key, now);
    const end = Number(to) < 0 ? zset.size + Number(to) + 1 : Number(to) + 1;
    if (end <= Number(from)) return 0;
    const gone = ranked(zset).slice(Number(from), end);
    for (const [member] of gone) zset.delete(member);
    store.tidy(key);
    return gone.length;
  },
  ZREMRANGEBYSCORE: (store, [key = '', min = '', max = ''], now) => {
    const zset = store.zset(key, now);
    const isWithin = within(min, max);
    const gone = [...zset].filter(([, score]) => isWithin(score));
    for (const [member] of gone) zset.delete(member);
    store.tidy(key);
    return gone.length;
  },
  XADD: (store, [key = '', id = '', ...fields], now) => {
    const known = store.find(key, now) !== undefined;
    const stream = store.stream(key, now, true);
    try {
      return stream.add(id, fields);
    } catch (error) {
      if (!known) store.delete(key);
      throw error;
    }
  },
  XRANGE: (store, [key = '', from = '', to = '', ...rest], now) =>
    items(store.stream(key, now).range(from, to, Number(option(rest, 'COUNT') ?? Infinity))),
  XREVRANGE: (store, [key = '', , , ...rest], now) =>
    items(store.stream(key, now).reverse(Number(option(rest, 'COUNT') ?? Infinity))),
  XDEL: (store, [key = '', ...ids], now) => store.stream(key, now).delete(ids),
  XLEN: (store, [key = ''], now) => store.stream(key, now).items.length,
  XTRIM: (store, [key = '', ...rest], now) => {
    const least = rest.at(-1) ?? '';
    return store.stream(key, now).trimBefore(least);
  },
  XSETID: (store, [key = '', id = ''], now) => {
    if (store.find(key, now) === undefined) return new RedisError('ERR no such key');
    store.stream(key, now).setId(id);
    return OK;
  },
  XINFO: (store, [, key = ''], now) => {
    if (store.find(key, now) === undefined) return new RedisError('ERR no such key');
    const { items: all, last } = store.stream(key, now);
    return ['length', all.length, 'last-generated-id', formatId(last)];
  },
  FLUSHALL: (store) => {
    store.clear();
    return OK;
  },
};
