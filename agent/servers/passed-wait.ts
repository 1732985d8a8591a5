/** A blocking query of clients that is passed on to a server, once for all who sent the same bytes. */
import { atIndex } from '../../lib/http/going-on.ts';
import type { Awaiting, Pending, Place, Reply } from '../../lib/http/reply.ts';
import { errorReply } from '../../lib/http/respond.ts';
import type { ServerAnswer } from './answer.ts';
import { PASSED_STATUS } from './passed-read.ts';
import type { QueryRequest, SharedQueries } from './shared-queries.ts';
import { nobodyWaits } from './upstream.ts';

/** The query, and what is asked by it. */
const KEPT_BYTES = 4096;

export interface PassedWaitDeps {
  readonly shared: SharedQueries;
  /** Whether one more may be passed on. */
  readonly admits: () => boolean;
  /** The token of requests that bring none, by now. */
  readonly token: () => string;
  readonly replyOf: (answer: ServerAnswer) => Reply;
}

export class PassedWait implements Pending {
  readonly bytes = KEPT_BYTES;
  readonly #query: QueryRequest;
  readonly #deps: PassedWaitDeps;
  #told: { readonly answer: ServerAnswer; readonly reply: Reply } | undefined;

  /** A token of '' is the agent's. */
  constructor(query: QueryRequest, deps: PassedWaitDeps) {
    this.#query = query;
    this.#deps = deps;
  }

  ready(): undefined {
    return undefined;
  }

  /** Asked of each that waits, as the rate counts each. */
  stands(): boolean {
    return this.#deps.admits();
  }

  join(awaiting: Awaiting): Place {
    const token = this.#query.token || this.#deps.token();
    const leave = this.#deps.shared.join(
      { ...this.#query, token },
      {
        onAnswer: (answer) => awaiting.settle(this.#replyOnce(answer)),
        onError: (error) => awaiting.settle(errorReply(error)),
      },
    );
    return { leave };
  }

  /** Only a server could say what there is, to a client that most likely has gone. */
  now(): Reply {
    throw nobodyWaits();
  }

  /** Of a refusal its route knows how it goes on. */
  after({ status = 200, headers }: Reply) {
    const index = headers?.['X-Consul-Index'];
    const target = index && PASSED_STATUS.has(status) && atIndex(this.#query.target, index);
    if (!target) return undefined;
    return { index, pending: new PassedWait({ ...this.#query, target }, this.#deps) };
  }

  /** One and the same to all who are told the same, so that its bytes are made once. */
  #replyOnce(answer: ServerAnswer): Reply {
    if (this.#told?.answer === answer) return this.#told.reply;
    const reply = this.#deps.replyOf(answer);
    this.#told = { answer, reply };
    return reply;
  }
}
