/** Hands on to a server what an agent does not answer itself. */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import { NS_PER_MS } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { HELD_HEADER } from '../../lib/http/held.ts';
import type { Reply, Shared } from '../../lib/http/reply.ts';
import type { HttpRequest } from '../../lib/http/route.ts';
import { MAX_SNAPSHOT_BYTES, MAX_WAIT_MS, MIN_GZIP_BYTES } from '../../lib/limits.ts';
import { counter, gauge, type Metric } from '../../lib/metrics/metric.ts';
import { Rate, type RateLimit } from '../../lib/rate.ts';
import type { ServerAnswer } from './answer.ts';
import { PASSED_STATUS, PassedRead, type PassedReadDeps } from './passed-read.ts';
import { PassedWait } from './passed-wait.ts';
import type { Way } from './places.ts';
import { type Asked, type CachedAnswer, type CachedQuery, QueryCache } from './query-cache.ts';
import { ringKey } from './ring-key.ts';
import { type QueryRequest, SharedQueries } from './shared-queries.ts';
import { withoutParams } from './targets.ts';
import type { Upstream, UpstreamRequest } from './upstream.ts';

/** So long a server may take beyond what it is asked to wait, before another one is asked. */
const READ_MS = 5000;
/** A write is not sent to another one, so there is no hurry. */
const WRITE_MS = 15_000;
/** The whole state is read and written, part by part. */
const ARCHIVE_MS = 5 * 60_000;
const SNAPSHOT_PATH = '/v1/snapshot';
/** So long a client may read nothing of an answer that is there. */
const SLOW_MS = 60_000;
/** Those that Consul's agents answer from their cache. */
const CACHEABLE =
  /^\/v1\/(?:(?:health|catalog)\/(?:service|connect|ingress)\/|catalog\/services(?:\?|$))/;
const CACHE_PARAMS = new Set(['cached']);
/**
 * They concern one connection, or are made anew for each. Which page asks was this agent's to judge: to a
 * server it would be as if the page asked there.
 */
const NOT_PASSED_ON = new Set([
  'connection',
  'content-length',
  'date',
  'expect',
  'host',
  'keep-alive',
  'origin',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  HELD_HEADER.toLowerCase(),
]);

/** As Consul says it, without a word. */
const RATE_EXCEEDED: Reply = { status: 429, headers: { Vary: 'Accept-Encoding' } };

/** What a hit is asked by. */
const HIT_BYTES = 2048;
const FORBIDDEN = 403;
/** Before why a server refuses, as Consul's agents say it. */
const SERVER_REFUSES = 'rpc error making call: ';

export interface ForwarderOptions {
  readonly upstream: Upstream;
  /** The name of this agent's node. */
  readonly node: string;
  readonly clock: Clock;
  /** For requests that bring none. */
  readonly token: () => string;
  /** The most that a server may take. */
  readonly maxBodyBytes: number;
  /** What clients may ask of servers through this agent; its own requests are not counted. */
  readonly rate: RateLimit;
}

export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #shared: SharedQueries;
  readonly #cache: QueryCache;
  readonly #rate: Rate;
  readonly #passing: PassedReadDeps;
  #passesArchive = false;
  #exceeded = 0;
  #hits = 0;
  #misses = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#rate = new Rate(options.rate, options.clock);
    this.#passing = {
      relay: options.upstream.relay,
      admits: () => this.#rate.take(),
      token: options.token,
    };
    this.#shared = new SharedQueries(options.upstream, options.node);
    this.#cache = new QueryCache(options.clock, (asked, waitMs, signal) =>
      this.#shared.ask(query(asked, waitMs), signal),
    );
  }

  /** Queries under way to servers, and answers that are kept fresh. */
  get load(): { readonly queries: number; readonly cached: number } {
    return { queries: this.#shared.size, cached: this.#cache.size };
  }

  /** The fallback of an agent's HTTP surface. */
  readonly handle = async (request: HttpRequest): Promise<Reply> => {
    const { method, params, target } = request;
    if (!this.#rate.take()) {
      this.#exceeded++;
      return RATE_EXCEEDED;
    }
    if (method !== 'GET') {
      return request.path === SNAPSHOT_PATH ? this.#passArchive(request) : this.#pass(request);
    }
    const index = params.uint64('index') ?? 0n;
    const cached = params.has('cached') && CACHEABLE.test(target);
    if (cached && index === 0n) return this.#cached(request);
    if (index === 0n) return this.#pass(request);
    const { token, remoteAddress: client } = request;
    const asked = { target: withoutParams(target, CACHE_PARAMS), token, client };
    return { pending: this.#waits(query(asked, waitOf(request)), cached) };
  };

  metrics(): readonly Metric[] {
    return [
      counter('client.rpc.exceeded', 'requests beyond limits.rpc_rate', () => this.#exceeded),
      counter('proconsul.cache.hits', '?cached that was in memory', () => this.#hits),
      counter('proconsul.cache.misses', '?cached that was not', () => this.#misses),
      gauge('consul.cache.entries_count', 'answers kept for ?cached', () => this.load.cached),
      gauge('proconsul.forwarder.waiting', 'queries that wait at servers', () => this.load.queries),
    ];
  }

  stop(): void {
    this.#cache.stop();
  }

  #waits(asked: QueryRequest, cached: boolean): PassedWait {
    const { admits, token } = this.#passing;
    const replyOf = (answer: ServerAnswer) => withHeaders(whole(answer), cached ? MISS : {});
    return new PassedWait(asked, { shared: this.#shared, admits, token, replyOf });
  }

  async #cached(request: HttpRequest): Promise<Reply> {
    const control = request.headers['cache-control'] ?? '';
    const [, seconds] = /max-age=(\d{1,9})/.exec(control) ?? [];
    const asked = {
      target: withoutParams(request.target, CACHE_PARAMS),
      token: this.#tokenOf(request),
      client: request.remoteAddress,
      maxAgeMs: seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000,
    };
    const found = await this.#cache.get(asked, request.signal);
    if (!found.hit) {
      this.#misses++;
      return withHeaders(whole(found.answer), MISS);
    }
    this.#hits++;
    const reply = withHeaders(whole(found.answer), ageOf(found));
    return { ...reply, shared: this.#hit(asked, found, request.token) };
  }

  /** What says the same is answered with the same, for as long as it is not a second older. */
  #hit(asked: CachedQuery, found: CachedAnswer, token: string): Shared {
    const { Age } = ageOf(found);
    return {
      bytes: HIT_BYTES,
      ready: () => undefined,
      stands: () => {
        const now = this.#cache.use(asked);
        const isSame = now?.answer === found.answer && ageOf(now).Age === Age;
        // Who brings no token brings the agent's, which may be another by now.
        const isFor = (token || this.#options.token()) === asked.token;
        if (!isSame || !isFor || !this.#passing.admits()) return false;
        this.#hits++;
        return true;
      },
    };
  }

  /** It is held in memory while it is sent, and servers restore one at a time as well. */
  async #passArchive(request: HttpRequest): Promise<Reply> {
    if (this.#passesArchive) throw new ProconsulError('busy', 'another snapshot is being restored');
    this.#passesArchive = true;
    try {
      return await this.#pass(request);
    } finally {
      this.#passesArchive = false;
    }
  }

  /** One request, one upstream request; its answer streams through. */
  async #pass(request: HttpRequest): Promise<Reply> {
    const { method, target, signal, remoteAddress: client } = request;
    const patience = method === 'GET' ? READ_MS : WRITE_MS;
    const isArchive = request.path === SNAPSHOT_PATH;
    const maxBytes = isArchive ? MAX_SNAPSHOT_BYTES : this.#options.maxBodyBytes;
    const body = method === 'GET' ? undefined : await request.body(maxBytes);
    const { upstream } = this.#options;
    const asked: UpstreamRequest = {
      way: 'client',
      client,
      method,
      target,
      key: ringKey(target),
      token: this.#tokenOf(request),
      headers: sendable(request.headers),
      timeoutMs: isArchive ? ARCHIVE_MS : patience,
      signal,
      ...(body !== undefined && { body }),
    };
    const response = await upstream.send(asked);
    if (response.statusCode === FORBIDDEN || isShortOutcome(method, response)) {
      return whole(await upstream.read(response, asked));
    }
    // Who does not read would keep a place that others need.
    response.setTimeout(SLOW_MS, () => response.destroy());
    const length = response.headers['content-length'];
    const { statusCode: status = 500 } = response;
    const isPlain = method === 'GET' && PASSED_STATUS.has(status) && length !== undefined;
    return {
      status,
      headers: {
        ...passed(response.headers),
        ...(length !== undefined && { 'Content-Length': length }),
      },
      stream: response,
      ...(isPlain && { passedOn: this.#passedOn(request) }),
    };
  }

  #passedOn({ target, token, headers }: HttpRequest): PassedRead {
    const asking = { target, token, headers: sendable(headers), node: this.#options.node };
    return new PassedRead(asking, ringKey(target), this.#passing);
  }

  #tokenOf(request: HttpRequest): string {
    return request.token || this.#options.token();
  }
}

const MISS = { 'X-Cache': 'MISS' };

function ageOf({ ageMs }: CachedAnswer) {
  return { 'X-Cache': 'HIT', Age: String(Math.floor(ageMs / 1000)) };
}

function withHeaders(reply: Reply, headers: Readonly<Record<string, string>>): Reply {
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

/** One that waits goes where it takes no connection from those that are quick. */
function query({ target, token, client }: Asked, waitMs: number): QueryRequest {
  const way: Way = waitMs > 0 ? 'watch' : 'client';
  return { way, client, target, key: ringKey(target), token, timeoutMs: READ_MS, waitMs };
}

/** Where the client does not say it the server does, which may be as much as it allows. */
function waitOf({ params }: HttpRequest): number {
  const asked = params.duration('wait', 'Invalid wait time');
  return asked === undefined || asked <= 0 ? MAX_WAIT_MS : asked / NS_PER_MS;
}

function whole({ status, headers, body }: ServerAnswer): Reply {
  const readable = status === FORBIDDEN && headers['content-encoding'] === undefined;
  const said = readable ? { text: `${SERVER_REFUSES}${body}` } : { bytes: body };
  return { status, headers: passed(headers), ...said };
}

const WRITING: ReadonlySet<string> = new Set(['PUT', 'POST', 'DELETE']);

/** What nearly all writes are answered: to have it streamed takes as long as all else of passing it on. */
function isShortOutcome(method: string, { headers }: IncomingMessage): boolean {
  const isPlain = headers['content-encoding'] === undefined;
  return WRITING.has(method) && isPlain && Number(headers['content-length']) < MIN_GZIP_BYTES;
}

function passed(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => !NOT_PASSED_ON.has(name));
  return Object.fromEntries(entries.map(([name, value]) => [asGoWrites(name), String(value)]));
}

/** X-Consul-Index, and not x-consul-index as Node reads it: scripts look for it by this very name. */
function asGoWrites(header: string): string {
  return header.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

function sendable(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_PASSED_ON.has(name)));
}
