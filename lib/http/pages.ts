/**
 * What no row is there for, in Express: the root, paths that Go's mux would move, and the rest. It
 * is never hot. Pages and applications of their own are mounted here (docs/decisions/express.md).
 */
import type { RequestListener } from 'node:http';
import express, { type Request, type Response } from 'express';
import { cleanPath, encodePath, splitTarget } from './path.ts';

export function createPages(): RequestListener {
  const pages = express();
  pages.disable('x-powered-by').disable('etag').set('query parser', false);
  pages.use(move);
  pages.all('/', (_, response) => {
    response.set('X-Content-Type-Options', 'nosniff').type('text/plain').send('Consul Agent');
  });
  pages.use((_, response) => {
    response.status(404).end();
  });
  return pages;
}

/** As Go's ServeMux does to a path with '//', '.' or '..' in it, before any handler sees it. */
function move({ method, originalUrl }: Request, response: Response, next: () => void): void {
  const { path, query } = splitTarget(originalUrl);
  const clean = cleanPath(path);
  if (clean === path) {
    next();
    return;
  }
  const location = encodePath(clean) + (query === '' ? '' : `?${query}`);
  response.status(301).set('Location', location);
  if (method !== 'GET' && method !== 'HEAD') {
    response.end();
    return;
  }
  const link = location.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&#34;');
  response.type('text/html').send(`<a href="${link}">Moved Permanently</a>.\n\n`);
}
