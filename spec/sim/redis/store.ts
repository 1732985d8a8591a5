/** What a Redis holds. */
import { RedisError } from './reply.ts';
import { formatId, Stream } from './stream.ts';

export type Value = string | Map<string, string> | ZSet | Stream;

export class ZSet extends Map<string, number> {}

interface Kept {
  value: Value;
  /** Milliseconds since 1970; undefined for one that stays. */
  expiresAt: number | undefined;
}

/** A write, as it is repeated elsewhere. */
export type Effect = readonly string[];

/** When one is repeated: nothing expires then, whatever the time is there. The master has told of that too. */
export const REPEATED = Number.NEGATIVE_INFINITY;

const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';

export class Store {
  readonly #keys = new Map<string, Kept>();
  /** A replica shows none of them, and removes none before its master says so. */
  keepsExpired = false;
  /** Told of every write that changed something. */
  onEffect: (effect: Effect) => void = () => undefined;
  /** Told of a key whose time was over, when somebody asked for it. */
  onExpired: (key: string) => void = () => undefined;

  find(key: string, now: number): Kept | undefined {
    const kept = this.#keys.get(key);
    if (kept?.expiresAt === undefined || kept.expiresAt > now) return kept;
    if (!this.keepsExpired) {
      this.#keys.delete(key);
      this.onEffect(['DEL', key]);
      this.onExpired(key);
    }
    return undefined;
  }

  deleteAll(keys: readonly string[], now: number): number {
    return keys.filter((key) => this.find(key, now) !== undefined && this.delete(key)).length;
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

  /** Commands that make another one hold the same; where keys have an end, a far one. */
  asWritten(): readonly Effect[] {
    return [...this.#keys].flatMap(([key, { value, expiresAt }]) => [
      ...written(key, value),
      ...(expiresAt === undefined ? [] : [['PEXPIRE', key, '1000000000']]),
    ]);
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

function written(key: string, value: Value): readonly Effect[] {
  if (typeof value === 'string') return [['SET', key, value]];
  if (isZSet(value)) {
    return [['ZADD', key, ...[...value].flatMap(([member, score]) => [String(score), member])]];
  }
  if (!isStream(value)) return [['HSET', key, ...[...value].flat()]];
  const adds = value.items.map((item) => ['XADD', key, formatId(item), ...item.fields]);
  // Which is one without any, too.
  const made =
    adds.length > 0
      ? adds
      : [
          ['XADD', key, '0-1', '', ''],
          ['XDEL', key, '0-1'],
        ];
  return [...made, ['XSETID', key, formatId(value.last)]];
}

function copyOf(value: Value): Value {
  if (typeof value === 'string') return value;
  if (isZSet(value)) return new ZSet(value);
  return isStream(value) ? value.copy() : new Map(value);
}

export function isZSet(value: Value): value is ZSet {
  return value instanceof ZSet;
}

export function isHash(value: Value): value is Map<string, string> {
  return value instanceof Map && !isZSet(value);
}

function isStream(value: Value): value is Stream {
  return value instanceof Stream;
}
