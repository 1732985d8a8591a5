/**
 * What the configuration watches. Each watch is by itself: one that hangs in its handler keeps no other, and
 * nothing of the agent waits for any.
 */
import type { Environment } from '../../lib/child.ts';
import type { Config } from '../../lib/config/config.ts';
import { type WatchDefinition, watchParams } from '../../lib/config/keys/watches.ts';
import { endOfMany } from '../../lib/end-of-many.ts';
import { describeChain } from '../../lib/errors.ts';
import { followPlan } from '../../lib/follow-plan.ts';
import type { System } from '../../lib/system.ts';
import { type Seen, watchPlan } from '../../lib/watch-plan.ts';
import { handlerOf } from './handlers.ts';

export interface Question {
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  /** '' for the agent's own. */
  readonly token: string;
}

export interface WatchesOptions {
  /** Asks this agent as a client would. Rejects with a ProconsulError where there is no answer. */
  readonly ask: (question: Question, signal: AbortSignal) => Promise<Seen>;
  /** What handlers are run with. */
  readonly env: Environment;
  readonly system: Pick<System, 'clock' | 'logger'>;
}

export class Watches {
  readonly #options: WatchesOptions;
  #ends = endOfMany();

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /**
   * In place of those before: as in Consul all begin anew, and show their handlers what there is. A
   * program that runs goes on, since it may be what asked for the reload.
   */
  takeOver({ watches }: Pick<Config, 'watches'>): void {
    this.stop();
    this.#ends = endOfMany();
    for (const watch of watches) void this.#follow(watch, this.#ends.signal);
  }

  stop(): void {
    this.#ends.abort();
  }

  async #follow(watch: WatchDefinition, signal: AbortSignal): Promise<void> {
    const { ask, env, system } = this.#options;
    const { clock, logger } = system;
    const { type, token, stale, datacenter } = watch;
    const plan = watchPlan(type, watchParams(watch.params));
    const more: [string, string][] = [];
    if (stale) more.push(['stale', '']);
    if (datacenter !== '') more.push(['dc', datacenter]);
    const handle = handlerOf(watch.handler, { env, system, signal });
    await followPlan(plan, {
      clock,
      signal,
      look: (query) => ask({ path: plan.path, query: [...query, ...more], token }, signal),
      failed: (error, waitMs) =>
        logger.error('watch: cannot look, and tries again', {
          type,
          retry: `${waitMs / 1000}s`,
          error: describeChain(error),
        }),
      handle,
    });
  }
}
