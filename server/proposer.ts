/**
 * Group commit: commands go to the log in batches, one batch at a time. Whatever is proposed while
 * one is under way shares the next, so that a busy server makes one round trip or one fsync for
 * many writes, and an idle one waits for nobody.
 */
import { noLeader, ProconsulError } from '../lib/errors.ts';
import type { Command } from './commands.ts';
import type { EventLog, Proposal } from './log/event-log.ts';
import type { Outcome } from './state/outcome.ts';

const MAX_BATCH = 512;
/** Beyond it a client is told at once rather than kept waiting: the log does not keep up. */
const MAX_WAITING = 20_000;

/** How long a batch waits for more, measured by what the last one took: little for a quick log. */
const PATIENCE = 0.25;
const MAX_PATIENCE_MS = 3;

interface Waiting {
  readonly proposal: Proposal;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

export class Proposer {
  readonly #log: EventLog;
  /** Names this boot of this server: a proposal's id is never used twice. */
  readonly #boot: string;
  readonly #now: () => number;
  #counter = 0;
  #queue: Waiting[] = [];
  readonly #underWay = new Map<string, Waiting>();
  #flushing = false;
  #stopped = false;

  /** `now` in milliseconds that never go back. */
  constructor(log: EventLog, boot: string, now: () => number) {
    this.#log = log;
    this.#boot = boot;
    this.#now = now;
  }

  /**
   * The outcome of the command once it is in the log and applied here. Rejects 'unavailable' when
   * it certainly is not in the log, 'unknown' when it may be.
   */
  propose(command: Command): Promise<Outcome> {
    if (this.#stopped) return Promise.reject(noLeader());
    if (this.#queue.length >= MAX_WAITING) {
      return Promise.reject(new ProconsulError('busy', 'too many writes are waiting'));
    }
    return new Promise((resolve, reject) => {
      const proposal = { id: `${this.#boot}/${this.#counter++}`, command };
      this.#queue.push({ proposal, resolve, reject });
      if (this.#flushing) return;
      this.#flushing = true;
      // At the end of this turn, so that all requests that came in together go out together.
      setImmediate(() => void this.#flush());
    });
  }

  /** The replica's word on each entry; ids of others are passed over. */
  settle(id: string, outcome: Outcome): void {
    const waiting = this.#underWay.get(id);
    if (waiting === undefined) return;
    this.#underWay.delete(id);
    waiting.resolve(outcome);
  }

  /**
   * The state was replaced by a snapshot: what is under way may be in there, and then its outcome
   * was seen by nobody here.
   */
  restored(): void {
    const lost = [...this.#underWay.values()];
    this.#underWay.clear();
    for (const { reject } of lost) {
      reject(new ProconsulError('unknown', 'the state was restored while the write was under way'));
    }
  }

  /** Nothing more is taken; what is under way settles with the log. */
  stop(): void {
    this.#stopped = true;
    for (const { reject } of this.#queue.splice(0)) reject(noLeader());
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, MAX_BATCH);
      for (const waiting of batch) this.#underWay.set(waiting.proposal.id, waiting);
      const from = this.#now();
      try {
        await this.#log.append(batch.map(({ proposal }) => proposal));
        await this.#gather(this.#queue.length + batch.length, this.#now() - from);
      } catch (error) {
        this.#fail(batch, error);
      }
    }
    this.#flushing = false;
  }

  /**
   * Those who were just answered mostly write again at once. Without a moment's patience they fall
   * into two groups that take turns for ever, and half of each round trip or fsync is given away.
   */
  async #gather(expected: number, tookMs: number): Promise<void> {
    const until = this.#now() + Math.min(tookMs * PATIENCE, MAX_PATIENCE_MS);
    while (this.#queue.length < expected && this.#now() < until) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #fail(batch: readonly Waiting[], error: unknown): void {
    for (const { proposal, reject } of batch) {
      // Those that the replica has seen meanwhile are settled already.
      if (this.#underWay.delete(proposal.id)) reject(error);
    }
  }
}
