/**
 * The web page, for Express: its files below its path, and its index at every address that is none of a
 * file, so that an address of the page can be sent to others.
 */
import { resolve } from 'node:path';
import express, { type RequestHandler, type Response, Router } from 'express';
import { describeChain } from '../errors.ts';
import { moved } from '../http/pages.ts';
import { cleanPath, splitTarget } from '../http/path.ts';
import type { Logger } from '../logger.ts';
import { HASHED, INDEX, type PageFile, type PageFiles } from './page-files.ts';

export interface PageOptions {
  /** With a slash at both ends. */
  readonly contentPath: string;
  readonly datacenter: string;
  /** Somebody's own files in place of ours; '' for ours. */
  readonly dir: string;
  readonly files: () => Promise<PageFiles>;
  /** Of the configuration; what the page itself says stands. */
  readonly headers: Readonly<Record<string, string>>;
  readonly logger: Pick<Logger, 'error'>;
}

/** What is mounted, and which paths are its own: an agent hands nothing of those on to a server. */
export interface Page {
  readonly owns: (path: string) => boolean;
  readonly router: RequestHandler;
}

/** It loads nothing from elsewhere, runs nothing that is written into it, and stands in nobody's frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SAFE = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
};
const STRICT = { ...SAFE, 'Content-Security-Policy': POLICY, 'X-Frame-Options': 'DENY' };
const A_YEAR = 'public, max-age=31536000, immutable';

export function createPage(options: PageOptions): Page {
  const { contentPath, dir } = options;
  const bare = contentPath.slice(0, -1);
  const isWithin = (path: string) =>
    path.startsWith(contentPath) && cleanPath(path).startsWith(contentPath);
  const router = Router();
  router.use((request, response, next) => {
    const { path } = splitTarget(request.originalUrl);
    if (path === '/' || path === bare) {
      response.set(SAFE);
      moved(request, response, contentPath);
      // Two slashes may be of a key; what leads out of here is moved as everywhere.
    } else if (!isWithin(path)) next('router');
    else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response
        .status(405)
        .set({ ...SAFE, Allow: 'GET, HEAD' })
        .end();
    } else next();
  });
  router.use(dir === '' ? ours(options) : somebodys(options));
  return {
    owns: (path) => path === '/' || path === bare || path.startsWith(contentPath),
    router,
  };
}

function ours({ contentPath, datacenter, files, headers, logger }: PageOptions): RequestHandler {
  let read: Promise<PageFiles> | undefined;
  return async (request, response) => {
    const name = splitTarget(request.originalUrl).path.slice(contentPath.length);
    response.set({ ...headers, ...STRICT });
    try {
      read ??= files().then((found) => withIndex(found, { contentPath, datacenter }));
      const found = await read;
      // A file of another version is not there: an index in its place would be run as a program.
      const isFile = name.startsWith(HASHED) || found.has(name);
      const file = found.get(isFile ? name : INDEX);
      if (file === undefined) response.status(404).set('Cache-Control', 'no-store').end();
      else send(response, file, name.startsWith(HASHED) ? A_YEAR : 'no-cache');
    } catch (error) {
      // They may be there the next time.
      read = undefined;
      logger.error(`page: ${describeChain(error)}`);
      response.status(500).type('text/plain').send('The page cannot be shown: see the log');
    }
  };
}

function send(response: Response, file: PageFile, cache: string): void {
  const { gzip } = file;
  response.set({ 'Content-Type': file.type, 'Cache-Control': cache, Vary: 'Accept-Encoding' });
  if (gzip === undefined || response.req.acceptsEncodings('gzip') === false) {
    response.send(file.body);
    return;
  }
  response.set('Content-Encoding', 'gzip').send(gzip);
}

/** The index says where the page is, and of which data centre. It is too small to be compressed. */
function withIndex(
  files: PageFiles,
  { contentPath, datacenter }: Pick<PageOptions, 'contentPath' | 'datacenter'>,
): PageFiles {
  const index = files.get(INDEX);
  if (index === undefined) return files;
  const text = index.body
    .toString()
    .replaceAll('"./', `"${contentPath}`)
    .replace('data-base=""', `data-base="${contentPath}"`)
    .replace('data-datacenter=""', `data-datacenter="${datacenter}"`);
  return new Map(files).set(INDEX, { ...index, body: Buffer.from(text), gzip: undefined });
}

/** It is asked anew each time whether they are still the same: their names say nothing of that. */
const SOMEBODYS = { ...SAFE, 'X-Frame-Options': 'DENY', 'Cache-Control': 'no-cache' };

/** ui_dir: it is not known what those files need, and so the configuration's headers stand before ours. */
function somebodys({ contentPath, dir, headers }: PageOptions): RequestHandler {
  const root = resolve(dir);
  const router = express.Router();
  router.use((_, response, next) => {
    response.set(SOMEBODYS).set(headers);
    next();
  });
  router.use(contentPath, express.static(root, { cacheControl: false, redirect: false }));
  router.use((_, response) => {
    response.sendFile(INDEX, { root, cacheControl: false }, (error) => {
      if (error && !response.headersSent) response.status(404).end();
    });
  });
  return router;
}
