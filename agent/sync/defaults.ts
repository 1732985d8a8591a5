/**
 * What config entries say of this agent's proxies, followed for as long as those are registered. It is
 * kept over a restart: else the catalog would be told of proxies without it until a server answers.
 */

import {
  type CentralDefaults,
  type DefaultsOf,
  type DefaultsPort,
  defaultsKey,
  defaultsOf,
} from '../../lib/central-defaults.ts';
import { byDeadline, pause } from '../../lib/clock.ts';
import { describeChain } from '../../lib/errors.ts';
import type { ServiceDefinition } from '../../lib/model.ts';
import { Notices } from '../../lib/notices.ts';
import { retryMs } from '../../lib/retries.ts';
import type { System } from '../../lib/system.ts';
import { keptDefaults } from '../state/kept-shapes.ts';
import { asRegistered, type LocalService, type LocalState } from '../state/local-state.ts';
import type { KeptValues } from '../state/value-file.ts';

const WAIT_MS = 5 * 60_000;
/** A registration waits no longer for servers that do not answer, and takes over later what they say. */
const FIRST_MS = 2000;
/** A server that does not wait is not to be asked without end. */
const MIN_ROUND_MS = 1000;
const DEFAULTS = 'defaults:';

export interface DefaultsOptions {
  readonly local: LocalState;
  readonly authority: DefaultsPort;
  readonly kept: KeptValues;
  readonly system: System;
  /** For what was registered without a token. */
  readonly userToken: () => string;
  /** The catalog has yet to hear of it. */
  readonly onChange: (serviceId: string) => void;
}

export class Defaults {
  readonly #options: DefaultsOptions;
  readonly #notices: Notices;
  readonly #followed = new Map<string, Followed>();
  /** By service: what it takes over. */
  readonly #taken = new Map<string, Followed>();
  readonly #stopObserving: () => void;

  /** What was kept counts at once; it is followed as soon as a service takes it over. */
  constructor(options: DefaultsOptions) {
    const { local, kept, system } = options;
    this.#options = options;
    this.#notices = new Notices((text) => system.logger.warn(`connect: ${text}`));
    for (const [key, value] of [...kept.values]) {
      if (key.startsWith(DEFAULTS)) this.#restore(key, value);
    }
    this.#stopObserving = local.observe({ serviceChanged: (id) => this.#serviceChanged(id) });
  }

  /** What was brought back is registered: whatever else was kept goes. */
  start(): void {
    for (const key of [...this.#options.kept.values.keys()]) {
      if (key.startsWith(DEFAULTS) && !this.#followed.has(key.slice(DEFAULTS.length))) {
        this.#options.kept.delete(key);
      }
    }
  }

  /**
   * Resolves once it is known what these services are to take over, as far as a server says it in time:
   * so that what is registered next is whole from the beginning. Ends with the call of what it gives.
   */
  async hold(services: readonly ServiceDefinition[], token: string): Promise<() => void> {
    const taken = services.map(defaultsOf).filter((of) => of !== undefined);
    const followed = taken.map((of) => this.#follow(of, token));
    for (const each of followed) each.holds++;
    const { clock } = this.#options.system;
    const all = Promise.all(followed.map(({ first }) => first));
    await byDeadline(clock, clock.monotonic() + FIRST_MS, all);
    return () => {
      for (const each of followed) this.#release(each);
    };
  }

  stop(): void {
    this.#stopObserving();
    for (const { ending } of this.#followed.values()) ending.abort();
    this.#followed.clear();
    this.#taken.clear();
  }

  #restore(key: string, value: unknown): void {
    const { local, kept } = this.#options;
    try {
      const { of, defaults } = keptDefaults(value);
      local.setDefaults(of, defaults);
    } catch {
      // It is asked for anew.
      kept.delete(key);
    }
  }

  #serviceChanged(id: string): void {
    const service = this.#options.local.services.get(id);
    const of = service && defaultsOf(asRegistered(service));
    const before = this.#taken.get(id);
    const followed = of && this.#follow(of, (service as LocalService).token);
    if (before === followed) return;
    if (followed === undefined) this.#taken.delete(id);
    else {
      followed.holds++;
      this.#taken.set(id, followed);
    }
    if (before !== undefined) this.#release(before);
  }

  /** With the token of whoever asked last: that of an earlier one may be gone. */
  #follow(of: DefaultsOf, token: string): Followed {
    const key = defaultsKey(of);
    const known = this.#followed.get(key);
    if (known !== undefined) {
      known.token = token;
      return known;
    }
    let settled: () => void = () => undefined;
    const first = new Promise<void>((resolve) => {
      settled = resolve;
    });
    const followed = { key, of, token, holds: 0, first, settled, ending: new AbortController() };
    this.#followed.set(key, followed);
    void this.#keepFresh(followed);
    return followed;
  }

  #release(followed: Followed): void {
    if (--followed.holds > 0) return;
    const { key, of, ending } = followed;
    ending.abort();
    this.#followed.delete(key);
    this.#notices.clear(of.service);
    this.#options.local.setDefaults(of, undefined);
    this.#options.kept.delete(DEFAULTS + key);
  }

  async #keepFresh(followed: Followed): Promise<void> {
    const { authority, system, userToken } = this.#options;
    const { clock, random } = system;
    const { of, ending } = followed;
    const { signal } = ending;
    let [index, failures] = [0, 0];
    while (!signal.aborted) {
      const asked = clock.monotonic();
      try {
        const token = followed.token || userToken();
        const wait = { seenIndex: index, waitMs: WAIT_MS };
        const found = await authority.defaults(of, token, wait, signal);
        if (signal.aborted) break;
        const isSame = found.index === index;
        ({ index } = found);
        failures = 0;
        this.#take(followed, found.defaults);
        if (isSame && clock.monotonic() - asked < MIN_ROUND_MS) {
          await pause(clock, MIN_ROUND_MS, signal);
        }
      } catch (error) {
        if (signal.aborted) break;
        const why = describeChain(error);
        if (failures++ > 0) this.#notices.tell(of.service, sayOf(of, why));
        followed.settled();
        // What is known goes on to count.
        await pause(clock, retryMs(failures, random), signal);
      }
    }
    followed.settled();
  }

  #take(followed: Followed, defaults: CentralDefaults): void {
    const { local, kept, onChange } = this.#options;
    const { key, of } = followed;
    this.#notices.clear(of.service);
    kept.set(DEFAULTS + key, { of, defaults });
    const changed = local.setDefaults(of, defaults);
    followed.settled();
    for (const id of changed) onChange(id);
  }
}

interface Followed {
  readonly key: string;
  readonly of: DefaultsOf;
  token: string;
  /** Services that take it over, and registrations that are about to. */
  holds: number;
  /** Resolves when a server has answered for the first time, or has not. */
  readonly first: Promise<void>;
  readonly settled: () => void;
  readonly ending: AbortController;
}

function sayOf({ service }: DefaultsOf, why: string): string {
  return `proxies of "${service}" take over nothing new of config entries: ${why}`;
}
