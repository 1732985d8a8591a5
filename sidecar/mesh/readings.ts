/** How programs may read a path: they decode it, tidy it up, or do not, and a rule counts for whatever they read. */
import { pathnameOf } from '../http/matching.ts';

const SUSPECT = /%|\\|;|\/\/|\/\./;
/** Proxies behind this one may decode it too, each once. */
const MAX_DECODED = 3;

/** Of all that one path may be taken for, together: whoever wants to hold others up writes one that is many. */
const MAX_LETTERS = 16_384;
/** With the query of each. */
const MAX_WHOLE_LETTERS = 131_072;

/** The path as it stands, and what it may be taken for; with its query. Undefined where that is too much to look at. */
export function readingsOf(path: string): readonly string[] | undefined {
  const pathname = pathnameOf(path);
  if (!SUSPECT.test(pathname)) return [path];
  const query = path.slice(pathname.length);
  const all = new Set<string>();
  let [plain, letters] = [pathname, 0];
  for (let i = 0; i <= MAX_DECODED; i++) {
    for (const each of tidied(plain)) {
      if (!all.has(each)) letters += each.length;
      if (letters > MAX_LETTERS) return undefined;
      all.add(each);
    }
    const before = plain;
    plain = decoded(plain);
    if (plain === before) break;
  }
  if (all.size * path.length > MAX_WHOLE_LETTERS) return undefined;
  return [...all].map((each) => `${each}${query}`);
}

/** With and without backslashes, parameters (`/admin;x`, `/x;/../admin`), dots and empty parts. */
function* tidied(path: string): Iterable<string> {
  for (const slashed of variants(path, path.replaceAll('\\', '/'))) {
    for (const each of variants(slashed, slashed.replace(/;[^/]*/g, ''))) {
      yield each;
      const tidy = withoutDots(each);
      yield tidy;
      yield withoutDots(tidy.replace(/\/+/g, '/'));
    }
  }
}

function variants(one: string, other: string): readonly string[] {
  return one === other ? [one] : [one, other];
}

function decoded(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** RFC 3986, 5.2.4. */
function withoutDots(path: string): string {
  if (!path.includes('/.')) return path;
  const kept: string[] = [];
  const [, ...parts] = path.split('/');
  for (const part of parts) {
    if (part === '..') kept.pop();
    else if (part !== '.') kept.push(part);
  }
  const last = parts.at(-1);
  if (last === '..' || last === '.') kept.push('');
  return `/${kept.join('/')}`;
}
