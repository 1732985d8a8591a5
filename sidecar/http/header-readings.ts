/**
 * What a header may be taken for. Who judges does not know how the program reads it: one of its values, or all as one, and
 * under names with other signs, which programs behind CGI and its like take for one. Found once for each request, however
 * many rules ask: fields cost whoever says them some bytes.
 */
import { type Fields, joinedAs } from './fields.ts';

/** Undefined is the value of a header that is not there. */
export type Value = string | undefined;

export interface Readings {
  readonly values: readonly Value[];
  /** What each value adds where it is one of a list, as many programs read one: `guest, x`. */
  readonly items: readonly string[];
  /** What it costs to look at all of them; 0 for what is said once. */
  readonly letters: number;
}

const NOWHERE: Readings = { values: [undefined], items: [], letters: 0 };
/** Of each beside its letters. */
const EACH = 8;

interface Field {
  readonly name: string;
  readonly value: string;
}

interface Heard {
  readonly byLike: ReadonlyMap<string, readonly Field[]>;
  readonly readings: Map<string, Readings>;
}

const heard = new WeakMap<Fields, Heard>();

/** `name`: in lower case. */
export function readingsOf(fields: Fields, name: string): Readings {
  const of = heard.get(fields) ?? heardIn(fields);
  const known = of.readings.get(name);
  if (known !== undefined) return known;
  const found = readingsIn(of.byLike.get(plain(name)) ?? [], name);
  of.readings.set(name, found);
  return found;
}

function heardIn(fields: Fields): Heard {
  const byLike = new Map<string, Field[]>();
  for (let i = 0; i < fields.length; i += 2) {
    const [name, value] = [fields[i] as string, fields[i + 1] as string];
    const like = plain(name);
    const known = byLike.get(like);
    if (known === undefined) byLike.set(like, [{ name, value }]);
    else known.push({ name, value });
  }
  const made = { byLike, readings: new Map() };
  heard.set(fields, made);
  return made;
}

function readingsIn(like: readonly Field[], name: string): Readings {
  if (like.length === 0) return NOWHERE;
  const all = like.map(({ value }) => value);
  const own = like.filter((each) => each.name === name).map(({ value }) => value);
  const values = [...new Set([joinedAs(name, own), ...all, all.join(', ')])];
  const items = all.filter((value) => value.includes(',')).flatMap(itemsIn);
  if (values.length + items.length === 1) return { values, items, letters: 0 };
  const letters = (sum: number, value: Value) => sum + EACH + (value?.length ?? 0);
  return { values, items, letters: [...values, ...items].reduce(letters, 0) };
}

function itemsIn(value: string): readonly string[] {
  return value.split(',').map((each) => each.trim());
}

const SIGNS = /[^a-z0-9-]/;

/** CGI has letters, figures and underscores in names, and servers differ in what they make of other signs. */
function plain(name: string): string {
  return SIGNS.test(name) ? name.replace(/[^a-z0-9]/g, '-') : name;
}

/** Whether another name may be taken for this one. */
export function likeName(name: string): (other: string) => boolean {
  const wanted = plain(name);
  return (other) => {
    if (other.length !== wanted.length) return false;
    for (let i = 0; i < wanted.length; i++) {
      const char = other[i] as string;
      if (char !== wanted[i] && (wanted[i] !== '-' || ALIKE.test(char))) return false;
    }
    return true;
  };
}

const ALIKE = /[a-z0-9]/;
