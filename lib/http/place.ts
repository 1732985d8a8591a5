/** Where a target leads whose path reads as it is written: nothing of it is decoded, cleaned or refused. */
import type { Route } from './route.ts';
import type { Match, Router } from './router.ts';

export interface Place<R> {
  readonly path: string;
  readonly query: string;
  readonly match: Match<R>;
}

/** Nothing in it is empty, or stands for something else. */
const PLAIN_PATH = /^(?:\/[\w\-~!$&'()*+,;=:@.]+)+\/?$/;
const DOTS = /\/\.{1,2}(?:\/|$)/;

/** Undefined where it is to be read with care, and where no row stands there. */
export function plainPlace<R extends Pick<Route, 'method' | 'path'>>(
  router: Router<R>,
  target: string,
): Place<R> | undefined {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark + 1);
  if (!PLAIN_PATH.test(path) || DOTS.test(path) || router.isAbove(path)) return undefined;
  const match = router.match(path);
  return match && { path, query, match };
}
