/** Tells the servers what this agent's instances use, while anybody wants to know. */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { describeChain } from '../../lib/errors.ts';
import { MAX_LISTED } from '../../lib/limits.ts';
import { type InstanceLoad, LOOK_MS, MAX_LOAD_MS, MAX_SHARE } from '../../lib/load.ts';
import type { Logger } from '../../lib/logger.ts';
import { Notices } from '../../lib/notices.ts';
import { containerIdOf } from '../containers/meta.ts';
import type { LocalState } from '../state/local-state.ts';
import type { Use, UseOf } from './cgroups.ts';
import type { RequestCounts } from './request-counts.ts';

const UNSEEN = 'cgroups';
/** Containers that are looked at together. */
const AT_ONCE = 16;

export interface LoadsDeps {
  readonly local: Pick<LocalState, 'services'>;
  readonly useOf: UseOf;
  readonly requests: RequestCounts;
  readonly send: (instances: readonly InstanceLoad[]) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Seen {
  readonly container: string;
  readonly at: number;
  readonly cpuMs: number;
  /** Since it was told last. */
  readonly ms: number;
  readonly cpuShareMs: number;
  readonly memoryMs: number;
  readonly memoryShareMs: number;
}

export class Loads {
  readonly #deps: LoadsDeps;
  #seen = new Map<string, Seen>();
  #cancel: Cancel | undefined;
  #isWanted = false;
  readonly #news: Notices;
  /** A container of which nothing could be read at the last look. */
  #unseen: string | undefined;
  #stopped = false;

  constructor(deps: LoadsDeps) {
    this.#deps = deps;
    this.#news = new Notices((line) => deps.logger.warn(line));
  }

  /** As a server has said with its answer to a beat. What somebody counts is told in any case. */
  want(isWanted: boolean): void {
    this.#isWanted = isWanted;
    if (this.#hasToTell && this.#cancel === undefined) this.#schedule(0);
  }

  get #hasToTell(): boolean {
    return this.#isWanted || this.#deps.requests.size > 0;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    this.#cancel = this.#deps.clock.after(ms, () => void this.#round());
  }

  async #round(): Promise<void> {
    if (!this.#hasToTell) {
      this.#seen.clear();
      this.#cancel = undefined;
      return;
    }
    if (this.#isWanted) await this.#look();
    else this.#seen.clear();
    await this.#tell();
    this.#schedule(LOOK_MS);
  }

  async #look(): Promise<void> {
    const { local, useOf, clock } = this.#deps;
    const before = this.#seen;
    const seen = new Map<string, Seen>();
    const all = [...local.services.values()].flatMap(({ definition: { ID, Meta } }) => {
      const container = containerIdOf(Meta);
      return container === undefined ? [] : [{ ID, container }];
    });
    for (let at = 0; at < all.length; at += AT_ONCE) {
      const part = all.slice(at, at + AT_ONCE);
      const uses = await Promise.all(part.map(({ container }) => useOf(container)));
      const now = clock.monotonic();
      for (const [i, { ID, container }] of part.entries()) {
        const use = uses[i];
        if (use !== undefined) seen.set(ID, seenNow(before.get(ID), { container, now, use }));
      }
    }
    this.#seen = seen;
    this.#sayUnseen(all.find(({ ID }) => !seen.has(ID)));
  }

  /** Somebody waits for a measure; one that ends while it is looked at is gone at the next look. */
  #sayUnseen(unseen: { readonly ID: string; readonly container: string } | undefined): void {
    const [before, about] = [this.#unseen, unseen?.container];
    this.#unseen = about;
    if (about === undefined) this.#news.clear(UNSEEN);
    if (unseen === undefined || about !== before) return;
    const what = `what ${unseen.ID} uses is not seen: no cgroup of version 2 of its container`;
    this.#news.tell(UNSEEN, `agent: ${what} (${about}) is found where docker.cgroups says`);
  }

  /** What could not be told is a part of what is told next. */
  async #tell(): Promise<void> {
    const { local, requests, send, logger } = this.#deps;
    const instances = [...local.services.keys()].flatMap((ID): InstanceLoad[] => {
      const seen = this.#seen.get(ID);
      const { ms = 0, cpuShareMs = 0, memoryMs = 0, memoryShareMs = 0 } = seen ?? {};
      const counted = requests.of(ID);
      if (ms <= 0 && counted.ms <= 0) return [];
      const [CPU, Memory] = [shareOf(cpuShareMs, ms), shareOf(memoryShareMs, memoryMs)];
      const { requests: Requests, errors: Errors, latency: Latency } = counted.served;
      const served = { RequestMs: counted.ms, Requests, Errors, Latency };
      return [{ ServiceID: ID, Ms: ms, CPU, Memory, MemoryMs: memoryMs, ...served }];
    });
    for (let at = 0; at < instances.length; at += MAX_LISTED) {
      const part = instances.slice(at, at + MAX_LISTED);
      try {
        await send(part);
      } catch (error) {
        logger.debug(`agent: what instances use is not told: ${describeChain(error)}`);
        return;
      }
      for (const told of part) this.#told(told);
    }
  }

  #told({ ServiceID, RequestMs, ...told }: InstanceLoad): void {
    const { Requests: requests, Errors: errors = 0, Latency: latency = [] } = told;
    this.#deps.requests.told(ServiceID, { ms: RequestMs, served: { requests, errors, latency } });
    const seen = this.#seen.get(ServiceID);
    if (seen !== undefined) this.#seen.set(ServiceID, { ...seen, ...NOTHING });
  }
}

const NOTHING = { ms: 0, cpuShareMs: 0, memoryMs: 0, memoryShareMs: 0 };

/** Whose limit was lowered, or whose time was counted late, may come to more than anybody may use. */
function shareOf(shareMs: number, ms: number): number {
  return ms > 0 ? Math.min(MAX_SHARE, shareMs / ms) : 0;
}

interface Now {
  readonly container: string;
  readonly now: number;
  readonly use: Use;
}

function seenNow(before: Seen | undefined, { container, now, use }: Now): Seen {
  const { cpuMs, cpus, memory } = use;
  const begun = { container, at: now, cpuMs, ...NOTHING };
  // Another container, or one that has begun anew.
  if (before?.container !== container || cpuMs < before.cpuMs) return begun;
  const ms = now - before.at;
  if (before.ms + ms > MAX_LOAD_MS) return begun;
  return {
    container,
    at: now,
    cpuMs,
    ms: before.ms + ms,
    cpuShareMs: before.cpuShareMs + (cpuMs - before.cpuMs) / cpus,
    memoryMs: before.memoryMs + (memory === undefined ? 0 : ms),
    memoryShareMs: before.memoryShareMs + (memory ?? 0) * ms,
  };
}
