/**
 * The commands that the product uses, on what a Redis holds. Every write is one that a replica or a file can
 * repeat: nothing in here reads a clock but what it is handed.
 */
import { Lacking, OK, RedisError, type Reply, Status } from './reply.ts';
import { isHash, isZSet, type Store, type Value, type ZSet } from './store.ts';
import { formatId, type StreamItem } from './stream.ts';

export const WRITES: ReadonlySet<string> = new Set(
  (
    'SET DEL UNLINK RENAME PEXPIRE PEXPIREAT PERSIST HSET HINCRBY HDEL ZADD ZREM ZREMRANGEBYRANK ' +
    'ZREMRANGEBYSCORE XADD XDEL XTRIM XSETID FLUSHALL'
  ).split(' '),
);
/** What a Redis that is full refuses. */
export const GROWS: ReadonlySet<string> = new Set('SET HSET HINCRBY ZADD XADD XSETID'.split(' '));
/** Those that are told on as another one. */
const TOLD_OTHERWISE = new Set(['PEXPIRE']);

/** Answers an error as a value; throws only what is Lacking. */
export function execute(store: Store, words: readonly string[], now: number): Reply {
  const [name = '', ...args] = words;
  const command = name.toUpperCase();
  const run = COMMANDS[command];
  if (run === undefined) throw new Lacking(`command ${name}`);
  try {
    const reply = run(store, args, now);
    if (!WRITES.has(command) || TOLD_OTHERWISE.has(command)) return reply;
    const isTold = command === 'SET' && option(args, 'PX') !== undefined;
    if (!isTold && reply !== null && !(reply instanceof RedisError)) {
      store.onEffect([command, ...args]);
    }
    return reply;
  } catch (error) {
    if (error instanceof RedisError) return error;
    throw error;
  }
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

function shown(rows: readonly (readonly [string, number])[], scored: boolean): Reply {
  return rows.flatMap(([member, score]) => (scored ? [member, String(score)] : [member]));
}

function items(found: readonly StreamItem[]): Reply {
  return found.map((item) => [formatId(item), [...item.fields]]);
}

/** Options that nobody has used so far do something here that a real one does not. */
function onlyOptions(command: string, args: readonly string[], known: readonly string[]): void {
  for (let i = 0; i < args.length; i++) {
    const word = args[i]?.toUpperCase() ?? '';
    if (!known.includes(word)) throw new Lacking(`${command} with ${args[i]}`);
    if (HAVE_VALUES.has(word)) i++;
  }
}

const HAVE_VALUES = new Set(['PX', 'PXAT', 'COUNT']);

/** Whether scores are to be told too. */
function withScores(command: string, rest: readonly string[]): boolean {
  onlyOptions(command, rest, ['WITHSCORES']);
  return rest.length > 0;
}

/** What `LIMIT` takes of rows, and the arguments that are no part of it. */
function pageIn(args: readonly string[]): {
  page: <T>(rows: readonly T[]) => readonly T[];
  more: readonly string[];
} {
  const at = args.findIndex((word) => word.toUpperCase() === 'LIMIT');
  if (at < 0) return { page: (rows) => rows, more: args };
  const [from, count] = args.slice(at + 1, at + 3).map(Number);
  if (from === undefined || !(from >= 0 && count !== undefined && count >= 0)) {
    throw new Lacking(`LIMIT ${args.slice(at + 1)}`);
  }
  return {
    page: (rows) => rows.slice(from, from + count),
    more: [...args.slice(0, at), ...args.slice(at + 3)],
  };
}

function pairsOf(command: string, flat: readonly string[]): [string, string][] {
  if (flat.length === 0 || flat.length % 2 !== 0) {
    throw new RedisError(`ERR wrong number of arguments for '${command}' command`);
  }
  const pairs: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i] ?? '', flat[i + 1] ?? '']);
  return pairs;
}

function scoreIn(text: string): number {
  const score = /^[-+]?(inf|\d+(\.\d+)?)$/i.test(text) ? scoreOf(text).at : Number.NaN;
  if (Number.isNaN(score)) throw new Lacking(`score ${text}`);
  return score;
}

/** What follows a word among the arguments. */
function option(args: readonly string[], word: string): string | undefined {
  const at = args.findIndex((each) => each.toUpperCase() === word);
  return at < 0 ? undefined : args[at + 1];
}

const COMMANDS: Readonly<Record<string, Run>> = {
  GET: (store, [key = ''], now) => store.text(key, now),
  SET: (store, [key = '', value = '', ...rest], now) => {
    onlyOptions('SET', rest, ['NX', 'PX', 'PXAT']);
    const flags = rest.map((each) => each.toUpperCase());
    if (flags.includes('NX') && store.find(key, now) !== undefined) return null;
    const ms = option(rest, 'PX');
    // A key's end is told on as a time of day: it means the same to whoever repeats it later.
    if (ms !== undefined) {
      return execute(store, ['SET', key, value, 'PXAT', String(now + Number(ms))], now);
    }
    const at = option(rest, 'PXAT');
    store.set(key, value, at === undefined ? undefined : Number(at));
    return OK;
  },
  DEL: (store, keys, now) => store.deleteAll(keys, now),
  UNLINK: (store, keys, now) => store.deleteAll(keys, now),
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
    execute(store, ['PEXPIREAT', key, String(now + Number(ms))], now),
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
    const fields = pairsOf('hset', pairs);
    const hash = store.hash(key, now, true);
    const before = hash.size;
    for (const [field, value] of fields) hash.set(field, value);
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
  HGETALL: (store, [key = ''], now) => {
    const all: string[] = [];
    for (const [field, value] of store.hash(key, now)) all.push(field, value);
    return all;
  },
  HDEL: (store, [key = '', ...fields], now) => {
    const hash = store.hash(key, now);
    const gone = fields.filter((field) => hash.delete(field)).length;
    store.tidy(key);
    return gone;
  },
  ZADD: (store, [key = '', ...pairs], now) => {
    scoreIn(pairs[0] ?? '');
    const scores = pairsOf('zadd', pairs).map(
      ([score, member]) => [member, scoreIn(score)] as const,
    );
    const zset = store.zset(key, now, true);
    const before = zset.size;
    for (const [member, score] of scores) zset.set(member, score);
    return zset.size - before;
  },
  ZREM: (store, [key = '', ...members], now) => {
    const zset = store.zset(key, now);
    const gone = members.filter((member) => zset.delete(member)).length;
    store.tidy(key);
    return gone;
  },
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
    return shown(rows.slice(Number(from), Math.max(0, end)), withScores('ZRANGE', rest));
  },
  /** All in one page. */
  ZSCAN: (store, [key = '', cursor, ...rest], now) => {
    onlyOptions('ZSCAN', rest, ['COUNT']);
    if (cursor !== '0') throw new Lacking(`ZSCAN from ${cursor}`);
    return ['0', shown(ranked(store.zset(key, now)), true)];
  },
  ZRANGEBYSCORE: (store, [key = '', min = '', max = '', ...rest], now) => {
    const isWithin = within(min, max);
    const rows = ranked(store.zset(key, now)).filter(([, score]) => isWithin(score));
    const { page, more } = pageIn(rest);
    return shown(page(rows), withScores('ZRANGEBYSCORE', more));
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
    if (!/^\d/.test(id)) throw new Lacking(`XADD of ${id}`);
    pairsOf('xadd', fields);
    const known = store.find(key, now) !== undefined;
    const stream = store.stream(key, now, true);
    try {
      return stream.add(id, fields);
    } catch (error) {
      if (!known) store.delete(key);
      throw error;
    }
  },
  XRANGE: (store, [key = '', from = '', to = '', ...rest], now) => {
    onlyOptions('XRANGE', rest, ['COUNT']);
    return items(store.stream(key, now).range(from, to, Number(option(rest, 'COUNT') ?? Infinity)));
  },
  XREVRANGE: (store, [key = '', from, to, ...rest], now) => {
    onlyOptions('XREVRANGE', rest, ['COUNT']);
    if (from !== '+' || to !== '-') throw new Lacking(`XREVRANGE of ${from} to ${to}`);
    return items(store.stream(key, now).reverse(Number(option(rest, 'COUNT') ?? Infinity)));
  },
  XDEL: (store, [key = '', ...ids], now) => store.stream(key, now).delete(ids),
  XLEN: (store, [key = ''], now) => store.stream(key, now).items.length,
  XTRIM: (store, [key = '', ...rest], now) => {
    const [what, how, least = '', ...more] = rest;
    if (what !== 'MINID' || how !== '=' || more.length > 0) throw new Lacking(`XTRIM ${rest}`);
    return store.stream(key, now).trimBefore(least);
  },
  XSETID: (store, [key = '', id = ''], now) => {
    if (store.find(key, now) === undefined) return new RedisError('ERR no such key');
    store.stream(key, now).setId(id);
    return OK;
  },
  XINFO: (store, [what, key = ''], now) => {
    if (what !== 'STREAM') throw new Lacking(`XINFO ${what}`);
    if (store.find(key, now) === undefined) return new RedisError('ERR no such key');
    const { items: all, last } = store.stream(key, now);
    return ['length', all.length, 'last-generated-id', formatId(last)];
  },
  FLUSHALL: (store) => {
    store.clear();
    return OK;
  },
};
