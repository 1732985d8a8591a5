/** One way to ask one query: what is answered to it now, and what those who wait for more share. */
import type { Cancel } from '../../lib/clock.ts';
import type { Params } from '../../lib/http/params.ts';
import type { Pending, Reply, Shared } from '../../lib/http/reply.ts';
import { errorReply } from '../../lib/http/respond.ts';
import { WAIT_JITTER_FRACTION } from '../../lib/limits.ts';
import type { Answer } from '../query/live-answer.ts';
import type { Query } from '../query/query.ts';
import type { Consistency } from '../readiness.ts';
import type { ServerDeps } from './deps.ts';

export interface Asked {
  readonly query: Query;
  readonly params: Params;
  readonly consistency: Consistency;
  /** What its row says of the headers. */
  readonly read: {
    readonly saysConsistency?: boolean;
    readonly cacheable?: boolean;
    readonly bareMissing?: boolean;
  };
}

/** What the headers say beside the answer's own index. */
interface Facts {
  readonly knownLeader: boolean;
  readonly lastContactMs: number;
}

/** What a reading keeps alive beside the answer's body: its query, parameters and headers, about. */
const READING_BYTES = 6 * 1024;

export class Reading {
  readonly deps: ServerDeps;
  readonly asked: Asked;

  constructor(deps: ServerDeps, asked: Asked) {
    this.deps = deps;
    this.asked = asked;
  }

  ready(): Promise<void> | undefined {
    return this.deps.readiness.ready(this.asked.consistency);
  }

  /** The answer as the state stands. */
  current(): Answer {
    return this.deps.answers.read(this.asked.query);
  }

  facts(): Facts {
    return factsOf(this.deps, this.asked.consistency);
  }

  /** Every answer is kept, and none is older than it may be: only the first one is said to be new. */
  cachedReply(): Reply {
    const { shared, ...once } = this.reply();
    const hit = this.deps.answers.wasCached(this.asked.query);
    if (!hit || shared === undefined) return once;
    return { ...once, headers: { ...once.headers, 'X-Cache': 'HIT', Age: '0' }, shared };
  }

  reply(answer: Answer = this.current(), facts: Facts = this.facts()): Reply {
    return replyTo(answer, facts, this.asked, {
      bytes: answer.body.length + READING_BYTES,
      ready: () => this.ready(),
      stands: () => answer.stands && sameFacts(facts, this.facts()),
    });
  }
}

export class PendingReading implements Pending {
  readonly #reading: Reading;
  readonly #wait: { readonly minIndex: number; readonly waitMs: number };
  #waiting = 0;
  /** What some were told, while others that are to be told the same still wait. */
  #told: { readonly answer: Answer; readonly facts: Facts; readonly reply: Reply } | undefined;

  constructor(reading: Reading, wait: { readonly minIndex: number; readonly waitMs: number }) {
    this.#reading = reading;
    this.#wait = wait;
  }

  get bytes(): number {
    return READING_BYTES;
  }

  ready(): Promise<void> | undefined {
    return this.#reading.ready();
  }

  stands(): boolean {
    return this.#reading.current().index <= this.#wait.minIndex;
  }

  join(settle: (reply: Reply) => void): Cancel {
    const { deps, asked } = this.#reading;
    this.#waiting++;
    const cancel = deps.answers.wait(asked.query, {
      minIndex: this.#wait.minIndex,
      waitMs: stretched(this.#wait.waitMs, deps.random.next()),
      onAnswer: (answer) => leave(() => settle(this.#replyOnce(answer))),
      onError: (error) => leave(() => settle(errorReply(error))),
    });
    let isWaiting = true;
    const leave = (then: () => void) => {
      if (!isWaiting) return;
      isWaiting = false;
      then();
      if (--this.#waiting === 0) this.#told = undefined;
    };
    return () => leave(cancel);
  }

  now(): Reply {
    return this.#reading.reply();
  }

  /** One and the same to all who are told the same, so that its bytes are made once. */
  #replyOnce(answer: Answer): Reply {
    const facts = this.#reading.facts();
    const told = this.#told;
    if (told?.answer === answer && sameFacts(told.facts, facts)) return told.reply;
    const reply = this.#reading.reply(answer, facts);
    this.#told = { answer, facts, reply };
    return reply;
  }
}

/** In so many steps: timers of one length cost next to nothing, those of ten thousand do not. */
const WAIT_STEPS = 64;

/** `chance` in [0, 1) stretches the wait, lest many end at once. */
export function stretched(waitMs: number, chance: number): number {
  const share = Math.floor(chance * WAIT_STEPS) / WAIT_STEPS;
  return waitMs * (1 + share * WAIT_JITTER_FRACTION);
}

/** A read that is not stale was confirmed just now, whenever the log was last heard of. */
function factsOf({ readiness }: ServerDeps, consistency: Consistency): Facts {
  const { knownLeader, lastContactMs } = readiness;
  return { knownLeader, lastContactMs: consistency === 'stale' ? Math.round(lastContactMs) : 0 };
}

function sameFacts(a: Facts, b: Facts): boolean {
  return a.knownLeader === b.knownLeader && a.lastContactMs === b.lastContactMs;
}

function replyTo(answer: Answer, facts: Facts, asked: Asked, shared: Shared): Reply {
  const { status, body } = answer;
  if (status === 404 && asked.read.bareMissing === true) return { status, shared };
  return { status, bytes: body, headers: headersOf(answer, facts, asked), shared };
}

/** In the order in which Consul's look best to a person; clients don't mind. */
function headersOf(answer: Answer, facts: Facts, asked: Asked): Record<string, string> {
  const { read, params, consistency } = asked;
  const headers: Record<string, string> = {};
  if (answer.contentType !== '') headers['Content-Type'] = answer.contentType;
  if (answer.contentType === 'text/plain') Object.assign(headers, RAW_GUARD);
  headers['X-Consul-Index'] = String(answer.index);
  headers['X-Consul-Knownleader'] = String(facts.knownLeader);
  headers['X-Consul-Lastcontact'] = String(facts.lastContactMs);
  if (read.saysConsistency === true) headers['X-Consul-Effective-Consistency'] = consistency;
  if (read.cacheable === true && params.has('cached')) headers['X-Cache'] = 'MISS';
  return headers;
}

/** A value is whatever someone wrote: a browser must not take it for a page of ours. */
const RAW_GUARD = { 'X-Content-Type-Options': 'nosniff', 'Content-Security-Policy': 'sandbox' };
