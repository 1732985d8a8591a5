/**
 * Outputs of checks that changed without a status. They wait, and go out together: a check that says
 * something else each time must not wake whoever watches its service.
 */
import type { Cancel, Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { LocalCheck, LocalState } from '../state/local-state.ts';

/** As many go into one command. */
const MAX_IN_A_COMMAND = 128;

export interface OutputsOptions {
  readonly local: LocalState;
  readonly clock: Clock;
  readonly random: Random;
  /** How long they may wait, more or less. */
  readonly intervalMs: number;
  /** Tells the catalog; never rejects. */
  readonly tell: (checks: readonly LocalCheck[]) => Promise<void>;
}

export class Outputs {
  readonly #options: OutputsOptions;
  readonly #waiting = new Set<string>();
  #cancel: Cancel | undefined;

  constructor(options: OutputsOptions) {
    this.#options = options;
  }

  /** The checks whose output in the catalog may be another one for now. */
  get waiting(): ReadonlySet<string> {
    return this.#waiting;
  }

  changed(checkId: string): void {
    this.#waiting.add(checkId);
    if (this.#cancel !== undefined) return;
    const { clock, random, intervalMs } = this.#options;
    const delay = intervalMs / 2 + random.next() * intervalMs;
    this.#cancel = clock.after(delay, () => void this.#tellAll());
  }

  /** It goes out with its status. */
  forget(checkId: string): void {
    this.#waiting.delete(checkId);
  }

  stop(): void {
    this.#cancel?.();
  }

  async #tellAll(): Promise<void> {
    this.#cancel = undefined;
    const { local, tell } = this.#options;
    const checks = [...this.#waiting].flatMap((id) => local.checks.get(id) ?? []);
    this.#waiting.clear();
    for (let at = 0; at < checks.length; at += MAX_IN_A_COMMAND) {
      await tell(checks.slice(at, at + MAX_IN_A_COMMAND));
    }
  }
}
