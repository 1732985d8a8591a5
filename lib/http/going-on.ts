/** How a client that waits goes on waiting: by the same bytes, but for the index that it was told. */

/** What is written as it is read, and is no index by another spelling. */
const PLAIN_NAME = /^[\w\-.~]+$/;
const INDEX = /^index=\d+$/;

/** Undefined where the request does not say its index once, and in plain words. */
export function goingOn(request: string, index: string): string | undefined {
  const end = request.indexOf(' HTTP/1.1\r\n');
  const next = end < 0 ? undefined : atIndex(request.slice(0, end), index);
  return next && next + request.slice(end);
}

/** The same of a target alone. */
export function atIndex(target: string, index: string): string | undefined {
  const queryAt = target.indexOf('?') + 1;
  if (queryAt === 0 || target.includes('#')) return undefined;
  const parts = target.slice(queryAt).split('&');
  const names = parts.map((part) => part.split('=', 1)[0] ?? '');
  const at = names.indexOf('index');
  const isOnce = at >= 0 && at === names.lastIndexOf('index');
  if (!isOnce || !INDEX.test(parts[at] ?? '') || !names.every((name) => PLAIN_NAME.test(name))) {
    return undefined;
  }
  return target.slice(0, queryAt) + parts.with(at, `index=${index}`).join('&');
}
