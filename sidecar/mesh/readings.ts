/**
 * Of a path that permissions go by, the one that is judged is the one that goes on: written as Envoys write it that are told
 * to by `xds/resources/normal-requests.ts`. Programs may still decode it, or leave parameters away, once and again in
 * whatever order; a rule counts for all that comes of that. What could lead anywhere else by then does not go on at all.
 */
import { pathnameOf } from '../http/matching.ts';
import { decoded, decodedStructure, decodedUnreserved } from '../http/percent.ts';
import { merged, withoutDots } from '../http/plain-path.ts';
import { Tried } from '../http/tried.ts';

export interface ReadPath {
  /** With its query. */
  readonly path: string;
  /** All that it may be taken for, itself first; each with its query. How it came is nobody's affair behind this. */
  readonly readings: readonly string[];
}

const SUSPECT = /[%\\;\x80-\xff]|\/\/|\/\./;
/** Programs take it for no code, for one of their own, or for none at all. */
const BROKEN = /%(?![0-9a-f]{2})/i;

/** Of all that one path may be taken for, together: whoever wants to hold others up writes one that is many. */
const MAX_LETTERS = 16_384;
/** With the query of each. */
const MAX_WHOLE_LETTERS = 131_072;

/** Undefined for what goes on in no way: it may be read in two, or in too many. */
export function readPath(path: string, cost = new Tried()): ReadPath | undefined {
  const pathname = pathnameOf(path);
  if (!SUSPECT.test(pathname)) return { path, readings: [path] };
  const query = path.slice(pathname.length);
  if (BROKEN.test(pathname)) return undefined;
  const canonical = canonicalOf(pathname);
  const found = readingsOf(canonical, cost);
  if (found === undefined || found.length * path.length > MAX_WHOLE_LETTERS) return undefined;
  return { path: canonical + query, readings: found.map((each) => each + query) };
}

/** In the order of Envoy: slashes that are codes become ones, then come dots, and what is empty between slashes last. */
function canonicalOf(pathname: string): string {
  const slashed = pathname.replace(/%2f|%5c|\\/gi, '/');
  return merged(withoutDots(decodedUnreserved(slashed)));
}

/** What programs may do with it. Slashes and dots that matter are gone: one that comes of these makes it unclear. */
const STEPS: readonly ((path: string) => string)[] = [
  decoded,
  decodedStructure,
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => path.replace(/[?#].*$/s, ''),
  (path) => path.trimEnd(),
  asText,
];

/**
 * A part that is empty or dots, a backslash, what ends a text or a line, a code that only some know, and UTF-8 that is
 * longer than it has to be: of it careless programs make any character.
 */
const UNCLEAR =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
  /\/\.{0,2}\/|\/\.{1,2}$|[\0-\x1f\x7f\\]|%u[0-9a-f]{4}|[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}/i;

/** All that comes of the steps, in whatever order, as often as they are taken. */
function readingsOf(canonical: string, cost: Tried): readonly string[] | undefined {
  const all = new Set([canonical]);
  let letters = 0;
  // Those that are added come too.
  for (const each of all) {
    letters += each.length;
    cost.add(each.length);
    if (letters > MAX_LETTERS || UNCLEAR.test(each)) return undefined;
    for (const step of STEPS) all.add(step(each));
  }
  return [...all];
}

/** Bytes as the text that rules are written in, where they are one. */
function asText(path: string): string {
  if (!/[\x80-\xff]/.test(path) || /[^\0-\xff]/.test(path)) return path;
  const text = Buffer.from(path, 'latin1').toString();
  return text.includes('\ufffd') ? path : text;
}
