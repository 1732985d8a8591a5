/**
 * What both sides held when they agreed last, and what one of them was about to be given since: so what somebody
 * changed is told from what this wrote itself, and from what it had not written yet.
 */
import { createHash } from 'node:crypto';
import { listIn, numberIn, objectIn, textsIn } from '../api/shapes.ts';
import type { Contents } from './contents.ts';

export type Side = 'keys' | 'map';

export interface Known {
  /** The side that was about to be given the last of the values; undefined where both agreed. */
  readonly to: Side | undefined;
  /** What either side may hold without anybody else having written it, as digests: first what that side held before. */
  readonly values: readonly string[];
}

export interface Agreed {
  /** One more with each that is written: the store has gone back where it says less than was known. */
  readonly serial: number;
  /** By a digest of the name, which may be long: so all that a map can have finds room in one value. */
  readonly names: ReadonlyMap<string, Known>;
}

export const NOTHING_AGREED: Agreed = { serial: 0, names: new Map() };

/** Of a value that is not there. */
const ABSENT = '';
const NOT_THERE: Known = { to: undefined, values: [ABSENT] };
/** Of what was intended before, as much as may still be under way: an answer that never came. */
const MAX_EARLIER = 2;
/** So many more were not agreed on since a store was saved that is restored: what says so is nobody's count. */
const MAX_AHEAD = 2 ** 24;

export function knownOf({ names }: Agreed, name: string): Known {
  return names.get(digest(name)) ?? NOT_THERE;
}

export function isKnown({ values }: Known, value: string | undefined): boolean {
  return values.includes(digest(value));
}

/**
 * Whether a side holds what nobody has changed there since both agreed. What one side was about to be given is a change of the
 * other, until it is sure that it was given: of a map its annotation says so (`isGiven`).
 */
export function isUnchanged(
  { to, values }: Known,
  side: Side,
  value: string | undefined,
  isGiven: boolean,
): boolean {
  const said = digest(value);
  const next = values.at(-1);
  if (to === 'map' && isGiven) return said === next;
  if (to === undefined || to === side) return values.includes(said);
  return said === values[0] || (side === 'map' && said === next);
}

/** The side that was about to be given something held it before. */
export function wasBefore({ values }: Known, value: string | undefined): boolean {
  return values[0] === digest(value);
}

/** It was there once. */
export function wasThere({ values }: Known): boolean {
  return values.some((each) => each !== ABSENT);
}

export interface Sides {
  readonly keys: Contents;
  readonly map: Contents;
}

/** Once both sides hold what is wanted: of the names that are kept in step. */
export function agreedOf(wanted: Sides, isKept: (name: string) => boolean): Agreed['names'] {
  const same = [...wanted.map].filter(
    ([name, value]) => wanted.keys.get(name) === value && isKept(name),
  );
  return new Map(
    same.map(([name, value]) => [digest(name), { to: undefined, values: [digest(value)] }]),
  );
}

/** While both are on the way there: what each side holds and is about to be given is nobody else's change. */
export function intended(
  agreed: Agreed,
  is: Sides,
  wanted: Sides,
  isKept: (name: string) => boolean,
): Agreed['names'] {
  const names = new Set([is, wanted].flatMap(({ keys, map }) => [...keys.keys(), ...map.keys()]));
  const changes = [...names].flatMap((name): [string, Known][] => {
    const to = (['keys', 'map'] as const).find((s) => is[s].get(name) !== wanted[s].get(name));
    if (to === undefined) return [];
    const [now, next] = [digest(is[to].get(name)), digest(wanted[to].get(name))];
    const before = knownOf(agreed, name).values.filter((each) => each !== now && each !== next);
    return [[digest(name), { to, values: [now, ...before.slice(-MAX_EARLIER), next] }]];
  });
  return new Map([...agreedOf(wanted, isKept), ...changes]);
}

/** Of another prefix nothing was agreed. */
export function agreedIn(json: unknown, prefix: string): Agreed {
  const said = objectIn(json);
  if (said['Prefix'] !== prefix) return NOTHING_AGREED;
  const names = listIn(said['Names']).map((each): [string, Known] => {
    const [name = '', to, ...values] = textsIn(each);
    return [name, { to: to === 'keys' || to === 'map' ? to : undefined, values }];
  });
  return { serial: serialIn(said['Serial']), names: new Map(names) };
}

export function serialIn(said: unknown): number {
  const serial = numberIn(typeof said === 'string' ? Number(said) : said);
  return serial > 0 && Number.isSafeInteger(serial) ? serial : 0;
}

/** Whoever may write the map may write any number there: the store would count no further than the largest. */
export function isCredible(serial: number, { serial: agreed }: Agreed): boolean {
  return serial <= agreed + MAX_AHEAD;
}

/** Whether it says the same of all names. */
export function sameNames(a: Agreed['names'], b: Agreed['names']): boolean {
  return JSON.stringify(listed(a)) === JSON.stringify(listed(b));
}

export function agreedText({ serial, names }: Agreed, prefix: string): string {
  return JSON.stringify({ Prefix: prefix, Serial: serial, Names: listed(names) });
}

/** Names are in a list: somebody else gives them. */
function listed(names: Agreed['names']): readonly (readonly string[])[] {
  const sorted = [...names].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, { to = '', values }]) => [name, to, ...values]);
}

function digest(text: string | undefined): string {
  if (text === undefined) return ABSENT;
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
