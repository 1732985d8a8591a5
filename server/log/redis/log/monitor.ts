/**
 * Looks at the meta record several times a second. XREAD does not see that a stream was deleted,
 * flushed, renamed or replaced: it waits, and would skip what a shorter stream numbers anew.
 */
import { type Clock, pause } from '../../../../lib/clock.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { LogServer } from '../../event-log.ts';
import { SNAPSHOT_DUE_BYTES, TAIL_STALL_MS } from '../link/limits.ts';
import type { CheckIn, EpochLink, SeenServer } from '../records/check-in.ts';
import type { History } from '../repair/history.ts';

/** A check-in of another server, and the look that finds it. */
const LOOKS_IN_CONTACT = 2;

export interface MonitorDeps {
  readonly history: History;
  readonly checkIn: CheckIn;
  readonly clock: Clock;
  readonly intervalMs: number;
  /** A snapshot of at least this index is needed by somebody, or due. */
  readonly onWanted: (index: number) => void;
}

export class Monitor {
  readonly #deps: MonitorDeps;
  #peers: readonly SeenServer[] = [];
  #lookedAt = 0;
  /** Where the log ended at the last looks, the newest first. */
  #ends: readonly number[] = [];
  /** The newest snapshot, and how much had been followed when it was first seen. */
  #saved = { index: 0, bytes: 0 };
  /** The same, as this link has shown it: Redis may have come back with an older one. */
  #newestSnapshot = 0;
  /** When we last knew for certain that there was nothing more to read. */
  #contactAt: number;
  /** What Redis had at a look, and we have not applied yet. */
  #ahead: { readonly index: number; readonly at: number } | undefined;

  constructor(deps: MonitorDeps) {
    this.#deps = deps;
    this.#contactAt = deps.clock.monotonic();
  }

  get peers(): readonly SeenServer[] {
    return this.#peers;
  }

  /**
   * The same as they stand now. A server checks in at an interval and is looked at at another one: so
   * much it may be silent, and so far behind, as one that follows all along.
   */
  get servers(): LogServer[] {
    const { clock, intervalMs } = this.#deps;
    const ageMs = clock.monotonic() - this.#lookedAt;
    const readable = this.#ends[LOOKS_IN_CONTACT] ?? 0;
    return this.#peers.map(({ server, silentMs, applied }) => ({
      server,
      silentMs: Math.max(0, Math.round(silentMs + ageMs - LOOKS_IN_CONTACT * intervalMs)),
      applied,
      behind: Math.max(0, readable - applied),
    }));
  }

  get newestSnapshot(): number {
    return this.#newestSnapshot;
  }

  get lastContactMs(): number {
    return Math.max(0, Math.round(this.#deps.clock.monotonic() - this.#contactAt));
  }

  /** To be called when all was applied that Redis had at a moment. */
  inContact(at: number): void {
    this.#contactAt = Math.max(this.#contactAt, at);
  }

  /** To be called when entries were applied. */
  caughtUp(): void {
    const { history } = this.#deps;
    if (this.#ahead === undefined || history.position.index < this.#ahead.index) return;
    this.inContact(this.#ahead.at);
    this.#ahead = undefined;
  }

  /** Rejects when the link ends, or must end since Redis and this server do not agree. */
  async watch(epochLink: EpochLink): Promise<never> {
    this.#ahead = undefined;
    this.#newestSnapshot = 0;
    for (;;) {
      await this.#look(epochLink);
      await pause(this.#deps.clock, this.#deps.intervalMs, epochLink.link.signal);
    }
  }

  async #look(epochLink: EpochLink): Promise<void> {
    const { clock, history, checkIn } = this.#deps;
    const before = history.position.index;
    const sentAt = clock.monotonic();
    const standing = await checkIn.look(epochLink, before);
    const { index, hash, wantedSnapshot } = standing;
    const known = history.ring.at(index);
    if (index < before || (known !== undefined && known.hash !== hash)) {
      throw new ProconsulError('unavailable', 'Redis goes on in another history');
    }
    this.#peers = standing.peers;
    this.#lookedAt = sentAt;
    this.#ends = [index, ...this.#ends].slice(0, LOOKS_IN_CONTACT + 1);
    this.#measure(index, sentAt);
    if (wantedSnapshot > 0 && wantedSnapshot <= history.position.index) {
      this.#deps.onWanted(wantedSnapshot);
    }
    this.#newestSnapshot = standing.snapshot;
    this.#considerSnapshot(standing.snapshot);
  }

  /** Large entries fill Redis long before there are many. */
  #considerSnapshot(index: number): void {
    const { position, followedBytes } = this.#deps.history;
    if (index !== this.#saved.index) this.#saved = { index, bytes: followedBytes };
    if (followedBytes - this.#saved.bytes < SNAPSHOT_DUE_BYTES) return;
    // Asked for once; where nothing comes of it, again when there is half as much more.
    this.#saved = { index, bytes: followedBytes - SNAPSHOT_DUE_BYTES / 2 };
    this.#deps.onWanted(position.index);
  }

  #measure(index: number, sentAt: number): void {
    if (this.#deps.history.position.index >= index) {
      this.inContact(sentAt);
      this.#ahead = undefined;
      return;
    }
    this.#ahead ??= { index, at: sentAt };
    if (sentAt - this.#ahead.at > TAIL_STALL_MS) {
      throw new ProconsulError('unavailable', 'the tail does not get what Redis has');
    }
  }
}
