/**
 * One session after the other, until stopped: finds the master, hears from the sentinels when there
 * is another one, and lets pass what a Redis can bear before it tries again.
 */
import { type Clock, pause } from '../../../../lib/clock.ts';
import { describeChain, noLeader, ProconsulError } from '../../../../lib/errors.ts';
import type { Logger } from '../../../../lib/logger.ts';
import type { Keys } from './keys.ts';
import { PROMISE_MS, RECONNECT_MAX_MS, RECONNECT_MIN_MS } from './limits.ts';
import { FailoverWatch, findMasters } from './masters.ts';
import { type Address, describeAddress, type RedisOptions, sameAddress } from './options.ts';
import { openSession, type Session } from './session.ts';

export interface SessionsDeps {
  readonly redis: RedisOptions;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Works with a session for as long as it lasts, and rejects with the reason of its end. */
  readonly use: (session: Session) => Promise<never>;
}

export class Sessions {
  readonly #deps: SessionsDeps;
  readonly #watch: FailoverWatch;
  /** Ends the present pause or attempt to connect: there is news of the master. */
  #attempt = new AbortController();
  #session: Session | undefined;
  /** Who is or will be the master, as a sentinel has said, and until when that is believed. */
  #promised: { readonly address: Address; readonly until: number } | undefined;
  #complaint = '';
  #pauseMs = RECONNECT_MIN_MS;
  #stopped = false;

  constructor(deps: SessionsDeps) {
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
        return reason;
      }
      await pause(this.#deps.clock, this.#pauseMs, this.#attempt.signal);
      this.#pauseMs = Math.min(this.#pauseMs * 2, RECONNECT_MAX_MS);
    }
    return noLeader();
  }

  /** The present session is of use: what led to it is over. */
  succeeded(): void {
    this.#pauseMs = RECONNECT_MIN_MS;
    this.#promised = undefined;
    this.#complaint = '';
  }

  stop(): void {
    this.#stopped = true;
    this.#attempt.abort();
    this.#session?.close();
    this.#watch.stop();
  }

  /** Resolves with the reason when a session has ended, or none came to be. */
  async #next(): Promise<ProconsulError> {
    const { redis, keys, clock, use } = this.#deps;
    let session: Session | undefined;
    try {
      const promised = this.#promised;
      const hint = promised !== undefined && clock.monotonic() < promised.until;
      const find = async () =>
        hint ? [promised.address] : await findMasters({ options: redis, keys, clock });
      session = await openSession({ find, signal: this.#attempt.signal, redis, keys, clock });
      this.#session = session;
      if (this.#stopped) return noLeader();
      return await use(session);
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      this.#complain(describeChain(error));
      return error;
    } finally {
      session?.close();
    }
  }

  /** Says why there is no session; not again and again while that stays so. */
  #complain(why: string): void {
    if (this.#attempt.signal.aborted || why === this.#complaint) return;
    this.#complaint = why;
    this.#deps.logger.warn(`redis: ${why}`);
  }

  #masterMoved(address: Address): void {
    const session = this.#session;
    if (session?.closed === false) {
      if (sameAddress(address, session.address)) return;
      this.#deps.logger.info(`redis: the master is now ${describeAddress(address)}`);
      session.close();
    }
    this.#masterPromised(address);
  }

  /** Only of use where there is no master: a planned failover may yet be called off. */
  #masterPromised(address: Address): void {
    if (this.#session?.closed === false) return;
    this.#promised = { address, until: this.#deps.clock.monotonic() + PROMISE_MS };
    this.#attempt.abort();
  }

  async #askForMaster(): Promise<void> {
    if (this.#session?.closed !== false) return;
    const { redis, keys, clock } = this.#deps;
    const [master] = await findMasters({ options: redis, keys, clock }).catch(() => []);
    if (master !== undefined) this.#masterMoved(master);
  }
}
