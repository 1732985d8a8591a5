/**
 * One link after the other, until stopped: finds the master, hears from the sentinels when there
 * is another one, and lets pass what a Redis can bear before it tries again.
 */
import { type Clock, pause } from '../../../../lib/clock.ts';
import { describeChain, noLeader, ProconsulError } from '../../../../lib/errors.ts';
import type { Logger } from '../../../../lib/logger.ts';
import type { Sample } from '../../../../lib/metrics/sample.ts';
import type { Keys } from './keys.ts';
import { PROMISE_MS, RECONNECT_MAX_MS, RECONNECT_MIN_MS } from './limits.ts';
import { type Link, openLink } from './link.ts';
import { FailoverWatch, findMasters } from './masters.ts';
import { type Address, describeAddress, type RedisOptions, sameAddress } from './options.ts';

export interface LinksDeps {
  readonly redis: RedisOptions;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told how long Redis took for each answer. */
  readonly roundTrips?: Sample;
  /** Works with a link for as long as it lasts, and rejects with the reason of its end. */
  readonly use: (link: Link) => Promise<never>;
}

export class Links {
  readonly #deps: LinksDeps;
  readonly #watch: FailoverWatch;
  /** Ends the present pause or attempt to connect: there is news of the master. */
  #attempt = new AbortController();
  #link: Link | undefined;
  /** Who is or will be the master, as a sentinel has said, and until when that is believed. */
  #promised: { readonly address: Address; readonly until: number } | undefined;
  #complaint = '';
  #pauseMs = RECONNECT_MIN_MS;
  #stopped = false;

  constructor(deps: LinksDeps) {
    this.#deps = deps;
    this.#watch = new FailoverWatch(deps.redis, {
      onMaster: (address) => this.#masterMoved(address),
      onPromise: (address) => this.#masterPromised(address),
      onSilence: () => void this.#askForMaster(),
    });
  }

  /** Resolves when stopped, or with a reason for which no other try does better. */
  async run(isFinal: (reason: ProconsulError) => boolean): Promise<ProconsulError> {
    this.#watch.start();
    while (!this.#stopped) {
      this.#attempt = new AbortController();
      const reason = await this.#next();
      if (isFinal(reason)) {
        this.stop();
        // Whoever hears of it ends, and says why.
        return reason;
      }
      this.#complain(describeChain(reason));
      await pause(this.#deps.clock, this.#pauseMs, this.#attempt.signal);
      this.#pauseMs = Math.min(this.#pauseMs * 2, RECONNECT_MAX_MS);
    }
    return noLeader();
  }

  /** The present link is of use: what led to it is over. */
  succeeded(): void {
    this.#pauseMs = RECONNECT_MIN_MS;
    this.#promised = undefined;
    this.#complaint = '';
  }

  stop(): void {
    this.#stopped = true;
    this.#attempt.abort();
    this.#link?.close();
    this.#watch.stop();
  }

  /** Resolves with the reason when a link has ended, or none came to be. */
  async #next(): Promise<ProconsulError> {
    const { redis, keys, clock, roundTrips, use } = this.#deps;
    let link: Link | undefined;
    try {
      const promised = this.#promised;
      const hint = promised !== undefined && clock.monotonic() < promised.until;
      const find = async () =>
        hint ? [promised.address] : await findMasters({ options: redis, keys, clock });
      const { signal } = this.#attempt;
      link = await openLink({ find, signal, redis, keys, clock, roundTrips });
      this.#link = link;
      if (this.#stopped) return noLeader();
      return await use(link);
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      return error;
    } finally {
      link?.close();
    }
  }

  /** Says why there is no link; not again and again while that stays so. */
  #complain(why: string): void {
    if (this.#stopped || this.#attempt.signal.aborted || why === this.#complaint) return;
    this.#complaint = why;
    this.#deps.logger.warn(`redis: ${why}`);
  }

  #masterMoved(address: Address): void {
    const link = this.#link;
    if (link?.closed === false) {
      if (sameAddress(address, link.address)) return;
      this.#deps.logger.info(`redis: the master is now ${describeAddress(address)}`);
      link.close();
    }
    this.#masterPromised(address);
  }

  /** Only of use where there is no master: a planned failover may yet be called off. */
  #masterPromised(address: Address): void {
    if (this.#link?.closed === false) return;
    this.#promised = { address, until: this.#deps.clock.monotonic() + PROMISE_MS };
    this.#attempt.abort();
  }

  async #askForMaster(): Promise<void> {
    if (this.#link?.closed !== false) return;
    const { redis, keys, clock } = this.#deps;
    const [master] = await findMasters({ options: redis, keys, clock }).catch(() => []);
    if (master !== undefined) this.#masterMoved(master);
  }
}
