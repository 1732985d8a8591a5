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
import { describeChain, isForbidden, ProconsulError } from '../../lib/errors.ts';
import type { ServiceDefinition } from '../../lib/model.ts';
import { Notices } from '../../lib/notices.ts';
import { retryMs } from '../../lib/retries.ts';
import type { System } from '../../lib/system.ts';
import { keptDefaults } from '../state/kept-shapes.ts';
import { asRegistered, type LocalState } from '../state/local-state.ts';
import type { KeptValues } from '../state/value-file.ts';

const WAIT_MS = 5 * 60_000;
/** A registration waits no longer for servers that do not answer, and takes over later what they say. */
const FIRST_MS = 2000;
/** A server that does not wait is not to be asked without end. */
const MIN_ROUND_MS = 1000;
/** Of an agent's waits at servers its clients have most. Beyond these it looks from time to time. */
const MAX_WAITS = 1024;
const POLL_MS = 30_000;
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
    const token = service?.token ?? '';
    const followed = of && this.#follow(of, token);
    // That of whoever registered last: an earlier one may be gone.
    if (followed !== undefined) followed.token = token;
    if (before === followed) return;
    if (followed === undefined) this.#taken.delete(id);
    else {
      followed.holds++;
      this.#taken.set(id, followed);
    }
    if (before !== undefined) this.#release(before);
  }

  /** One that is followed goes on under its token: who is about to register may not be allowed to. */
  #follow(of: DefaultsOf, token: string): Followed {
    const key = defaultsKey(of);
    const known = this.#followed.get(key);
    if (known !== undefined) return known;
    let settled: () => void = () => undefined;
    const first = new Promise<void>((resolve) => {
      settled = resolve;
    });
    const followed: Followed = {
      ...{ key, of, token, first, settled, ending: new AbortController() },
      ...{ holds: 0, index: 0, failures: 0, isRefusedWaits: false },
    };
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
    const { clock } = this.#options.system;
    const { signal } = followed.ending;
    while (!signal.aborted) {
      let pauseMs: number;
      try {
        pauseMs = await this.#ask(followed, signal);
      } catch (error) {
        pauseMs = this.#failed(followed, error);
      }
      followed.settled();
      if (pauseMs > 0) await pause(clock, pauseMs, signal);
    }
    followed.settled();
  }

  /** For how long it is then to be left alone. */
  async #ask(followed: Followed, signal: AbortSignal): Promise<number> {
    const { authority, system, userToken } = this.#options;
    const { clock, random } = system;
    const { of, token, index } = followed;
    const looks = followed.isRefusedWaits || this.#followed.size > MAX_WAITS;
    const asked = clock.monotonic();
    const wait = { seenIndex: looks ? 0 : index, waitMs: WAIT_MS };
    const found = await authority.defaults(of, token || userToken(), wait, signal);
    if (signal.aborted) return 0;
    followed.index = found.index;
    followed.failures = 0;
    followed.isRefusedWaits = false;
    if (found.index !== index) this.#take(followed, found.defaults);
    if (looks) return POLL_MS * (1 + random.next());
    const isEarly = found.index === index && clock.monotonic() - asked < MIN_ROUND_MS;
    return isEarly ? MIN_ROUND_MS : 0;
  }

  /** What is known goes on to count. */
  #failed(followed: Followed, error: unknown): number {
    const { of, ending } = followed;
    if (ending.signal.aborted) return 0;
    followed.isRefusedWaits = error instanceof ProconsulError && error.code === 'busy';
    if (isForbidden(error)) followed.token = this.#nextToken(followed);
    // Once is nothing: servers restart, and a registration may come before its agent has joined.
    if (followed.failures++ > 0) {
      const why = describeChain(error);
      const text = `proxies of "${of.service}" take over nothing new of config entries: ${why}`;
      this.#notices.tell(of.service, text);
    }
    return retryMs(followed.failures, this.#options.system.random);
  }

  /** That of another service which takes it over: one may be gone while others are good. */
  #nextToken(followed: Followed): string {
    const { services } = this.#options.local;
    const takers = [...this.#taken].filter(([, taken]) => taken === followed);
    const tokens = takers.map(([id]) => services.get(id)?.token ?? '');
    return tokens[(tokens.indexOf(followed.token) + 1) % tokens.length] ?? followed.token;
  }

  #take(followed: Followed, defaults: CentralDefaults): void {
    const { local, kept, onChange } = this.#options;
    const { key, of } = followed;
    this.#notices.clear(of.service);
    kept.set(DEFAULTS + key, { of, defaults });
    const changed = local.setDefaults(of, defaults);
    for (const id of changed) onChange(id);
  }
}

interface Followed {
  readonly key: string;
  readonly of: DefaultsOf;
  token: string;
  /** Services that take it over, and registrations that are about to. */
  holds: number;
  /** Of what is known; 0 for nothing. */
  index: number;
  failures: number;
  /** The servers have as many waits as they take. */
  isRefusedWaits: boolean;
  /** Resolves when a server has answered for the first time, or has not. */
  readonly first: Promise<void>;
  readonly settled: () => void;
  readonly ending: AbortController;
}
