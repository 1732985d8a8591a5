/** A server is an agent of its own node too: it beats like every other, to itself. */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { describeChain } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { type Beat, DEFAULT_BEAT_MS } from '../../lib/membership.ts';
import type { Server } from '../../server/server.ts';

export interface OwnBeatOptions {
  readonly server: Server;
  readonly beat: Beat;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The catalog does not have this node: it is to be registered at once. */
  readonly onUnknown: () => void;
}

export class OwnBeat {
  readonly #options: OwnBeatOptions;
  #cancel: Cancel = () => undefined;
  #stopped = false;

  constructor(options: OwnBeatOptions) {
    this.#options = options;
  }

  /** Beats once, and then again and again. Never rejects: there may be no log to write to yet. */
  async start(): Promise<void> {
    const { server, beat, clock, logger, onUnknown } = this.#options;
    let nextMs = DEFAULT_BEAT_MS;
    try {
      const answer = await server.members.beat(beat);
      nextMs = answer.NextMs;
      if (!answer.Known) onUnknown();
    } catch (error) {
      logger.debug(`agent: beat not taken: ${describeChain(error)}`);
    }
    if (!this.#stopped) this.#cancel = clock.after(nextMs, () => void this.start());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }
}
