/** Asks servers once for what several local clients want at the same time. */
import { largeBodies } from '../../lib/body-room.ts';
import type { Cancel } from '../../lib/clock.ts';
import type { ServerAnswer } from './answer.ts';
import { bytesTo } from './shown.ts';
import { answerTime, nobodyWaits, type Upstream, type UpstreamRequest } from './upstream.ts';
import { WholeAnswer } from './whole-answer.ts';

export type QueryRequest = Omit<UpstreamRequest, 'signal' | 'method' | 'headers' | 'body'>;

/** Who is told, once. */
export interface Asker {
  readonly onAnswer: (answer: ServerAnswer) => void;
  readonly onError: (error: unknown) => void;
}

/** So many are told at a time, and other work comes between. */
const TOLD_AT_ONCE = 64;

interface Running {
  readonly askers: Set<Asker>;
  cancel: Cancel;
}

export class SharedQueries {
  readonly #upstream: Upstream;
  /** The name of this agent's node. */
  readonly #node: string;
  readonly #running = new Map<string, Running>();

  constructor(upstream: Upstream, node: string) {
    this.#upstream = upstream;
    this.#node = node;
  }

  /** How many queries are on their way to servers. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * Tells the answer to this query, never at once; all that ask an equal one share it. When the last of
   * them has gone the query ends.
   */
  join(request: QueryRequest, asker: Asker): Cancel {
    const key = `${request.token}\n${request.target}`;
    const query = this.#running.get(key) ?? this.#begin(key, request);
    query.askers.add(asker);
    return () => {
      if (!query.askers.delete(asker) || query.askers.size > 0) return;
      if (this.#forget(key, query)) query.cancel();
    };
  }

  /** As `join`; rejects when the signal comes. */
  ask(request: QueryRequest, signal: AbortSignal): Promise<ServerAnswer> {
    let gone: () => void = () => undefined;
    const answer = new Promise<ServerAnswer>((onAnswer, onError) => {
      const leave = this.join(request, { onAnswer, onError });
      gone = () => {
        leave();
        onError(nobodyWaits());
      };
      signal.addEventListener('abort', gone, { once: true });
      if (signal.aborted) gone();
    });
    return answer.finally(() => signal.removeEventListener('abort', gone));
  }

  #begin(key: string, request: QueryRequest): Running {
    const query: Running = { askers: new Set(), cancel: () => undefined };
    this.#running.set(key, query);
    const tell = (say: (asker: Asker) => void) => {
      this.#forget(key, query);
      tellSome(query.askers, say);
    };
    const answered = (answer: ServerAnswer) => tell(({ onAnswer }) => onAnswer(answer));
    const askLong = () => {
      const abort = new AbortController();
      query.cancel = () => abort.abort();
      this.#upstream
        .ask({ ...request, method: 'GET', signal: abort.signal })
        .then(answered, (error: unknown) => tell(({ onError }) => onError(error)));
    };
    const relaying = this.#upstream.relay.begin(
      {
        ...request,
        beginMs: answerTime(request),
        request: ({ Url }) => bytesTo(Url, { ...request, node: this.#node }),
      },
      new WholeAnswer(largeBodies.claim(), (answer) => (answer ? answered(answer) : askLong())),
    );
    if (relaying === undefined) askLong();
    else query.cancel = () => relaying.cancel();
    return query;
  }

  /** Whether it was still running. */
  #forget(key: string, query: Running): boolean {
    return this.#running.get(key) === query && this.#running.delete(key);
  }
}

function tellSome(askers: Set<Asker>, say: (asker: Asker) => void): void {
  let told = 0;
  for (const asker of askers) {
    if (told++ === TOLD_AT_ONCE) {
      setImmediate(() => tellSome(askers, say));
      return;
    }
    askers.delete(asker);
    say(asker);
  }
}
