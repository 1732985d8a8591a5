/**
 * Remembers how each check last stood, so that an agent that is restarted goes on from there and
 * nothing flaps.
 */
import type { Clock } from '../../lib/clock.ts';
import { NS_PER_MS } from '../../lib/duration.ts';
import { initialStatus } from '../definitions/check-spec.ts';
import { keptStatus, type StoredStatus } from './kept-shapes.ts';
import type { LocalCheck, LocalState } from './local-state.ts';
import type { KeptValues } from './value-file.ts';

const PREFIX = 'state:';
/** A TTL that is renewed is written again once this part of it has gone by: reports are many. */
const RENEWAL_PART = 1 / 4;

export interface StatusKeeperOptions {
  readonly local: LocalState;
  readonly kept: KeptValues;
  readonly clock: Clock;
  /** How much of the check's TTL is left; undefined when it has none. */
  readonly leftMs: (id: string) => number | undefined;
}

export class StatusKeeper {
  readonly #options: StatusKeeperOptions;
  /** What is written of each TTL: its end. */
  readonly #until = new Map<string, number>();
  readonly #stopObserving: () => void;

  constructor(options: StatusKeeperOptions) {
    this.#options = options;
    this.#stopObserving = options.local.observe({ checkChanged: (id) => this.#changed(id) });
  }

  /** The check as it stood when the agent ended, with what is left of its TTL. */
  recall(check: LocalCheck): { readonly check: LocalCheck; readonly leftMs?: number } {
    const { clock } = this.#options;
    const known = this.#known(check.definition.CheckID);
    if (known === undefined) return { check };
    const { Status, Output, Until } = known;
    const recalled = { ...check, definition: { ...check.definition, Status, Output } };
    if (Until === undefined || check.spec === undefined) return { check: recalled };
    const ttlMs = check.spec.TTL / NS_PER_MS;
    // What was written may be this much older than the last report.
    const left = Until - clock.now() + ttlMs * RENEWAL_PART;
    return { check: recalled, leftMs: Math.min(Math.max(left, 0), ttlMs) };
  }

  /** A TTL was renewed. */
  renewed(id: string): void {
    const until = this.#end(id);
    const ttl = (this.#options.local.checks.get(id)?.spec?.TTL ?? 0) / NS_PER_MS;
    if (until === undefined) return;
    if (until - (this.#until.get(id) ?? 0) > ttl * RENEWAL_PART) this.#write(id, until);
  }

  /** Writes how much of each TTL is left, of those that somebody has reported on. */
  stop(): void {
    this.#stopObserving();
    const { local, kept } = this.#options;
    for (const id of local.checks.keys()) {
      const until = this.#end(id);
      if (until !== undefined && kept.values.has(PREFIX + id)) this.#write(id, until);
    }
  }

  /** One that is not sound is none: its check is worth more than how it stood. */
  #known(id: string): StoredStatus | undefined {
    const { kept } = this.#options;
    const known = kept.values.get(PREFIX + id);
    if (known === undefined) return undefined;
    try {
      return keptStatus(known);
    } catch {
      kept.delete(PREFIX + id);
      return undefined;
    }
  }

  #changed(id: string): void {
    const { local, kept } = this.#options;
    const check = local.checks.get(id);
    if (check === undefined) {
      this.#until.delete(id);
      kept.delete(PREFIX + id);
    } else if (kept.values.has(PREFIX + id) || !isNew(check)) this.#write(id, this.#end(id));
  }

  #end(id: string): number | undefined {
    const left = this.#options.leftMs(id);
    return left === undefined ? undefined : this.#options.clock.now() + left;
  }

  #write(id: string, Until: number | undefined): void {
    const check = this.#options.local.checks.get(id);
    if (check === undefined) return;
    const { Status, Output } = check.definition;
    if (Until !== undefined) this.#until.set(id, Until);
    this.#options.kept.set(PREFIX + id, {
      Status,
      Output,
      ...(Until !== undefined && { Until }),
    });
  }
}

/** Nothing is known of it beyond its registration. */
function isNew({ definition, spec }: LocalCheck): boolean {
  const { Status, Output } = definition;
  return spec === undefined || (Output === '' && Status === initialStatus(spec));
}
