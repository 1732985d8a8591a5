/** How programs may read a path: they decode it, tidy it up, or do not, and a rule counts for whatever they read. */
import { pathnameOf } from '../http/matching.ts';

const SUSPECT = /%|\\|\/\/|\/\./;

/** The path as it stands, and what it may be taken for; with its query. */
export function readingsOf(path: string): readonly string[] {
  const pathname = pathnameOf(path);
  if (!SUSPECT.test(pathname)) return [path];
  const query = path.slice(pathname.length);
  const plain = pathname
    .replace(/%([0-9a-f]{2})/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
    .replaceAll('\\', '/');
  const tidy = withoutDots(plain);
  const all = [
    pathname,
    withoutDots(pathname),
    plain,
    tidy,
    withoutDots(tidy.replace(/\/+/g, '/')),
  ];
  return [...new Set(all)].map((each) => `${each}${query}`);
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
