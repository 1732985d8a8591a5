/**
 * How a configuration key is described: one row says all there is to say of it. What is read from
 * JSON, HCL and flags, the defaults and bounds, the report of keys without effect, the refusal of
 * those that ask for protection, /v1/agent/self and docs/configuration.md all follow from the rows.
 */
import type { Problems } from './problems.ts';

export type Tree = Readonly<Record<string, unknown>>;

/**
 * The kinds of a key. `tree` is a free object that is passed on as it stands, `trees` a list of them;
 * `newer` is a key of a later Consul: whatever its value, it is accepted, reported and dropped.
 */
export type Kind =
  | 'bool'
  | 'string'
  | 'int'
  | 'float'
  | 'duration'
  | 'strings'
  | 'map'
  | 'lists'
  | 'addresses'
  | 'tree'
  | 'trees'
  | 'newer';

/**
 * `none`: accepted, and reported at start where it says anything but the default. `moot`: what it
 * asks for is so anyway. `deprecated`: accepted with Consul's warning, and forgotten.
 */
export type Effect = 'works' | 'none' | 'moot' | 'refused' | 'deprecated';

export interface Row<K extends Kind = Kind, V = unknown> {
  readonly kind: K;
  /** What it does here, for people: in docs/configuration.md and, for a flag, in its help. */
  readonly does: string;
  /** The value where nobody says any; a duration's in milliseconds. */
  readonly default: V;
  /** The flag of `agent` that sets it too. */
  readonly flag?: string;
  /** Its name in /v1/agent/self's DebugConfig, with dots for what stands deeper. */
  readonly shown?: string;
  /** Never shown, whatever it is. */
  readonly secret?: true;
  readonly effect?: Effect;
  /** A reload takes it over; what else has changed waits for the next start. */
  readonly reloads?: true;
  /** Whether a value asks for what it would be refused for; else each that is not empty does. */
  asks?(value: V, given: Tree): boolean;
  /** Checks and completes a value that was given, and tells `problems` what is wrong with it. */
  rule?(value: V, path: string, problems: Problems): V;
}

/** A tree of keys; `[keys]` is a list of objects. */
export interface Keys {
  readonly [key: string]: Row | Keys | readonly [Keys];
}

interface ByKind {
  bool: boolean;
  string: string;
  int: number;
  float: number;
  duration: string;
  strings: readonly string[];
  map: Readonly<Record<string, string>>;
  lists: Readonly<Record<string, readonly string[]>>;
  addresses: Readonly<Record<string, { readonly address?: string; readonly port?: number }>>;
  tree: Tree;
  trees: readonly Tree[];
  newer: never;
}

/** What is read under the keys K: each may be missing, and durations are still text. */
export type Decoded<K> =
  K extends Row<infer R>
    ? ByKind[R]
    : K extends readonly [infer Item]
      ? readonly Decoded<Item>[]
      : { readonly [Key in keyof K]?: Decoded<K[Key]> };

/** The same with defaults filled in and bounds kept; durations are milliseconds. */
export type Settled<K> =
  K extends Row<Kind, infer V>
    ? V
    : K extends readonly [infer Item]
      ? readonly Decoded<Item>[]
      : { readonly [Key in keyof K]: Settled<K[Key]> };

export function isRow(value: Keys[string]): value is Row {
  return 'kind' in value && typeof value.kind === 'string';
}

export function isList(value: Keys[string]): value is readonly [Keys] {
  return Array.isArray(value);
}

/** What a row may say beside its kind. */
export type More<V> = Partial<Omit<Row<Kind, V>, 'kind' | 'does'>>;

/** One function a kind: what it does, and whatever else is to be said. */
export const bool = (does = '', more: More<boolean> = {}) => row('bool', does, false, more);
export const text = (does = '', more: More<string> = {}) => row('string', does, '', more);
export const int = (does = '', more: More<number> = {}) => row('int', does, 0, more);
export const float = (does = '', more: More<number> = {}) => row('float', does, 0, more);
export const duration = (does = '', more: More<number> = {}) => row('duration', does, 0, more);
export const strings = (does = '', more: More<readonly string[]> = {}) =>
  row('strings', does, [] as readonly string[], more);
export const map = (does = '', more: More<ByKind['map']> = {}) =>
  row('map', does, {} as ByKind['map'], more);
export const tree = (does = '', more: More<Tree> = {}) => row('tree', does, {} as Tree, more);
export const trees = (does = '', more: More<readonly Tree[]> = {}) =>
  row('trees', does, [] as readonly Tree[], more);
export const lists = (does = '') => row('lists', does, {} as ByKind['lists'], {});
export const addresses = (does = '') => row('addresses', does, {} as ByKind['addresses'], {});

function row<K extends Kind, V>(kind: K, does: string, fallback: V, more: More<V>): Row<K, V> {
  return { kind, does, default: fallback, ...more };
}

/** A key whose absence means something of its own. */
export function optional<K extends Kind, V>(of: Row<K, V>): Row<K, V | undefined> {
  const { rule, ...rest } = of;
  const ruled = rule && {
    rule: (value: V | undefined, path: string, problems: Problems) =>
      value === undefined ? value : rule(value, path, problems),
  };
  return { ...(rest as Row<K, V | undefined>), default: undefined, ...ruled };
}

/** A text that must be one of these; the first is the default. */
export function choice<T extends string>(
  does: string,
  among: readonly [T, ...T[]],
  more: More<T> = {},
): Row<'string', T> {
  const rule = (value: T, path: string, problems: Problems): T => {
    if (value === '' || among.includes(value)) return value || among[0];
    const list = among.map((each) => JSON.stringify(each)).join(', ');
    problems.refuse(`${path} cannot be ${JSON.stringify(value)}. Must be one of ${list}`);
    return among[0];
  };
  return { kind: 'string', does, default: among[0], rule, ...more };
}

/** Keys that only a later Consul knows. */
export function newer<K extends string>(
  ...keys: readonly K[]
): { [Key in K]: Row<'newer', undefined> } {
  const entries = keys.map((key) => [key, row('newer', 'a later Consul’s', undefined, {})]);
  return Object.fromEntries(entries);
}

/** These are accepted for the sake of files written for Consul, and do nothing: that is why. */
export function noEffect<K extends Keys>(why: string, keys: K): K {
  return marked(keys, { effect: 'none', does: `nothing: ${why}` });
}

/** These ask for a protection that is not built: who sets them must not believe that they have it. */
export function refused<K extends Keys>(what: string, keys: K): K {
  return marked(keys, { effect: 'refused', does: what });
}

/** A reload takes all of these over, as far as they do anything. */
export function reloaded<K extends Keys>(keys: K): K {
  const entries = Object.entries(keys).map(([key, value]) => {
    if (isList(value)) return [key, value];
    if (!isRow(value)) return [key, reloaded(value)];
    return [key, (value.effect ?? 'works') === 'works' ? { ...value, reloads: true } : value];
  });
  return Object.fromEntries(entries);
}

function marked<K extends Keys>(keys: K, marks: Pick<Row, 'effect' | 'does'>): K {
  const entries = Object.entries(keys).map(([key, value]) => {
    if (isList(value)) return [key, [marked(value[0], marks)]];
    if (!isRow(value)) return [key, marked(value, marks)];
    return [
      key,
      value.effect === undefined && value.kind !== 'newer' ? { ...value, ...marks } : value,
    ];
  });
  return Object.fromEntries(entries);
}

/** For a row's `rule`: the bound and everything above it. */
export function atLeast(min: number): (value: number, path: string, problems: Problems) => number {
  return (value, path, problems) => {
    if (value >= min) return value;
    const bound = min === 0 ? 'zero' : String(min);
    problems.refuse(`${path} cannot be ${value}. Must be greater than or equal to ${bound}`);
    return min;
  };
}

/** For a row's `rule`: both bounds, and what is between them. */
export function between(
  min: number,
  max: number,
): (value: number, path: string, problems: Problems) => number {
  const low = atLeast(min);
  return (value, path, problems) => {
    if (value <= max) return low(value, path, problems);
    problems.refuse(`${path} cannot be ${value}. Must be less than or equal to ${max}`);
    return max;
  };
}

/** Calls back with every row under the keys and its path; lists of objects are left out. */
export function eachRow(keys: Keys, visit: (path: string, row: Row) => void, under = ''): void {
  for (const [key, value] of Object.entries(keys)) {
    const path = under === '' ? key : `${under}.${key}`;
    if (isList(value)) continue;
    if (isRow(value)) visit(path, value);
    else eachRow(value, visit, path);
  }
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at a path with dots. */
export function valueAt(tree: Tree, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (isTree(value) ? value[key] : undefined), tree);
}
