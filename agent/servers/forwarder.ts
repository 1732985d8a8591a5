/** Hands on to a server what an agent does not answer itself. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import { NS_PER_MS } from '../../lib/duration.ts';
import type { Reply } from '../../lib/http/reply.ts';
import type { HttpRequest } from '../../lib/http/route.ts';
import { DEFAULT_WAIT_MS, MAX_TXN_BODY_BYTES, MAX_WAIT_MS } from '../../lib/limits.ts';
import { QueryCache } from './query-cache.ts';
import { ringKey } from './ring-key.ts';
import { type Answer, SharedQueries } from './shared-queries.ts';
import { withoutParams } from './targets.ts';
import type { Upstream } from './upstream.ts';

/** How long a server may take beyond what it was asked to wait, before another one is asked. */
const READ_MS = 5000;
/** A write is not sent to another one, so there is no hurry. */
const WRITE_MS = 15_000;
/** The agent that a request came through, by its node's name. */
const NODE_HEADER = 'X-Proconsul-Node';
/** Those that Consul's agents answer from their cache. */
const CACHEABLE =
  /^\/v1\/(?:(?:health|catalog)\/(?:service|connect|ingress)\/|catalog\/services(?:\?|$))/;
const CACHE_PARAMS = new Set(['cached']);
/** They concern one connection, or are made anew for each. */
const NOT_PASSED_ON = new Set([
  'connection',
  'content-length',
  'date',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export interface ForwarderOptions {
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly node: string;
  /** For requests that bring none. */
  readonly token: () => string;
}

export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #shared: SharedQueries;
  readonly #cache: QueryCache;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#shared = new SharedQueries(options.upstream);
    this.#cache = new QueryCache(options.clock, ({ target, token }, asked, waitMs, signal) => {
      const request = this.#query(asked, token, waitMs);
      return this.#shared.ask({ ...request, key: ringKey(target) }, token, signal);
    });
  }

  /** Queries under way to servers, and answers that are kept fresh. */
  get load(): { readonly queries: number; readonly cached: number } {
    return { queries: this.#shared.size, cached: this.#cache.size };
  }

  /** The fallback of an agent's HTTP surface. */
  readonly handle = async (request: HttpRequest): Promise<Reply> => {
    const { method, params, target } = request;
    if (method !== 'GET') return this.#pass(request);
    const index = params.uint64('index') ?? 0n;
    const cached = params.has('cached') && CACHEABLE.test(target);
    if (cached && index === 0n) return this.#cached(request);
    if (index === 0n) return this.#pass(request);
    const asked = withoutParams(target, CACHE_PARAMS);
    const token = this.#tokenOf(request);
    const query = this.#query(asked, token, waitOf(request));
    const answer = await this.#shared.ask(query, token, request.signal);
    return { ...whole(answer), headers: { ...passed(answer.headers), ...(cached && MISS) } };
  };

  stop(): void {
    this.#cache.stop();
  }

  async #cached(request: HttpRequest): Promise<Reply> {
    const control = request.headers['cache-control'] ?? '';
    const [, seconds] = /max-age=(\d{1,9})/.exec(control) ?? [];
    const { answer, hit, ageMs } = await this.#cache.get(
      {
        target: withoutParams(request.target, CACHE_PARAMS),
        token: this.#tokenOf(request),
        maxAgeMs: seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000,
      },
      request.signal,
    );
    const age = hit ? { 'X-Cache': 'HIT', Age: String(Math.floor(ageMs / 1000)) } : MISS;
    return { ...whole(answer), headers: { ...passed(answer.headers), ...age } };
  }

  /** One request, one upstream request; its answer streams through. */
  async #pass(request: HttpRequest): Promise<Reply> {
    const { method, target, signal } = request;
    const body = method === 'GET' ? undefined : await request.body(MAX_TXN_BODY_BYTES);
    const response = await this.#options.upstream.send({
      method,
      target,
      key: ringKey(target),
      headers: { ...sendable(request.headers), ...this.#own(this.#tokenOf(request)) },
      timeoutMs: method === 'GET' ? waitOf(request) + READ_MS : WRITE_MS,
      signal,
      ...(body !== undefined && { body }),
    });
    const length = response.headers['content-length'];
    return {
      status: response.statusCode ?? 500,
      headers: {
        ...passed(response.headers),
        ...(length !== undefined && { 'Content-Length': length }),
      },
      stream: response,
    };
  }

  #query(target: string, token: string, waitMs: number) {
    return {
      target,
      key: ringKey(target),
      headers: this.#own(token),
      timeoutMs: waitMs + READ_MS,
    };
  }

  #tokenOf(request: HttpRequest): string {
    return request.token || this.#options.token();
  }

  #own(token: string): OutgoingHttpHeaders {
    return { [NODE_HEADER]: this.#options.node, ...(token !== '' && { 'X-Consul-Token': token }) };
  }
}

const MISS = { 'X-Cache': 'MISS' };

/** How long a server may hold the request back, with the part that it adds by chance. */
function waitOf({ params, method }: HttpRequest): number {
  if (method !== 'GET' || !(params.has('index') || params.has('wait'))) return 0;
  const asked = params.duration('wait', 'Invalid wait time');
  const waitMs = asked === undefined || asked === 0 ? DEFAULT_WAIT_MS : asked / NS_PER_MS;
  return Math.min(waitMs, MAX_WAIT_MS) * (17 / 16);
}

function whole({ status, body }: Answer): Reply {
  return { status, bytes: body };
}

function passed(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => !NOT_PASSED_ON.has(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

function sendable(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_PASSED_ON.has(name)));
}
