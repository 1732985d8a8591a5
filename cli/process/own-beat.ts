/** A server is an agent of its own node too: it beats like every other, to itself. */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { type Beat, type BeatAnswer, DEFAULT_BEAT_MS } from '../../lib/membership.ts';

/**
 * A machine that was set up anew finds its own name taken until its predecessor is known to be dead,
 * which takes a beat, a lease, and the grace of a new leader. Longer than this it is another's.
 */
export const REFUSED_MAX_MS = 25_000;

export interface OwnBeatDeps {
  readonly beat: Beat;
  readonly take: (beat: Beat) => Promise<BeatAnswer>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly on: OwnBeatEvents;
}

export interface OwnBeatEvents {
  /** Whether anybody wants to know what instances use. */
  wantsLoad?(isWanted: boolean): void;
  /** The catalog does not have this node: it is to be registered at once. */
  unknown(): void;
  /** Another machine has the name of this one, and lives: the process must end. */
  refused(error: ProconsulError): void;
}

export class OwnBeat {
  readonly #deps: OwnBeatDeps;
  #cancel: Cancel = () => undefined;
  #stopped = false;
  #refusedSince: number | undefined;

  constructor(deps: OwnBeatDeps) {
    this.#deps = deps;
  }

  /** Beats once, and then again and again. Never rejects: there may be no log to write to yet. */
  async start(): Promise<void> {
    const { beat, take, clock, logger, on } = this.#deps;
    let nextMs = DEFAULT_BEAT_MS;
    try {
      const answer = await take(beat);
      this.#refusedSince = undefined;
      nextMs = answer.NextMs;
      on.wantsLoad?.(answer.WantsLoad === true);
      if (!answer.Known) on.unknown();
    } catch (error) {
      if (error instanceof ProconsulError && error.code === 'rejected') this.#refused(error);
      else logger.debug(`agent: beat not taken: ${describeChain(error)}`);
    }
    if (!this.#stopped) this.#cancel = clock.after(nextMs, () => void this.start());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #refused(error: ProconsulError): void {
    const { clock, logger, on } = this.#deps;
    if (this.#refusedSince === undefined) {
      const patience = `this server ends in ${REFUSED_MAX_MS / 1000} s, unless that one goes`;
      logger.error(`agent: ${error.message}: ${patience}`);
      this.#refusedSince = clock.monotonic();
    }
    if (clock.monotonic() - this.#refusedSince < REFUSED_MAX_MS) return;
    this.stop();
    on.refused(error);
  }
}
