/** Asks servers once for what several local clients want at the same time. */
import type { IncomingHttpHeaders } from 'node:http';
import { noLeader, ProconsulError } from '../../lib/errors.ts';
import { readAnswer } from './read-body.ts';
import type { Upstream, UpstreamRequest } from './upstream.ts';

/** A server's whole answer, which many clients may be sent. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Every instance of a large cluster in one answer fits. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

interface Query {
  readonly answer: Promise<Answer>;
  readonly abort: AbortController;
  clients: number;
}

export class SharedQueries {
  readonly #upstream: Upstream;
  readonly #running = new Map<string, Query>();

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  /** How many queries are on their way to servers. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * The answer to this query, which all callers of an equal one share. When the last of them has
   * gone the query is aborted.
   */
  async ask(
    request: Omit<UpstreamRequest, 'signal' | 'method'>,
    token: string,
    signal: AbortSignal,
  ): Promise<Answer> {
    const key = `${token}\n${request.target}`;
    const query = this.#running.get(key) ?? this.#begin(key, request);
    query.clients++;
    const leave = () => {
      query.clients--;
      if (query.clients > 0) return;
      query.abort.abort();
      this.#forget(key, query);
    };
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    try {
      return await query.answer;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #begin(key: string, request: Omit<UpstreamRequest, 'signal' | 'method'>): Query {
    const abort = new AbortController();
    const answer = this.#fetch({ ...request, method: 'GET', signal: abort.signal });
    const query: Query = { answer, abort, clients: 0 };
    this.#running.set(key, query);
    const forget = () => this.#forget(key, query);
    answer.then(forget, forget);
    return query;
  }

  #forget(key: string, query: Query): void {
    if (this.#running.get(key) === query) this.#running.delete(key);
  }

  async #fetch(request: UpstreamRequest): Promise<Answer> {
    const response = await this.#upstream.send(request);
    const body = await readAnswer(response, MAX_ANSWER_BYTES).catch((cause: unknown) => {
      throw cause instanceof ProconsulError ? cause : noLeader(cause);
    });
    return { status: response.statusCode ?? 500, headers: response.headers, body };
  }
}
