import { ProconsulError } from '../errors.ts';

/** Path and query string of a request target; the path percent-decoded once, and no more. */
export function splitTarget(target: string): { path: string; query: string } {
  const mark = target.indexOf('?');
  const raw = mark < 0 ? target : target.slice(0, mark);
  return { path: decodePath(raw), query: mark < 0 ? '' : target.slice(mark + 1) };
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
  if (!path.startsWith('/')) return cleanPath(`/${path}`);
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
