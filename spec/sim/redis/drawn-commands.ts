/** Commands drawn by chance, of those that the simulated Redis knows: on few keys, so that they meet. */
import type { Random } from '../../../lib/random.ts';

const KEYS = ['a', 'b', 'c', 'd'] as const;
const FIELDS = ['f', 'g', 'id', 'PX'] as const;
const NUMBERS = ['0', '1', '2', '10', '-1', '2000'] as const;
const BOUNDS = ['-inf', '+inf', '0', '(1', '2', '(10', '2000'] as const;
const PAGES = [
  ['LIMIT', '0', '1'],
  ['WITHSCORES', 'LIMIT', '1', '2'],
  ['LIMIT', '0', '0', 'WITHSCORES'],
] as const;
const IDS = ['1-0', '2-0', '3-0', '7-0', '12-0', '1048577-0'] as const;
const RANGES = ['-', '+', '(1-0', '2-0', '(3-0', '7-0', '9', '12-0'] as const;

type Draw = (one: <T>(all: readonly T[]) => T) => readonly string[];

const DRAWS: readonly Draw[] = [
  (one) => ['GET', one(KEYS)],
  (one) => ['SET', one(KEYS), one(FIELDS)],
  (one) => ['SET', one(KEYS), one(FIELDS), 'NX'],
  (one) => ['SET', one(KEYS), one(FIELDS), 'NX', 'PX', '9000000'],
  (one) => ['DEL', one(KEYS), one(KEYS)],
  (one) => ['UNLINK', one(KEYS)],
  (one) => ['RENAME', one(KEYS), one(KEYS)],
  (one) => ['TYPE', one(KEYS)],
  (one) => ['PEXPIRE', one(KEYS), '9000000'],
  (one) => ['PERSIST', one(KEYS)],
  (one) => ['HSET', one(KEYS), one(FIELDS), one(NUMBERS), one(FIELDS), one(NUMBERS)],
  (one) => ['HSET', one(KEYS), one(FIELDS)],
  (one) => ['HINCRBY', one(KEYS), one(FIELDS), one(NUMBERS)],
  (one) => ['HGET', one(KEYS), one(FIELDS)],
  (one) => ['HMGET', one(KEYS), one(FIELDS), one(FIELDS)],
  (one) => ['HGETALL', one(KEYS)],
  (one) => ['HLEN', one(KEYS)],
  (one) => ['HDEL', one(KEYS), one(FIELDS), one(FIELDS)],
  (one) => ['ZADD', one(KEYS), one(NUMBERS), one(FIELDS), one(NUMBERS), one(FIELDS)],
  (one) => ['ZREM', one(KEYS), one(FIELDS)],
  (one) => ['ZSCORE', one(KEYS), one(FIELDS)],
  (one) => ['ZMSCORE', one(KEYS), one(FIELDS), one(FIELDS)],
  (one) => ['ZRANGE', one(KEYS), one(['0', '1']), one(['0', '1', '-1', '-2']), 'WITHSCORES'],
  (one) => ['ZSCAN', one(KEYS), '0', 'COUNT', '5'],
  (one) => ['ZRANGEBYSCORE', one(KEYS), one(BOUNDS), one(BOUNDS)],
  (one) => ['ZRANGEBYSCORE', one(KEYS), one(BOUNDS), one(BOUNDS), 'WITHSCORES'],
  (one) => [...['ZRANGEBYSCORE', one(KEYS), one(BOUNDS), one(BOUNDS)], ...one(PAGES)],
  (one) => ['ZREMRANGEBYRANK', one(KEYS), one(['0', '1', '2']), one(['-3', '-1', '0', '1'])],
  (one) => ['ZREMRANGEBYSCORE', one(KEYS), one(BOUNDS), one(BOUNDS)],
  (one) => ['XADD', one(KEYS), one(IDS), one(FIELDS), one(NUMBERS)],
  (one) => ['XRANGE', one(KEYS), one(RANGES), one(RANGES)],
  (one) => ['XRANGE', one(KEYS), one(RANGES), one(RANGES), 'COUNT', one(['1', '2'])],
  (one) => ['XREVRANGE', one(KEYS), '+', '-', 'COUNT', '1'],
  (one) => ['XDEL', one(KEYS), one(IDS)],
  (one) => ['XTRIM', one(KEYS), 'MINID', '=', one(IDS)],
  (one) => ['XSETID', one(KEYS), one(IDS)],
  (one) => ['XINFO', 'STREAM', one(KEYS)],
];

export function drawnCommands(random: Random, count: number): readonly (readonly string[])[] {
  const one = <T>(all: readonly T[]): T => all[Math.floor(random.next() * all.length)] as T;
  return Array.from({ length: count }, () => one(DRAWS)(one));
}
