/** Whether a request is meant: what routes and intentions say of paths, headers, parameters and methods. */

import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { boundedPattern } from '../../lib/regexp.ts';
import { isPathHeader } from '../by-path.ts';
import { listIn, type Said, textIn, textsIn } from '../said.ts';
import { fieldIn } from './fields.ts';
import type { Head } from './head.ts';
import { readingsOf, type Value } from './header-readings.ts';
import { decoded } from './percent.ts';
import { lettered, meantBy } from './plain-path.ts';
import { Tried } from './tried.ts';

export type Asked = Pick<Head, 'method' | 'path' | 'authority' | 'fields'> &
  Partial<Pick<Head, 'upgrade' | 'length'>> & {
    /** The path as it came, where another one goes on. */
    readonly came?: string;
  };
export type Test = (asked: Asked) => boolean;

/** Of one pattern: it is tried for each request. */
const MAX_INSTRUCTIONS = 256;
export const ALWAYS: Test = () => true;

/** What follows for a request that is meant. */
export type Aim = 'route' | 'allow' | 'deny';

/** Both must hold: the one goes by a path and its query alone, the other by what else there is. */
export interface Tests {
  readonly byPath: Test;
  readonly byRest: Test;
}

/** Throws ProconsulError 'unavailable' for a pattern that cannot be had. */
export function testOf(http: Said): Test {
  const { byPath, byRest } = testsOf(http, 'route');
  return all([byPath, byRest].filter((test) => test !== ALWAYS));
}

/** Throws as `testOf` does. What the tests cost is added to `cost`. */
export function testsOf(http: Said, aim: Aim, cost = new Tried()): Tests {
  const headers = listIn(http['Header']);
  const testsIn = (some: readonly Said[]) => some.map((said) => headerTest(said, aim, cost));
  return {
    byPath: all([
      ...pathTests(http, aim, cost),
      ...testsIn(headers.filter(isPathHeader)),
      ...listIn(http['QueryParam']).map((said) => parameterTest(said, cost)),
    ]),
    byRest: all([
      ...methodTests(textsIn(http['Methods']), aim),
      ...testsIn(headers.filter((each) => !isPathHeader(each))),
    ]),
  };
}

function all(tests: readonly Test[]): Test {
  const [first] = tests;
  if (first === undefined) return ALWAYS;
  return tests.length === 1 ? first : (asked) => tests.every((test) => test(asked));
}

export function pathnameOf(path: string): string {
  const at = path.indexOf('?');
  return at < 0 ? path : path.slice(0, at);
}

function pathTests(http: Said, aim: Aim, cost: Tried): readonly Test[] {
  const isFolded = http['CaseInsensitive'] === true;
  const folded = (text: string) => (isFolded ? text.toLowerCase() : text);
  const at = ({ path }: Asked) => folded(pathnameOf(path));
  const exact = waysToWrite(textIn(http['PathExact']), aim, false).map(folded);
  const prefix = waysToWrite(textIn(http['PathPrefix']), aim, true).map(folded);
  const regex = textIn(http['PathRegex']);
  const tests: Test[] = [];
  if (exact[0]) tests.push((asked) => exact.includes(at(asked)));
  // Every path begins so.
  if (prefix[0] && prefix[0] !== '/')
    tests.push((asked) => prefix.some((each) => at(asked).startsWith(each)));
  if (regex !== '') {
    const whole = wholly(regex, 'path', cost);
    // In whatever case is said of the other two alone.
    tests.push(asItComes((path) => whole(pathnameOf(path)), aim));
  }
  return tests;
}

/**
 * Who judges looks at what the codes of a path stand for: so is a rule with codes about those. What is denied is denied
 * as the path that goes on is written too.
 */
function waysToWrite(rule: string, aim: Aim, isPrefix: boolean): readonly string[] {
  if (aim === 'route' || rule === '') return [rule];
  const ways = [rule, decoded(rule)];
  if (aim === 'deny') ways.push(...ways.map((each) => meantBy(each, isPrefix)));
  return [...new Set(ways)];
}

/**
 * What is denied as it may come, and no path goes on, is denied as it comes. Whether a rule is about that no look at a pattern
 * says: it is met, and would not be if there were letters in place of all that no path goes on with.
 */
function asItComes(met: (path: string) => boolean, aim: Aim): Test {
  if (aim !== 'deny') return ({ path }) => met(path);
  return ({ path, came = path }) => {
    if (met(path)) return true;
    if (came === path || !met(came)) return false;
    const pathname = pathnameOf(came);
    return !met(lettered(pathname) + came.slice(pathname.length));
  };
}

function methodTests(methods: readonly string[], aim: Aim): readonly Test[] {
  if (methods.length === 0) return [];
  const among = new Set(methods.map((each) => each.toUpperCase()));
  // Some programs take `delete` for the same.
  return [({ method }) => among.has(aim === 'deny' ? method.toUpperCase() : method)];
}

function headerTest(said: Said, aim: Aim, cost: Tried): Test {
  const name = textIn(said['Name']).toLowerCase();
  const met = valueMet(said, aim, cost);
  const own = BESIDE.get(name);
  // For a route all its values are one.
  if (own !== undefined || aim === 'route') {
    if (name === ':path' && said['Invert'] !== true) return asItComes(met, aim);
    const read = own ?? (({ fields }: Asked) => fieldIn(fields, name));
    return (asked) => met(read(asked));
  }
  // One of a list keeps a caller out, and lets nobody in: many headers have a comma in what is one value.
  const hasItems = (aim === 'deny') === (said['Invert'] !== true);
  return ({ fields }) => {
    const { values, items, letters } = readingsOf(fields, name);
    if (letters > 0) cost.add(letters);
    if (aim === 'allow') return values.every(met) && (!hasItems || items.every(met));
    return values.some(met) || (hasItems && items.some(met));
  };
}

function valueMet(said: Said, aim: Aim, cost: Tried): (value: Value) => boolean {
  const test = valueTest(said, said['IgnoreCase'] === true, 'header', cost);
  const isInverted = said['Invert'] === true;
  if (test === undefined) {
    const wanted = (said['Present'] === true) !== isInverted;
    return (value) => (value !== undefined) === wanted;
  }
  // As in Envoy a header that is not there has no value of which anything could be said, inverted or not. But what is
  // denied to all who do not say something is denied to whoever says nothing.
  const ifMissing = aim === 'deny' && isInverted;
  return (value) => (value === undefined ? ifMissing : test(value) !== isInverted);
}

const authority = (asked: Asked) => asked.authority;

/** Those that are beside the fields: of HTTP/2, and what is said of this way and known to its end. */
const BESIDE: ReadonlyMap<string, (asked: Asked) => Value> = new Map([
  [':method', ({ method }: Asked) => method],
  [':path', ({ path }) => path],
  [':authority', authority],
  ['host', authority],
  ['upgrade', ({ upgrade }) => upgrade || undefined],
  ['content-length', ({ length }) => (length ? String(length) : undefined)],
]);

function parameterTest(said: Said, cost: Tried): Test {
  const name = textIn(said['Name']);
  const test = valueTest(said, false, 'path', cost);
  return ({ path }) => {
    const value = parameterIn(path, name);
    return value !== undefined && (test === undefined || test(value));
  };
}

/** The first of that name, as it stands in the URL; undefined where there is none. */
export function parameterIn(path: string, name: string): string | undefined {
  const at = path.indexOf('?');
  if (at < 0) return undefined;
  for (const pair of path.slice(at + 1).split('&')) {
    const equals = pair.indexOf('=');
    if ((equals < 0 ? pair : pair.slice(0, equals)) !== name) continue;
    return equals < 0 ? '' : pair.slice(equals + 1);
  }
  return undefined;
}

/** Where the text is from on which a pattern is tried. */
type Kind = Parameters<Tried['takes']>[0];

/** Undefined where nothing is said of the value. */
function valueTest(
  said: Said,
  isFolded: boolean,
  kind: Kind,
  cost: Tried,
): ((value: string) => boolean) | undefined {
  const folded = (text: string) => (isFolded ? text.toLowerCase() : text);
  const wanted = (how: string) => folded(textIn(said[how]));
  const [exact, prefix, suffix] = [wanted('Exact'), wanted('Prefix'), wanted('Suffix')];
  const contains = wanted('Contains');
  if (exact !== '') return (value) => folded(value) === exact;
  if (prefix !== '') return (value) => folded(value).startsWith(prefix);
  if (suffix !== '') return (value) => folded(value).endsWith(suffix);
  if (contains !== '') return (value) => folded(value).includes(contains);
  const regex = textIn(said['Regex']);
  return regex === '' ? undefined : wholly(regex, kind, cost);
}

/** As in Envoy all of the text must be meant, and not a part of it. */
function wholly(pattern: string, kind: Kind, cost: Tried): (text: string) => boolean {
  try {
    const compiled = boundedPattern(`^(?:${pattern})$`, MAX_INSTRUCTIONS);
    cost.takes(kind);
    return (text) => {
      cost.add(text.length);
      return compiled.test(text);
    };
  } catch (error) {
    throw new ProconsulError('unavailable', `the pattern ${pattern}: ${messageOf(error)}`);
  }
}
