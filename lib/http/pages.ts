/**
 * What no row is there for, in Express: the root, paths that Go's mux would move, and the rest. It
 * is never hot. Pages and applications of their own are mounted here (docs/decisions/express.md).
 */
import type { RequestListener } from 'node:http';
import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { cleanPath, encodePath, splitTarget } from './path.ts';

/**
 * `isAbove`: whether rows stand below a path that has none itself. What is mounted sees to itself what may be
 * asked of it.
 */
export function createPages(
  isAbove: (path: string) => boolean,
  mounted: readonly RequestHandler[] = [],
): RequestListener {
  const pages = express();
  pages.disable('x-powered-by').disable('etag').set('query parser', false);
  for (const each of mounted) pages.use(each);
  pages.use((request, response, next) => move(request, response, { next, isAbove }));
  pages.all('/', (_, response) => {
    response.set('X-Content-Type-Options', 'nosniff').type('text/plain').send('Consul Agent');
  });
  pages.use((_, response) => {
    response.status(404).end();
  });
  return pages;
}

interface Moving {
  readonly next: NextFunction;
  readonly isAbove: (path: string) => boolean;
}

/**
 * As Go's ServeMux does before any handler sees it: to a path with '//', '.' or '..' in it, and to one
 * that lacks the slash in front of what follows.
 */
function move(
  { method, originalUrl }: Request,
  response: Response,
  { next, isAbove }: Moving,
): void {
  const { path, query } = splitTarget(originalUrl);
  const clean = cleanPath(path);
  const to = isAbove(clean) ? `${clean}/` : clean;
  if (to === path) {
    next();
    return;
  }
  moved({ method }, response, encodePath(to) + (query === '' ? '' : `?${query}`));
}

/** As Go says it. */
export function moved(
  { method }: Pick<Request, 'method'>,
  response: Response,
  location: string,
): void {
  response.status(301).set('Location', location);
  if (method !== 'GET' && method !== 'HEAD') {
    response.end();
    return;
  }
  const link = location.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&#34;');
  response.type('text/html').send(`<a href="${link}">Moved Permanently</a>.\n\n`);
}
