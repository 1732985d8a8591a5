/**
 * Group commit: commands go to the log in batches, as many at a time as the log takes. Whatever is proposed
 * while they are under way shares the next, so that a busy server makes one round trip or one fsync for
 * many writes, and an idle one waits for nobody.
 */
import { noLeader, ProconsulError } from '../lib/errors.ts';
import { batchTurn } from '../lib/long-turns.ts';
import { Sample } from '../lib/metrics/sample.ts';
import { CommandTimes } from './command-times.ts';
import type { Command } from './commands.ts';
import type { Proposal } from './log/event-log.ts';
import { encodeProposal } from './log/payload.ts';
import { Pace } from './pace.ts';
import type { Outcome } from './state/outcome.ts';

const MAX_BATCH = 512;
/** A batch that is larger is written, and applied, in some ten milliseconds; everybody waits for as long. */
const MAX_BATCH_BYTES = 512 * 1024;
/** Takes some milliseconds. */
const LARGE_BATCH_BYTES = 64 * 1024;
/** Beyond these a client is told at once rather than kept waiting: the log does not keep up. */
const MAX_WAITING = 20_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

interface Waiting {
  readonly type: Command['type'];
  /** When it was proposed. */
  readonly from: number;
  /** What applying the entry came to here; undefined until then. */
  outcome?: Outcome;
  /** Whether the log has said that the entry is in it for good. */
  isCommitted: boolean;
  readonly proposal: Proposal;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/** All that a proposer needs of the log. */
export interface Appends {
  readonly batchesAtOnce?: number | undefined;
  append(batch: readonly Proposal[]): Promise<void>;
}

export class Proposer {
  readonly #log: Appends;
  /** Names this boot of this server: a proposal's id is never used twice. */
  readonly #boot: string;
  readonly #now: () => number;
  #counter = 0;
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  readonly #underWay = new Map<string, Waiting>();
  readonly #pace: Pace;
  /** How many batches are with the log, of how many in all. */
  #batches = 0;
  #withLog = 0;
  #flushing = false;
  #stopped = false;
  /** How long the log took for each batch, and how many entries were in it. */
  readonly append = new Sample();
  readonly batch = new Sample();
  /** From the proposal to its outcome. */
  readonly took = new CommandTimes();
  /** How many found too much waiting. */
  turnedAway = 0;

  /** `now` in milliseconds that never go back. */
  constructor(log: Appends, boot: string, now: () => number) {
    this.#log = log;
    this.#boot = boot;
    this.#now = now;
    this.#pace = new Pace(now, log.batchesAtOnce ?? 1, MAX_BATCH);
  }

  /**
   * The outcome of the command once it is in the log and applied here. Rejects 'unavailable' when
   * it certainly is not in the log, 'unknown' when it may be; 'invalid' or 'too-large' (see
   * encodeProposal) before it could share a batch with the commands of others.
   */
  propose(command: Command): Promise<Outcome> {
    return new Promise((resolve, reject) => this.#enqueue(command, resolve, reject));
  }

  #enqueue(command: Command, resolve: Waiting['resolve'], reject: Waiting['reject']): void {
    if (this.#stopped) throw noLeader();
    const proposal = encodeProposal(`${this.#boot}/${this.#counter}`, command);
    const bytes = this.#queuedBytes + proposal.bytes;
    if (this.#queue.length >= MAX_WAITING || bytes > MAX_WAITING_BYTES) {
      this.turnedAway++;
      throw new ProconsulError('busy', 'too many writes are waiting');
    }
    this.#counter++;
    this.#queuedBytes = bytes;
    const { type } = command;
    const from = this.#now();
    this.#queue.push({ isCommitted: false, type, from, proposal, resolve, reject });
    if (this.#flushing || !this.#mayGo()) return;
    this.#flushing = true;
    // At the end of this turn, so that all requests that came in together go out together.
    setImmediate(() => void this.#flush());
  }

  /** How many wait for the log, or for its word. */
  get waiting(): number {
    return this.#queue.length + this.#underWay.size;
  }

  /**
   * The replica's word on each entry; ids of others are passed over. The log's word is awaited too:
   * what one server has applied may be lost yet, where a majority is to have it.
   */
  settle(id: string, outcome: Outcome): void {
    const waiting = this.#underWay.get(id);
    if (waiting === undefined) return;
    waiting.outcome = outcome;
    if (waiting.isCommitted) this.#answer(waiting, outcome);
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
    for (const { reject } of this.#take(this.#queue.length)) reject(noLeader());
  }

  #mayGo(): boolean {
    return this.#pace.goes(this.#queue.length, this.#batches, this.#withLog);
  }

  async #flush(): Promise<void> {
    if (this.#batches === 0) await this.#gather();
    // Whoever waited may have been told meanwhile that nothing more is taken.
    if (this.#queue.length > 0) {
      const batch = this.#take(this.#batchLength());
      this.#pace.gone();
      for (const waiting of batch) this.#underWay.set(waiting.proposal.id, waiting);
      // The next large one may just be read: to apply this one in the same turn takes twice as long.
      if (bytesOf(batch) >= LARGE_BATCH_BYTES) await batchTurn();
      void this.#send(batch);
    }
    this.#flushing = false;
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    this.#batches++;
    this.#withLog += batch.length;
    const from = this.#now();
    let tookMs: number | undefined;
    try {
      await this.#log.append(batch.map(({ proposal }) => proposal));
      tookMs = this.#now() - from;
      this.append.observe(tookMs);
      this.batch.observe(batch.length);
      this.#committed(batch);
    } catch (error) {
      this.#fail(batch, error);
    }
    this.#batches--;
    this.#withLog -= batch.length;
    const [count, waiting, others] = [batch.length, this.#queue.length, this.#withLog];
    if (tookMs !== undefined) this.#pace.back({ count, waiting, others, tookMs });
    if (this.#flushing || !this.#mayGo()) return;
    this.#flushing = true;
    await this.#flush();
  }

  /** At least one: what is larger than a batch goes alone. */
  #batchLength(): number {
    const most = this.#pace.together;
    let length = 0;
    let bytes = 0;
    for (const { proposal } of this.#queue) {
      bytes += proposal.bytes;
      if (length === most || (length > 0 && bytes > MAX_BATCH_BYTES)) break;
      length++;
    }
    return length;
  }

  #take(count: number): Waiting[] {
    const taken = this.#queue.splice(0, count);
    for (const { proposal } of taken) this.#queuedBytes -= proposal.bytes;
    return taken;
  }

  /**
   * Without a moment's patience they fall into two groups that take turns for ever, and half of each
   * round trip or fsync is given away. It lasts as long as they come, and begins with the first of them:
   * while nobody waits, nobody looks, and nobody does once this is stopped, whatever the time.
   */
  async #gather(): Promise<void> {
    const { count, until, quietMs } = this.#pace.expected;
    let seen = this.#queue.length;
    let at = this.#now();
    for (let cameAt = at; seen < count && at < until && at - cameAt <= quietMs; at = this.#now()) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#stopped) break;
      if (this.#queue.length > seen) cameAt = this.#now();
      seen = this.#queue.length;
    }
  }

  #committed(batch: readonly Waiting[]): void {
    for (const waiting of batch) {
      waiting.isCommitted = true;
      if (waiting.outcome !== undefined) this.#answer(waiting, waiting.outcome);
    }
  }

  #answer({ proposal, type, from, resolve }: Waiting, outcome: Outcome): void {
    if (!this.#underWay.delete(proposal.id)) return;
    this.took.observe(type, this.#now() - from);
    resolve(outcome);
  }

  #fail(batch: readonly Waiting[], error: unknown): void {
    for (const { proposal, reject } of batch) {
      // A restore may have settled it meanwhile.
      if (this.#underWay.delete(proposal.id)) reject(error);
    }
  }
}

function bytesOf(batch: readonly Waiting[]): number {
  return batch.reduce((sum, { proposal }) => sum + proposal.bytes, 0);
}
