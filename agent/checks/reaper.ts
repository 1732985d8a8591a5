import type { Cancel, Clock } from '../../lib/clock.ts';
import { NS_PER_MS } from '../../lib/duration.ts';
import type { LocalState } from '../state/local-state.ts';

export interface ReaperOptions {
  readonly local: LocalState;
  readonly clock: Clock;
  /** Shorter times of checks are raised to this. */
  readonly minMs: number;
  readonly intervalMs: number;
  readonly deregister: (serviceId: string, checkId: string) => void;
}

/** Takes out services that stay critical for longer than DeregisterCriticalServiceAfter allows. */
export class Reaper {
  readonly #options: ReaperOptions;
  /** When each check that may cost its service the registration turned critical. */
  readonly #since = new Map<string, number>();
  readonly #stopObserving: () => void;
  #cancel: Cancel | undefined;

  constructor(options: ReaperOptions) {
    this.#options = options;
    this.#stopObserving = options.local.observe({ checkChanged: (id) => this.#look(id) });
  }

  stop(): void {
    this.#stopObserving();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(id: string): void {
    const check = this.#options.local.checks.get(id);
    const dies =
      check?.definition.Status === 'critical' &&
      check.definition.ServiceID !== '' &&
      (check.spec?.DeregisterCriticalServiceAfter ?? 0) > 0;
    if (!dies) this.#since.delete(id);
    else if (!this.#since.has(id)) this.#since.set(id, this.#options.clock.monotonic());
    // No timer while nothing can come of it.
    if (this.#since.size > 0 && this.#cancel === undefined) this.#arm();
  }

  #arm(): void {
    const { clock, intervalMs } = this.#options;
    this.#cancel = clock.after(intervalMs, () => {
      this.#cancel = undefined;
      this.#reap();
      if (this.#since.size > 0) this.#arm();
    });
  }

  #reap(): void {
    const { local, clock, minMs, deregister } = this.#options;
    for (const [id, since] of [...this.#since]) {
      const check = local.checks.get(id);
      const after = (check?.spec?.DeregisterCriticalServiceAfter ?? 0) / NS_PER_MS;
      if (check === undefined) this.#since.delete(id);
      else if (clock.monotonic() - since >= Math.max(after, minMs)) {
        deregister(check.definition.ServiceID, id);
      }
    }
  }
}
