/** Sends requests to servers, with failover to the next one where that is safe. */
import http, {
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import https from 'node:https';
import type { Cancel, Clock } from '../../lib/clock.ts';
import { NO_LEADER, noLeader, ProconsulError } from '../../lib/errors.ts';
import type { ServerInfo } from '../../lib/membership.ts';
import type { ServerList } from './server-list.ts';

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query string. */
  readonly target: string;
  /** By which the ring chooses the server. */
  readonly key: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: Buffer;
  /** How long the server may take to begin its answer: a blocking query takes its wait. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** A write that does no more when it is done twice. */
  readonly repeatable?: boolean;
}

export interface UpstreamOptions {
  readonly servers: ServerList;
  readonly clock: Clock;
}

const CONNECTIONS = {
  keepAlive: true,
  /** Enough for the watchers of one machine; Node opens what is needed. */
  maxSockets: 512,
  /** An idle one is closed long before the server closes it under a request. */
  timeout: 60_000,
};
/** A server that does not even take a connection in this time is as good as gone. */
const CONNECT_MS = 2000;
/** How many servers a request tries at most. */
const MAX_ATTEMPTS = 3;

export class Upstream {
  readonly #options: UpstreamOptions;
  readonly #agent = new http.Agent(CONNECTIONS);
  readonly #secureAgent = new https.Agent(CONNECTIONS);
  /** By server. */
  readonly #underWay = new Map<string, Set<ClientRequest>>();

  constructor(options: UpstreamOptions) {
    this.#options = options;
    // A machine that is switched off says nothing: what waits for it would wait in vain.
    options.servers.onGone((id) => {
      for (const message of this.#underWay.get(id) ?? []) message.destroy(timeout('is gone'));
    });
  }

  /**
   * The answer of the first server that gives one; its body is still to be read. Rejects with
   * 'unavailable' when no server was there, with 'unknown' for a write whose answer got lost.
   */
  async send(request: UpstreamRequest): Promise<IncomingMessage> {
    const { servers } = this.#options;
    let cause: unknown;
    const tried = new Set<string>();
    while (tried.size < MAX_ATTEMPTS) {
      // Anew each time: which servers there are may have changed while one was asked.
      const server = servers.inOrder(request.key).find(({ Url }) => !tried.has(Url));
      if (server === undefined) break;
      tried.add(server.Url);
      try {
        const response = await this.#ask(server, request);
        servers.breaker.succeeded(server.ID);
        if (!isRefusal(response)) return response;
        // It has no leader or log, and has done nothing: another may be better off.
        response.resume();
        cause = new ProconsulError('unavailable', NO_LEADER);
      } catch (error) {
        if (request.signal?.aborted === true) throw error;
        servers.breaker.failed(server.ID);
        cause = error;
        if (!mayRepeat(request, error)) {
          throw new ProconsulError('unknown', `${server.Node} did not answer`, { cause });
        }
      }
    }
    throw noLeader(cause ?? new ProconsulError('unavailable', 'no server is known'));
  }

  /** Open connections that nobody waits on are closed; those under way break off. */
  stop(): void {
    this.#agent.destroy();
    this.#secureAgent.destroy();
  }

  #track(id: string, message: ClientRequest): void {
    const requests = this.#underWay.get(id) ?? new Set();
    this.#underWay.set(id, requests);
    requests.add(message);
    message.once('close', () => {
      requests.delete(message);
      if (requests.size === 0) this.#underWay.delete(id);
    });
  }

  #ask(server: ServerInfo, request: UpstreamRequest): Promise<IncomingMessage> {
    const { clock } = this.#options;
    const secure = server.Url.startsWith('https:');
    return new Promise((resolve, reject) => {
      const message = (secure ? https : http).request(server.Url + request.target, {
        method: request.method,
        headers: request.headers,
        agent: secure ? this.#secureAgent : this.#agent,
        ...(request.signal !== undefined && { signal: request.signal }),
      });
      this.#track(server.ID, message);
      const cancelAnswer = clock.after(request.timeoutMs, () =>
        message.destroy(timeout(`did not answer in ${request.timeoutMs} ms`)),
      );
      let cancelConnect: Cancel = () => undefined;
      message.once('socket', (socket) => {
        if (!socket.connecting) return;
        cancelConnect = clock.after(CONNECT_MS, () =>
          message.destroy(Object.assign(new Error('no connection'), { code: 'ECONNREFUSED' })),
        );
        socket.once('connect', () => cancelConnect());
      });
      const end = () => {
        cancelAnswer();
        cancelConnect();
      };
      message.once('response', (response) => {
        end();
        resolve(response);
      });
      message.once('error', (error) => {
        end();
        reject(error);
      });
      message.end(request.body);
    });
  }
}

function timeout(why: string): Error {
  return Object.assign(new Error(`the server ${why}`), { code: 'ETIMEDOUT' });
}

function isRefusal({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 500 && headers['x-proconsul-applied'] === 'no';
}

/** A read may always be sent again; a write only if no server can have seen it. */
function mayRepeat({ method, repeatable }: UpstreamRequest, error: unknown): boolean {
  if (method === 'GET' || method === 'HEAD' || repeatable === true) return true;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH';
}
