/** Makes the catalog say what the cluster says, in this sync's turn: by transactions, which fail where the lock is another's. */
import { type Clock, pause } from '../../lib/clock.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { MAX_TEXT, MAX_TXN_OPS } from '../../lib/limits.ts';
import type { Logger } from '../../lib/logger.ts';
import { Sample } from '../../lib/metrics/sample.ts';
import { Notices } from '../../lib/notices.ts';
import type { Random } from '../../lib/random.ts';
import { Retries, retryMs } from '../../lib/retries.ts';
import { Waiters } from '../../lib/waiters.ts';
import { type Said, textIn } from '../api/shapes.ts';
import type { Catalog } from '../catalog.ts';
import { Sending } from '../sending.ts';
import type { Fence } from '../way.ts';
import { differences, type Operation } from './differences.ts';
import type { WantedInstance } from './instances.ts';
import { KnownInTurn } from './known-in-turn.ts';
import { type Due, Pending } from './pending.ts';
import type { Registered } from './registered.ts';
import { ownerOf } from './rows.ts';
import type { SyncRules } from './rules.ts';
import { answerIn, bytesOf, faultsIn, indexesIn } from './transactions.ts';
import type { Wanted } from './wanted.ts';

/** Transactions on their way at once. */
const AT_ONCE = 4;
/** As the catalog says that somebody else wrote it meanwhile. */
const LOST_RACE = /index is stale/;
/** A transaction that is none: it is too large, or one of its operations cannot be read. */
const REFUSED_WHOLE = [400, 413];
/** A server takes half a megabyte in one transaction. */
const MAX_BATCH_BYTES = 256 * 1024;
/** After the first that nobody knows the end of: another server may answer; then less and less soon. */
const RETRY_MS = 500;
const MAX_FAILURES = 3;
/** Nothing comes of it to look once more. */
const IDLE_MS = 3600_000;
/** Between two looks of whoever waits for its turn at what changed. */
const WAITING_LOOK_MS = 250;
/** So many that are as they ought to be are looked at in one turn of the event loop: beats have to go out meanwhile. */
const MAX_LOOKS = 1000;

export interface WriterDeps {
  readonly wanted: Wanted;
  readonly registered: Registered;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

interface Change {
  readonly id: string;
  /** When it was known that something of it may differ. */
  readonly since: number;
  readonly want: WantedInstance | undefined;
  readonly operations: readonly Operation[];
}

interface Batch {
  readonly changes: readonly Change[];
  /** Of what was refused before. */
  readonly isApart: boolean;
}

const NOTHING: Batch = { changes: [], isApart: false };

export class Writer {
  readonly #deps: WriterDeps;
  readonly #rules: Pick<SyncRules, 'node' | 'owner'>;
  readonly #notices: Notices;
  readonly #retries: Retries;
  readonly #pending: Pending;
  #drainedAt = 0;
  /** What changed is looked at a part in each turn of the event loop. */
  #isDraining = false;
  /** Transactions on their way of what was refused before. */
  #apart = 0;
  /** There is more to be looked at than was. */
  #isCut = false;
  readonly #waiters: Waiters;
  /** What is known may not be so: a write has had no answer. */
  #isDoubtful = false;
  /** In a row, since a write was answered. */
  #failures = 0;
  readonly #known: KnownInTurn;
  #isWriting = false;
  /** Changes of instances that the catalog took, and those that it did not take. */
  written = 0;
  refused = 0;
  /** From when a change was read to when it was taken. */
  readonly late = new Sample();

  constructor(deps: WriterDeps, rules: Pick<SyncRules, 'node' | 'owner'>) {
    this.#deps = deps;
    this.#rules = rules;
    const { wanted, registered } = deps;
    this.#pending = new Pending(
      (id) => wanted.get(id)?.service.Service ?? textIn(registered.get(id)?.service['Service']),
    );
    this.#known = new KnownInTurn(deps);
    this.#waiters = new Waiters(deps.clock);
    this.#notices = new Notices((text) => deps.logger.warn(`k8s: ${text}`));
    this.#retries = new Retries(deps.clock, deps.random, (id) => {
      this.#add(id);
      this.#waiters.wakeAll();
    });
  }

  get waiting(): number {
    return this.#pending.size;
  }

  /** Something of the cluster, or of the catalog, is otherwise than before. */
  look(): void {
    this.#waiters.wakeAll();
    const isDue = this.#deps.clock.monotonic() - this.#drainedAt > WAITING_LOOK_MS;
    // Whoever takes its turn soon is to know by then what it comes to.
    if (!this.#isWriting && isDue && !this.#isDraining) this.#drainAll();
  }

  /** The catalog was read, or a list: all is to be compared; by whoever waits, what it did not know to be so. */
  heard(): void {
    const { wanted, registered } = this.#deps;
    if (!this.#isWriting) {
      if (!this.#isDraining) this.#drainAll();
      for (const id of this.#pending.ids())
        if (!wanted.isBehindOn(id) && this.#changeOf(id).operations.length === 0)
          this.#pending.delete(id);
      return;
    }
    for (const id of wanted.ids()) this.#add(id);
    for (const id of registered.ids()) this.#add(id);
    this.#waiters.wakeAll();
  }

  /**
   * Until the signal is aborted; rejects with ProconsulError 'rejected' where the lock is another's. What changed lately
   * is written at once, over what was seen while another had the turn: each instance only as it was then, so that nothing
   * goes over what is newer. Then the node is read, and all is compared. Nothing is taken out before `listed` resolves, by
   * lists of the cluster that were begun in this turn.
   */
  async run(fence: Fence, listed: Promise<unknown>, signal: AbortSignal): Promise<void> {
    const sending = new Sending(() => this.#waiters.wakeAll());
    this.#isWriting = true;
    this.#known.begin();
    this.#failures = 0;
    this.#pending.begin();
    const known = listed.then(() => {
      this.#known.listed();
      this.#waiters.wakeAll();
    });
    try {
      while (!signal.aborted) {
        sending.throwFailure();
        if (this.#isDoubtful) await this.#readAnew(sending, known, signal);
        else if (!this.#sendNext(sending, fence, signal)) await this.#untilMore(sending, signal);
      }
    } finally {
      await sending.all();
      this.#retries.stop();
      this.#isWriting = false;
      this.#deps.registered.isWriting = false;
      this.#known.end();
    }
    sending.throwFailure();
  }

  async #untilMore(sending: Sending, signal: AbortSignal): Promise<void> {
    const { isBehind } = this.#deps.wanted;
    if (isBehind) this.#drain();
    if (isBehind || (this.#isCut && sending.size < AT_ONCE))
      await new Promise<void>((resolve) => setImmediate(resolve));
    else if (this.#known.isSure || sending.size > 0) await this.#waiters.wait(IDLE_MS, signal);
    else this.#isDoubtful = true;
  }

  /** Whether there was anything to send, and room for it. */
  #sendNext(sending: Sending, fence: Fence, signal: AbortSignal): boolean {
    const { changes, isApart } = sending.size < AT_ONCE ? this.#nextBatch() : NOTHING;
    if (changes.length === 0) return false;
    const more = Number(isApart);
    this.#apart += more;
    sending.add(
      this.#send(fence, changes, signal).finally(() => {
        this.#apart -= more;
      }),
    );
    return true;
  }

  /** What is read has all compared. */
  async #readAnew(sending: Sending, listed: Promise<void>, signal: AbortSignal): Promise<void> {
    const { registered } = this.#deps;
    await sending.all();
    try {
      this.#known.reading();
      await Promise.all([registered.readAnew(signal), listed]);
      this.#isDoubtful = false;
      registered.isWriting = true;
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      if (!signal.aborted) this.#notices.tell('', `cannot read the catalog: ${messageOf(error)}`);
      await this.#retreat(signal);
    }
  }

  /** Of several that were on their way at once each waits as long as the first. */
  async #retreat(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    const failures = this.#failures;
    const ms = failures === 0 ? RETRY_MS : retryMs(Math.min(failures, MAX_FAILURES), random);
    await pause(clock, ms, signal);
    this.#failures = failures + 1;
  }

  /** What was refused has one transaction at a time, so that it holds up nothing else; all of them where there is nothing else. */
  #nextBatch(): Batch {
    this.#isCut = false;
    this.#drain();
    const { isSure } = this.#known;
    const apart = isSure && this.#apart === 0 ? this.#nextApart() : [];
    if (apart.length > 0) return { changes: apart, isApart: true };
    const changes = this.#batchOf(this.#known.inOrder(this.#pending));
    const isAny = changes.length > 0 || !isSure || this.#apart === 0;
    return isAny ? { changes, isApart: false } : { changes: this.#nextApart(), isApart: true };
  }

  #nextApart(): readonly Change[] {
    for (const queue of this.#pending.apart()) {
      const batch = this.#batchOf(queue);
      if (batch.length > 0) return batch;
    }
    return [];
  }

  /** As many as one transaction takes: the others are compared when it is their turn, for they may change meanwhile. */
  #batchOf(queue: Iterable<readonly [id: string, due: Due]>): readonly Change[] {
    const batch: Change[] = [];
    let [count, bytes, looks] = [1, 0, 0];
    for (const [id, { since, at }] of queue) {
      if (this.#known.isHeld(id, at)) continue;
      const change = { ...this.#changeOf(id), since };
      const { length } = change.operations;
      const more = bytesOf(change.operations);
      const isFull = count + length > MAX_TXN_OPS || bytes + more > MAX_BATCH_BYTES;
      // What belongs to one instance is in one transaction.
      if (length > 0 && batch.length > 0 && isFull) break;
      this.#pending.delete(id);
      if (length === 0) {
        this.#settled(id);
        if (++looks < MAX_LOOKS) continue;
        this.#isCut = true;
        break;
      }
      batch.push(change);
      count += length;
      bytes += more;
    }
    return batch;
  }

  /** Of what is gone nothing is kept: it may be of one that registers and ends without end. */
  #settled(id: string): void {
    const { wanted, registered } = this.#deps;
    this.#pending.settled(id);
    if (wanted.get(id) !== undefined || registered.get(id) !== undefined) return;
    this.#retries.succeeded(id);
    this.#notices.clear(id);
  }

  /** By whoever waits for its turn, and is to know by then what changed. */
  #drainAll(): void {
    this.#drain();
    this.#isDraining = this.#deps.wanted.isBehind && !this.#isWriting;
    if (this.#isDraining) setImmediate(() => this.#drainAll());
  }

  #drain(): void {
    this.#drainedAt = this.#deps.clock.monotonic();
    for (const [id, at] of this.#deps.wanted.drain()) this.#pending.changed(id, at);
  }

  #add(id: string, since = this.#deps.clock.monotonic()): void {
    this.#pending.add(id, since);
  }

  #changeOf(id: string): Omit<Change, 'since'> {
    const { wanted, registered } = this.#deps;
    const [want, row] = [wanted.get(id), registered.get(id)];
    const owner = row === undefined ? this.#rules.owner : ownerOf(row);
    if (wanted.isUndecided(id, row?.service)) return { id, want, operations: [] };
    // Nobody has marked what came by consul-k8s: it is taken over where it is wanted, and else left alone.
    const mayWrite = owner === this.#rules.owner || (owner === '' && want !== undefined);
    const { isSure } = this.#known;
    if (mayWrite) return { id, want, operations: differences(this.#rules.node, want, row, isSure) };
    if (want !== undefined && isSure)
      this.#notices.tell(id, `"${id}" is left alone: it is of ${owner}`);
    return { id, want, operations: [] };
  }

  /** What was not done is pending again. */
  async #send(fence: Fence, batch: readonly Change[], signal: AbortSignal): Promise<void> {
    const { catalog, clock, registered } = this.#deps;
    const check = { KV: { Verb: 'check-session', Key: fence.key, Session: fence.session } };
    const body = [check, ...batch.flatMap(({ operations }) => operations)];
    try {
      const accept = [409, ...REFUSED_WHOLE];
      const ids = batch.map(({ id }) => id);
      const answer = await registered.writing(ids, () =>
        catalog.ask({ method: 'PUT', path: '/v1/txn', body, accept }, signal),
      );
      const { status } = answer;
      if (REFUSED_WHOLE.includes(status)) return this.#refusedWhole(batch, answer.text);
      const said = answerIn(answer);
      this.#failures = 0;
      if (status === 409) return await this.#refused(batch, said, signal);
      const indexes = indexesIn(said);
      for (const { id, want, since } of batch) {
        this.late.observe(clock.monotonic() - since);
        registered.wrote(id, want, indexes.get(id));
        this.#pending.settled(id);
        this.#retries.succeeded(id);
        this.#notices.clear(id);
        this.written++;
      }
      this.#notices.clear('');
    } catch (error) {
      for (const { id, since } of batch) this.#add(id, since);
      if (signal.aborted || (error instanceof ProconsulError && error.code === 'rejected'))
        throw error;
      this.#isDoubtful = true;
      this.#notices.tell('', `the catalog takes nothing: ${messageOf(error)}`);
      await this.#retreat(signal);
    }
  }

  /** Nothing says which one it is about: each goes out by itself, and holds up no other. */
  #refusedWhole(batch: readonly Change[], why: string): void {
    this.#failures = 0;
    for (const { id, since } of batch) {
      this.#pending.setAlone(id);
      if (batch.length > 1) this.#add(id, since);
      else {
        this.refused++;
        this.#notices.tell(id, `"${id}" is not taken: ${why.trim().slice(0, MAX_TEXT)}`);
        this.#retries.failed(id);
      }
    }
  }

  /** Each for itself: one that the token may not write, or that cannot be, keeps no other from being written. */
  async #refused(
    batch: readonly Change[],
    errors: readonly Said[],
    signal: AbortSignal,
  ): Promise<void> {
    const whats = faultsIn(errors);
    const lost = whats.get(0);
    if (lost !== undefined) throw new ProconsulError('rejected', `the lock is another's: ${lost}`);
    const [refused, raced]: [string[], string[]] = [[], []];
    let at = 1;
    for (const { id, operations, since } of batch) {
      const what = operations.map((_, i) => whats.get(at + i)).find((each) => each !== undefined);
      at += operations.length;
      if (what === undefined || !this.#known.isSure) {
        this.#add(id, since);
        if (what !== undefined) this.#known.setStale(id);
        continue;
      }
      refused.push(id);
      if (LOST_RACE.test(what)) raced.push(id);
      this.#notices.tell(id, `"${id}" is not taken: ${what}`);
      this.#retries.failed(id);
    }
    this.refused += refused.length;
    this.#pending.setApart(refused);
    // Else it would be written over what it is no more, until all of the node is read again.
    if (raced.length > 0) await this.#readRaced(raced, signal);
  }

  async #readRaced(ids: readonly string[], signal: AbortSignal): Promise<void> {
    try {
      await this.#deps.registered.readSome(ids, signal);
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
    }
  }
}
