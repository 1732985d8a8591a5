/** Asks servers once for what several local clients want at the same time. */
import type { ServerAnswer } from './answer.ts';
import type { Upstream, UpstreamRequest } from './upstream.ts';

type QueryRequest = Omit<UpstreamRequest, 'signal' | 'method'>;

interface Running {
  readonly answer: Promise<ServerAnswer>;
  readonly abort: AbortController;
  clients: number;
}

export class SharedQueries {
  readonly #upstream: Upstream;
  readonly #running = new Map<string, Running>();

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
  async ask(request: QueryRequest, signal: AbortSignal): Promise<ServerAnswer> {
    const key = `${request.token}\n${request.target}`;
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

  #begin(key: string, request: QueryRequest): Running {
    const abort = new AbortController();
    const answer = this.#upstream.ask({ ...request, method: 'GET', signal: abort.signal });
    const query: Running = { answer, abort, clients: 0 };
    this.#running.set(key, query);
    const forget = () => this.#forget(key, query);
    answer.then(forget, forget);
    return query;
  }

  #forget(key: string, query: Running): void {
    if (this.#running.get(key) === query) this.#running.delete(key);
  }
}
