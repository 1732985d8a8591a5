/** Asks servers, with failover to the next one where that is safe. */
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { TLSSocket } from 'node:tls';
import { tokenNotFound } from '../../lib/acl/refusals.ts';
import { largeBodies } from '../../lib/body-room.ts';
import type { Cancel, Clock } from '../../lib/clock.ts';
import { NO_LEADER, noLeader, ProconsulError } from '../../lib/errors.ts';
import { WAIT_JITTER_FRACTION } from '../../lib/limits.ts';
import type { ServerInfo } from '../../lib/membership.ts';
import { counter, type Metric, timing } from '../../lib/metrics/metric.ts';
import { Sample } from '../../lib/metrics/sample.ts';
import { traceHeaders } from '../../lib/tracing.ts';
import { isOfNoUse, readAnswer, type ServerAnswer } from './answer.ts';
import { BeatLines } from './beat-lines.ts';
import { Beats } from './beats.ts';
import { type Place, Places, type Way } from './places.ts';
import { Reach, type ReachOptions } from './reach.ts';
import { Relay } from './relay.ts';
import type { ServerList } from './server-list.ts';
import { shown } from './shown.ts';
import { Ways } from './ways.ts';

export interface UpstreamRequest extends Place {
  readonly method: string;
  /** Path and query string. */
  readonly target: string;
  /** By which the ring chooses the server. */
  readonly key: string;
  /** '' for none. */
  readonly token: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer;
  /** How long the server may take to begin its answer, beyond what it is asked to wait. */
  readonly timeoutMs: number;
  /** How long the server is asked to hold its answer back. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  /** A write that does no more when it is done twice. */
  readonly repeatable?: boolean;
  /** Of a beat: whether it is the answer of a server that has taken it. */
  readonly isTaken?: (answer: ServerAnswer) => boolean;
  /** Told of each answer, after how long it began; undefined where a connection had to be opened first. */
  readonly onAnswer?: (ms: number | undefined) => void;
}

export interface UpstreamOptions {
  readonly servers: ServerList;
  readonly clock: Clock;
  /** The name of this agent's node, which servers are told. */
  readonly node: string;
  readonly security: ReachOptions;
}

/** A server that does not even take a connection in this time is as good as gone. */
const CONNECT_MS = 2000;
const NOT_FOUND = Buffer.from(tokenNotFound().message);
/** Their answers share a room with those on their way to clients; the agent's own must find theirs. */
const FOR_CLIENTS: ReadonlySet<Way> = new Set(['client', 'watch']);
/** How many servers a request tries at most. */
const MAX_ATTEMPTS = 3;

export class Upstream {
  /** For reads that are passed on as they come. */
  readonly relay: Relay;
  readonly #options: UpstreamOptions;
  readonly #places = new Places();
  readonly #ways: Ways;
  readonly #lines: BeatLines;
  readonly #beats: Beats<UpstreamRequest>;
  #stopped = false;
  #onUnknown: (token: string) => void = () => undefined;
  /** Until a server began to answer what nobody waits for; how many got no answer; and retries. */
  readonly #took = new Sample();
  #asked = 0;
  #failed = 0;
  #askedAgain = 0;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    const { servers, clock, security, node } = options;
    const reach = new Reach(security);
    this.#ways = new Ways(reach, this.#places);
    this.relay = new Relay({ servers, clock, reach, places: this.#places });
    this.#lines = new BeatLines({ reach, clock, node });
    this.#beats = new Beats({
      servers,
      clock,
      lines: this.#lines,
      askLong: (server, beating) => this.#askLong(server, beating),
    });
    // A machine that is switched off says nothing: what waits for it would wait in vain.
    servers.onGone((id) => {
      this.#ways.breakOff(failed('is gone', 'ETIMEDOUT'), id);
      this.relay.breakOff(id);
      this.#lines.breakOff(id);
    });
  }

  /** Who hears of a token that a server does not know. */
  onUnknown(listener: (token: string) => void): void {
    this.#onUnknown = listener;
  }

  /** How many requests are under way. */
  underWay(way: Way): number {
    return this.#places.underWay(way);
  }

  /** As `send`, with all of the body. */
  async ask(request: UpstreamRequest): Promise<ServerAnswer> {
    if (request.way === 'beat') return await this.#beat(request);
    return await this.read(await this.send(request), request);
  }

  /**
   * The answer of the first server that gives one; its body is still to be read. Rejects with
   * 'unavailable' when no server was there or the caller's signal came, with 'unknown' for a write
   * whose answer got lost, with 'busy' when too much is under way already.
   */
  async send(request: UpstreamRequest): Promise<IncomingMessage> {
    const { servers, clock } = this.#options;
    this.#asked++;
    let cause: unknown;
    const tried = new Set<string>();
    while (tried.size < MAX_ATTEMPTS && !this.#stopped) {
      // Anew each time: which servers there are may have changed while one was asked.
      const server = servers.inOrder(request.key).find(({ Url }) => !tried.has(Url));
      if (server === undefined) break;
      if (tried.size > 0) this.#askedAgain++;
      tried.add(server.Url);
      const from = clock.monotonic();
      try {
        const response = await this.#attemptTwice(server, request);
        if (request.waitMs === undefined) this.#took.observe(clock.monotonic() - from);
        servers.breaker.succeeded(server.ID);
        if (!isOfNoUse(response.statusCode, response.headers)) return response;
        response.resume();
        cause = new ProconsulError('unavailable', NO_LEADER);
      } catch (error) {
        cause = this.#failure(server, request, error);
      }
    }
    this.#failed++;
    throw noLeader(cause ?? new ProconsulError('unavailable', 'no server is known'));
  }

  /** All of an answer that `send` gave to the request; rejects as that does. */
  async read(response: IncomingMessage, request: UpstreamRequest): Promise<ServerAnswer> {
    const claim = FOR_CLIENTS.has(request.way) ? largeBodies.claim() : undefined;
    try {
      return this.#heeded(await readAnswer(response, this.#options.clock, claim), request);
    } catch (cause) {
      if (cause instanceof ProconsulError) throw cause;
      throw mayRepeat(request, cause) ? noLeader(cause) : answerLost('the server', cause);
    }
  }

  metrics(): readonly Metric[] {
    const took = [this.#took, this.relay.took];
    return [
      counter(
        'client.rpc',
        'requests to servers, its own ones too',
        () => this.#asked + this.relay.asked,
      ),
      counter('client.rpc.failed', 'requests that no server answered', () => this.#failed),
      counter(
        'proconsul.servers.asked_again',
        'times that another server was asked',
        () => this.#askedAgain,
      ),
      timing('proconsul.servers.answer', 'until a server began to answer', took, {
        buckets: true,
      }),
    ];
  }

  /** What is under way breaks off, and nothing more is asked. */
  stop(): void {
    this.#stopped = true;
    this.#ways.breakOff(failed('is not asked any more', 'ETIMEDOUT'));
    this.#ways.close();
    this.relay.stop();
    this.#lines.breakOff();
  }

  async #beat(request: UpstreamRequest): Promise<ServerAnswer> {
    const { clock } = this.#options;
    const from = clock.monotonic();
    this.#asked++;
    try {
      const answer = await this.#beats.ask(request);
      this.#took.observe(clock.monotonic() - from);
      return this.#heeded(answer, request);
    } catch (error) {
      this.#failed++;
      throw error;
    }
  }

  async #askLong(server: ServerInfo, beating: UpstreamRequest): Promise<ServerAnswer> {
    if (this.#stopped) throw noLeader();
    const request = {
      ...beating,
      way: 'beat',
      method: beating.method ?? 'PUT',
      repeatable: true,
    } as const;
    const response = await this.#attemptTwice(server, request);
    return await readAnswer(response, this.#options.clock);
  }

  /** A token that is not known (any more) is doubted. */
  #heeded(answer: ServerAnswer, { token }: UpstreamRequest): ServerAnswer {
    if (answer.status === 403 && answer.body.equals(NOT_FOUND)) this.#onUnknown(token);
    return answer;
  }

  /**
   * That a connection is gone which had been kept open says nothing of the server, which may have been away
   * since, or have closed it: it is asked once more, by a new one.
   */
  async #attemptTwice(server: ServerInfo, request: UpstreamRequest): Promise<IncomingMessage> {
    try {
      return await this.#attempt(server, request);
    } catch (error) {
      const isOfKept = (error as { wasKept?: true }).wasKept === true;
      const isWanted = request.signal?.aborted !== true && !this.#stopped;
      if (!isOfKept || !isWanted || !mayRepeat(request, error)) throw error;
      this.#ways.closeIdle(request.way, server);
      return await this.#attempt(server, request);
    }
  }

  /** Why this server gave no answer, where another may be asked; else throws. */
  #failure(server: ServerInfo, request: UpstreamRequest, error: unknown): unknown {
    if (error instanceof ProconsulError) throw error;
    // A client that goes away is no news, and no fault of the server.
    if (request.signal?.aborted === true) throw nobodyWaits(error);
    if (isOurFault(error)) throw noFiles(error);
    this.#options.servers.breaker.failed(server.ID);
    if (mayRepeat(request, error)) return error;
    this.#failed++;
    throw answerLost(server.Node, error);
  }

  #attempt(server: ServerInfo, request: UpstreamRequest): Promise<IncomingMessage> {
    const { clock, node } = this.#options;
    const { method, signal, body } = request;
    const { target, headers } = shown({ ...request, node });
    const begun = clock.monotonic();
    const message = this.#ways.begin(request, server, target, {
      method,
      headers: { ...headers, ...traceHeaders(), ...lengthOf(body) },
      ...(signal !== undefined && { signal }),
    });
    return new Promise((resolve, reject) => {
      const answerMs = answerTime(request);
      const cancelAnswer = clock.after(answerMs, () =>
        message.destroy(failed(`did not answer in ${answerMs} ms`, 'ETIMEDOUT')),
      );
      const opening = new Opening(message, clock, request.timeoutMs);
      const end = () => {
        cancelAnswer();
        opening.cancel();
      };
      message.once('response', (response) => {
        end();
        request.onAnswer?.(message.reusedSocket ? clock.monotonic() - begun : undefined);
        resolve(response);
      });
      message.once('error', (error) => {
        end();
        const why = opening.isUnderWay ? neverSent(error) : explained(error, message);
        reject(message.reusedSocket && GONE.has(codeOf(error)) ? wasKept(why) : why);
      });
      message.end(body);
    });
  }
}

/** While a connection is opened: each step of it has a time, and nothing has been sent yet. */
class Opening {
  isUnderWay = false;
  cancel: Cancel = () => undefined;

  constructor(message: ClientRequest, clock: Clock, handshakeMs: number) {
    const end = () => {
      this.isUnderWay = false;
      this.cancel();
    };
    message.once('socket', (socket) => {
      if (!socket.connecting) return;
      this.isUnderWay = true;
      this.cancel = clock.after(CONNECT_MS, () =>
        message.destroy(failed('takes no connection', 'ECONNREFUSED')),
      );
      if (!(socket instanceof TLSSocket)) {
        socket.once('connect', end);
        return;
      }
      socket.once('secureConnect', end);
      socket.once('connect', () => {
        this.cancel();
        // A busy server takes a connection long before it finds the time for a handshake.
        this.cancel = clock.after(handshakeMs, () =>
          message.destroy(failed(`is not done with TLS in ${handshakeMs} ms`, 'ETIMEDOUT')),
        );
      });
    });
  }
}

/** How it is told that whoever is at the other end has closed a connection, or knows nothing of it. */
const GONE: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? '';
}

function wasKept(error: Error): Error {
  return Object.assign(error, { wasKept: true });
}

function neverSent(error: Error): Error {
  return Object.assign(error, { neverSent: true });
}

/** Here alone it is known what a server adds to a wait: who forgot it would call it a failure. */
export function answerTime({
  timeoutMs,
  waitMs = 0,
}: Pick<UpstreamRequest, 'timeoutMs' | 'waitMs'>): number {
  return timeoutMs + waitMs * (1 + WAIT_JITTER_FRACTION);
}

/**
 * Node says it by itself for some methods alone: behind a DELETE the server would take a body of unknown
 * length for the next request on that connection, and its answer would go to the next client.
 */
function lengthOf(body: Buffer | undefined) {
  return body && { 'Content-Length': body.length };
}

function failed(why: string, code: string): Error {
  return Object.assign(new Error(`the server ${why}`), { code });
}

function answerLost(server: string, cause: unknown): ProconsulError {
  return new ProconsulError('unknown', `${server} did not answer`, { cause });
}

export function nobodyWaits(cause?: unknown): ProconsulError {
  return new ProconsulError('unavailable', 'nobody waits for the answer any more', { cause });
}

/** No connection could be opened, to whatever server. */
function noFiles(cause: unknown): ProconsulError {
  return new ProconsulError('busy', 'too many open files', { cause });
}

function isOurFault(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE' || code === 'EADDRNOTAVAIL';
}

/** A read may always be sent again; a write only if no server can have seen it. */
function mayRepeat({ method, repeatable }: UpstreamRequest, error: unknown): boolean {
  if (method === 'GET' || method === 'HEAD' || repeatable === true) return true;
  const { code = '', neverSent } = error as NodeJS.ErrnoException & { neverSent?: true };
  // By TLS 1.3 a server refuses a certificate when the client takes the handshake for done.
  const isRefused = /^ERR_SSL_.*_ALERT_/.test(code);
  const isAway = code === 'ECONNREFUSED' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH';
  return neverSent === true || isRefused || isAway;
}

/** A server that does not trust an agent's certificate says nothing at all. */
function explained(error: NodeJS.ErrnoException, { reusedSocket, socket }: ClientRequest): Error {
  if (error.code !== 'ECONNRESET' || reusedSocket || !(socket instanceof TLSSocket)) return error;
  const why = 'hung up on a new connection: it may not trust the certificate of this agent';
  return Object.assign(failed(why, error.code), { cause: error });
}
