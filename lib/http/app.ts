/**
 * The HTTP surface that servers and agents share: from a request to its row, and from what the row
 * answers to the wire.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express from 'express';
import { describeChain, ProconsulError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { readBody } from './body.ts';
import { refuseElsewhere } from './elsewhere.ts';
import type { FastPath } from './fast/fast-path.ts';
import { Params } from './params.ts';
import { cleanPath, encodePath, isPrintable, splitTarget } from './path.ts';
import type { Pending, Reply } from './reply.ts';
import {
  acceptsGzip,
  errorReply,
  isBug,
  sendStream,
  sendWire,
  type Writing,
  wireOf,
} from './respond.ts';
import type { Handler, HttpRequest, Route } from './route.ts';
import { allowed, type Match, Router } from './router.ts';

export interface AppOptions {
  readonly routes: readonly Route[];
  /** Answers what no row is there for; a client agent hands it on to a server. */
  readonly fallback?: Handler;
  /** From http_config.response_headers: set on every answer. */
  readonly responseHeaders?: Readonly<Record<string, string>>;
  /** From disable_http_unprintable_char_filter: paths with such characters are served. */
  readonly anyPath?: boolean;
  /** Learns which answers may be given again; the listener's own. */
  readonly fastPath?: FastPath;
  readonly logger: Logger;
}

/**
 * Handlers throw ProconsulErrors; whatever else they throw is a bug, logged and hidden. Express gets
 * what no row is there for: it gives both objects of an exchange another prototype, after which
 * everything that Node does with them is slow, and a write took three times as long.
 */
export function createApp(options: AppOptions): RequestListener {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', false);
  const front = new Front(options);
  const answer = (message: IncomingMessage, response: ServerResponse) => {
    front.answer(message, response).catch((error: unknown) => {
      // Such as a header that nobody may send: the answer cannot be written, and no other either.
      options.logger.error(`http: ${message.method}: ${describeChain(error)}`);
      response.destroy();
    });
  };
  app.use(answer);
  return (message, response) => {
    if (front.serves(message.url ?? '/')) answer(message, response);
    else app(message, response);
  };
}

function unprintable(): ProconsulError {
  return new ProconsulError('invalid', 'Bad Request: unprintable characters in the path');
}

interface Parts {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly params: Params;
}

class Front {
  readonly #options: AppOptions;
  readonly #router: Router;
  /** Of answers to paths that no row is there for, and of all others. */
  readonly #headers: Readonly<Record<string, string>>;
  readonly #rowHeaders: Readonly<Record<string, string>>;

  constructor(options: AppOptions) {
    this.#options = options;
    this.#router = new Router(options.routes);
    this.#headers = { ...options.responseHeaders };
    this.#rowHeaders = { ...options.responseHeaders, Vary: 'Accept-Encoding' };
  }

  /** Whether a row, or the fallback, is there for the target; a path in disguise may be missed. */
  serves(target: string): boolean {
    if (this.#options.fallback !== undefined) return true;
    const mark = target.indexOf('?');
    return this.#router.match(mark < 0 ? target : target.slice(0, mark)) !== undefined;
  }

  async answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    let common = this.#headers;
    let pretty = false;
    let reply: Reply;
    try {
      const { path, query } = splitTarget(message.url ?? '/');
      if (this.#options.anyPath !== true && !isPrintable(path)) throw unprintable();
      const params = new Params(query);
      pretty = params.has('pretty');
      const match = this.#router.match(path);
      const moved = redirect(message, path, query);
      if (moved === undefined && match !== undefined) common = this.#rowHeaders;
      reply = moved ?? (await this.#dispatch(match, path, { message, response, params }));
    } catch (error) {
      reply = this.#errorReply(message, error);
    }
    const writing: Writing = { common, pretty, gzip: acceptsGzip(message) };
    const { pending } = reply;
    if (pending !== undefined) {
      const leave = this.#options.fastPath?.waits({ message, response }, pending, writing);
      response.once('close', () => leave?.());
      // What a wait came to is no answer to the same request: that would have to wait anew.
      const { shared: _, ...once } = await settled(pending, response);
      reply = once;
    }
    await this.#send(reply, writing, { message, response });
  }

  async #send(
    reply: Reply,
    writing: Writing,
    { message, response }: Pick<Parts, 'message' | 'response'>,
  ): Promise<void> {
    if (hasStream(reply)) await sendStream(reply, writing.common, response);
    else {
      const made = wireOf(reply, writing);
      const wire = made instanceof Promise ? await made : made;
      if (reply.shared !== undefined) {
        this.#options.fastPath?.answers({ message, response }, reply.shared, wire);
      }
      sendWire(wire, response);
    }
    // A body that nobody wanted must not keep the connection waiting.
    if (!message.complete) message.resume();
  }

  #dispatch(match: Match | undefined, path: string, parts: Parts): Reply | Promise<Reply> {
    const request = requestOf(parts, match?.rest ?? '');
    refuseElsewhere(path, request);
    if (match !== undefined) return runRow(match, request);
    if (path === '/') return { text: 'Consul Agent' };
    return this.#options.fallback?.(request) ?? { status: 404 };
  }

  #errorReply(message: IncomingMessage, error: unknown): Reply {
    const level = isBug(error) ? 'error' : 'debug';
    // Never the query string: it may hold a token.
    const url = message.url?.split('?', 1)[0];
    this.#options.logger[level](`http: ${message.method} ${url}: ${describeChain(error)}`);
    return errorReply(error);
  }
}

function hasStream(reply: Reply): reply is Reply & Pick<Required<Reply>, 'stream'> {
  return reply.stream !== undefined;
}

/** The reply that is waited for; never, once the client is gone. */
function settled(pending: Pending, response: ServerResponse): Promise<Reply> {
  return new Promise((resolve) => {
    const cancel = pending.join(resolve);
    if (response.destroyed) cancel();
    else response.once('close', cancel);
  });
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
    body: (maxBytes, limit) => readBody(message, maxBytes, limit),
  };
}

function tokenOf(message: IncomingMessage, params: Params): string {
  if (params.has('token')) return params.get('token');
  const header = message.headers['x-consul-token'];
  if (typeof header === 'string') return header;
  const [, bearer] = /^Bearer\s+(\S+)$/i.exec(message.headers.authorization ?? '') ?? [];
  return bearer ?? '';
}
