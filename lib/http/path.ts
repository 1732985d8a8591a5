import { ProconsulError } from '../errors.ts';

/** The part of a request target that names something here: a proxy's client sends a whole URL. */
export function localTarget(target: string): string {
  const local = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?]*(?=\/)/i, '');
  if (!local.startsWith('/')) throw new ProconsulError('invalid', 'Bad Request: no path');
  return local;
}

/** Path and query string of a request target; the path percent-decoded once, and no more. */
export function splitTarget(target: string): { path: string; query: string } {
  const local = localTarget(target);
  const mark = local.indexOf('?');
  const raw = mark < 0 ? local : local.slice(0, mark);
  const query = mark < 0 ? '' : local.slice(mark + 1);
  refuseBroken(query);
  return { path: decodePath(raw), query };
}

/** A parameter that cannot be read must not be as if it were not there: it may be a condition. */
export function refuseBroken(query: string): void {
  if (!BROKEN_ENCODING.test(query)) return;
  throw new ProconsulError('invalid', 'Bad Request: invalid percent-encoding in the query');
}

const BROKEN_ENCODING = /%(?![\da-f]{2})/i;

/** Control characters, spaces but the plain one, and the like: Consul takes no path with them. */
export function isPrintable(path: string): boolean {
  return /^[ -~]*$/.test(path) || !/\p{C}|[^\P{Z} ]/u.test(path);
}

function decodePath(raw: string): string {
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch (cause) {
    throw new ProconsulError('invalid', 'Bad Request: invalid percent-encoding', { cause });
  }
}

/**
 * Where Go's ServeMux would send this path: without empty, '.' and '..' segments. The same path
 * when there are none, which is nearly always.
 */
export function cleanPath(path: string): string {
  if (!/\/\.{0,2}(?=\/)|\/\.{1,2}$/.test(path)) return path;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const clean = `/${kept.join('/')}`;
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

/** A path as it may stand in a Location header. */
export function encodePath(path: string): string {
  return encodeURI(path).replace(/[?#]/g, encodeURIComponent);
}

/**
 * The head of a request whose target holds bytes that are no ASCII, with those percent-encoded:
 * Go's server takes them as they come, and Node's parser takes none.
 */
export function asciiTarget(head: Buffer): Buffer {
  let end = 0;
  let isAscii = true;
  for (; end < head.length && head[end] !== LINE_FEED; end++) {
    if ((head[end] as number) > MAX_ASCII) isAscii = false;
  }
  if (isAscii) return head;
  const line = head.toString('latin1', 0, end);
  const encoded = line.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`);
  return Buffer.concat([Buffer.from(encoded, 'latin1'), head.subarray(end)]);
}

const LINE_FEED = 10;
const MAX_ASCII = 127;
