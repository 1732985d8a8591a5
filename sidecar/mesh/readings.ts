/** How programs may read a path: they decode it, tidy it up, or do not, and a rule counts for whatever they read. */
import { pathnameOf } from '../http/matching.ts';

const SUSPECT = /%|\\|;|\/\/|\/\./;
/** Proxies behind this one may decode it too, each once. */
const MAX_DECODED = 3;

/** The path as it stands, and what it may be taken for; with its query. */
export function readingsOf(path: string): readonly string[] {
  const pathname = pathnameOf(path);
  if (!SUSPECT.test(pathname)) return [path];
  const query = path.slice(pathname.length);
  const all = new Set<string>();
  let plain = pathname;
  for (let i = 0; i <= MAX_DECODED; i++) {
    for (const each of [plain, plain.replaceAll('\\', '/')]) tidied(each, all);
    const before = plain;
    plain = decoded(plain);
    if (plain === before) break;
  }
  return [...all].map((each) => `${each}${query}`);
}

/** With and without parameters (`/admin;x`, `/x;/../admin`), dots and empty parts. */
function tidied(path: string, all: Set<string>): void {
  for (const each of [path, path.replace(/;[^/]*/g, '')]) {
    const tidy = withoutDots(each);
    for (const reading of [each, tidy, withoutDots(tidy.replace(/\/+/g, '/'))]) all.add(reading);
  }
}

function decoded(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** RFC 3986, 5.2.4. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const parts = path.split('/').slice(1);
  for (const [i, part] of parts.entries()) {
    const isLast = i === parts.length - 1;
    if (part === '..') kept.pop();
    else if (part !== '.') kept.push(part);
    if (isLast && (part === '..' || part === '.')) kept.push('');
  }
  return `/${kept.join('/')}`;
}
