/**
 * The HTTP surface that servers and agents share: from a request to its row, and from what the row
 * answers to the wire.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type Express } from 'express';
import { describeChain, ProconsulError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { readBody } from './body.ts';
import { Params } from './params.ts';
import { cleanPath, encodePath, isPrintable, splitTarget } from './path.ts';
import { errorReply, isBug, send } from './respond.ts';
import type { Handler, HttpRequest, Reply, Route } from './route.ts';
import { allowed, type Match, Router } from './router.ts';

export interface AppOptions {
  readonly routes: readonly Route[];
  /** Answers what no row is there for; a client agent hands it on to a server. */
  readonly fallback?: Handler;
  /** From http_config.response_headers: set on every answer. */
  readonly responseHeaders?: Readonly<Record<string, string>>;
  /** From disable_http_unprintable_char_filter: paths with such characters are served. */
  readonly anyPath?: boolean;
  readonly logger: Logger;
}

/** Handlers throw ProconsulErrors; whatever else they throw is a bug, logged and hidden. */
export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', false);
  const router = new Router(options.routes);
  app.use((message: IncomingMessage, response: ServerResponse) => {
    void answer({ message, response, router, options });
  });
  return app;
}

interface Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly router: Router;
  readonly options: AppOptions;
}

async function answer({ message, response, router, options }: Exchange): Promise<void> {
  for (const [k, v] of Object.entries(options.responseHeaders ?? {})) response.setHeader(k, v);
  let reply: Reply;
  let pretty = false;
  try {
    const { path, query } = splitTarget(message.url ?? '/');
    if (options.anyPath !== true && !isPrintable(path)) throw unprintable();
    const params = new Params(query);
    pretty = params.has('pretty');
    const request = { message, response, params };
    reply = redirect(message, path, query) ?? (await dispatch(router, options, path, request));
  } catch (error) {
    reply = errorReply(error);
    const level = isBug(error) ? 'error' : 'debug';
    // Never the query string: it may hold a token.
    const url = message.url?.split('?', 1)[0];
    options.logger[level](`http: ${message.method} ${url}: ${describeChain(error)}`);
  }
  await send(reply, { message, response, pretty });
  // A body that nobody wanted must not keep the connection waiting.
  if (!message.complete) message.resume();
}

function unprintable(): ProconsulError {
  return new ProconsulError('invalid', 'Bad Request: unprintable characters in the path');
}

interface Parts {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly params: Params;
}

function dispatch(
  router: Router,
  options: AppOptions,
  path: string,
  parts: Parts,
): Reply | Promise<Reply> {
  const match = router.match(path);
  const request = requestOf(parts, match?.rest ?? '');
  if (match === undefined) {
    if (path === '/') return { text: 'Consul Agent' };
    return options.fallback?.(request) ?? { status: 404 };
  }
  parts.response.setHeader('Vary', 'Accept-Encoding');
  return runRow(match, request);
}

function runRow(match: Match, request: HttpRequest): Reply | Promise<Reply> {
  const { method } = request;
  const row = match.methods.get(method);
  if (row !== undefined) return row.handle(request);
  const headers = { Allow: allowed(match.methods) };
  if (method === 'OPTIONS') return { headers };
  return { status: 405, text: `method ${method} not allowed`, headers };
}

/** As Go's ServeMux does to a path with '//', '.' or '..' in it, before any handler sees it. */
function redirect(message: IncomingMessage, path: string, query: string): Reply | undefined {
  const clean = cleanPath(path);
  if (clean === path) return undefined;
  const location = encodePath(clean) + (query === '' ? '' : `?${query}`);
  const headers: Record<string, string> = { Location: location };
  if (message.method !== 'GET' && message.method !== 'HEAD') return { status: 301, headers };
  headers['Content-Type'] = 'text/html; charset=utf-8';
  const link = location.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&#34;');
  return { status: 301, headers, text: `<a href="${link}">Moved Permanently</a>.\n\n` };
}

function requestOf({ message, response, params }: Parts, rest: string): HttpRequest {
  let gone: AbortController | undefined;
  return {
    method: message.method ?? 'GET',
    target: message.url ?? '/',
    rest,
    params,
    headers: message.headers,
    token: tokenOf(message, params),
    remoteAddress: message.socket.remoteAddress ?? '',
    get signal() {
      // Made on demand: most requests are answered before anyone asks for it.
      if (gone === undefined) {
        const controller = new AbortController();
        gone = controller;
        if (response.destroyed) controller.abort();
        response.once('close', () => controller.abort());
      }
      return gone.signal;
    },
    body: (maxBytes) => readBody(message, maxBytes),
  };
}

function tokenOf(message: IncomingMessage, params: Params): string {
  if (params.has('token')) return params.get('token');
  const header = message.headers['x-consul-token'];
  if (typeof header === 'string') return header;
  const [, bearer] = /^Bearer\s+(\S+)$/i.exec(message.headers.authorization ?? '') ?? [];
  return bearer ?? '';
}
