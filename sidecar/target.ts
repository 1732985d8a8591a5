/** Instances that calls may go to, as a chain means them: the hosts, what is known of each, and the ways there. */
import { Balancer, type BalancerRules } from '../lib/balance/balancer.ts';
import type { Endpoint, Host } from '../lib/balance/host.ts';
import type { Logger } from '../lib/logger.ts';
import type { Dial } from './dial.ts';
import type { Instances } from './endpoints.ts';
import type { Agent, Followed, Loss } from './follow.ts';
import { H1Host } from './http/h1-host.ts';
import { H2Host } from './http/h2-host.ts';
import type { Places } from './http/places.ts';
import type { Connections } from './http/sending.ts';
import type { Near } from './nearness.ts';

export interface TargetRules {
  /** As metrics and lines of the log call it. */
  readonly name: string;
  /** Undefined where nobody has to be asked: they are named. */
  readonly found: Found | undefined;
  readonly balancer: BalancerRules;
  /** Which of them come first; undefined where that makes no difference. */
  readonly near?: Near | undefined;
  /** Any answer of 500 or more, and not only those of who passes a request on. */
  readonly blamesEvery5xx: boolean;
  /** Requests go there by HTTP/2. */
  readonly isH2: boolean;
  readonly dial: Dial;
}

/** How it is known which instances there are. */
export interface Found {
  /** Until the signal is aborted. */
  readonly follow: (
    agent: Agent,
    on: Pick<Followed, 'take' | 'lost'>,
    signal: AbortSignal,
  ) => Promise<void>;
  /** Throws ProconsulError 'unavailable' for what lists none. */
  readonly instancesIn: (json: unknown) => Instances;
}

/** Of each kind of answer: 1xx to 5xx, in their places. */
export type StatusCounts = number[];

const GATEWAY_FAULTS: ReadonlySet<number> = new Set([502, 503, 504]);

export class Target {
  readonly #rules: TargetRules;
  readonly #places: Places;
  readonly #agent: Agent;
  readonly #logger: Logger;
  readonly balancer: Balancer;
  readonly #connections = new Map<Host, Connections>();
  readonly #answers = new WeakMap<Host, StatusCounts>();
  readonly #ending = new AbortController();
  readonly #known: Promise<void>;
  /** As the catalog has them. */
  #endpoints: readonly Endpoint[] = [];
  #isKnown = false;
  #becomesKnown: () => void = () => undefined;
  #leftOut = 0;

  constructor(rules: TargetRules, places: Places, agent: Agent, logger: Logger) {
    this.#rules = rules;
    this.#places = places;
    this.#agent = agent;
    this.#logger = logger;
    const { clock, random } = agent;
    this.balancer = new Balancer(rules.balancer, { random, now: () => clock.monotonic() });
    this.#known = new Promise((resolve) => {
      this.#becomesKnown = resolve;
    });
  }

  get name(): string {
    return this.#rules.name;
  }

  /** Whether an agent has ever said what hosts there are. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  get known(): Promise<void> {
    return this.#known;
  }

  dial(host: Host): ReturnType<Dial> {
    return this.#rules.dial(host);
  }

  /** Those of HTTP. */
  connectionsOf(host: Host): Connections {
    const found = this.#connections.get(host);
    if (found !== undefined) return found;
    const { isH2, dial } = this.#rules;
    const open = () => dial(host);
    const { clock } = this.#agent;
    const made = isH2
      ? new H2Host(open, this.#places, clock)
      : new H1Host(open, this.#places, clock);
    this.#connections.set(host, made);
    return made;
  }

  /** In place of those before. */
  update(endpoints: readonly Endpoint[]): void {
    this.balancer.update(endpoints);
    for (const [host, connections] of this.#connections) {
      if (this.balancer.has(host)) continue;
      this.#connections.delete(host);
      connections.close();
    }
  }

  /** Whether an answer says that the host is not well. */
  isFault(status: number): boolean {
    return this.#rules.blamesEvery5xx ? status >= 500 : GATEWAY_FAULTS.has(status);
  }

  answered(host: Host, status: number): void {
    const counts = this.answersOf(host);
    const place = Math.floor(status / 100) - 1;
    counts[place] = (counts[place] ?? 0) + 1;
  }

  answersOf(host: Host): StatusCounts {
    const found = this.#answers.get(host) ?? [0, 0, 0, 0, 0];
    this.#answers.set(host, found);
    return found;
  }

  /** Follows the catalog until it is stopped. */
  start(): void {
    const { found, near } = this.#rules;
    if (found === undefined) return;
    near?.onChange(() => this.update(near.levelled(this.#endpoints)), this.#ending.signal);
    const take = (json: unknown) => this.#take(found.instancesIn(json));
    const lost = (loss: Loss) => this.#lost(loss);
    void found.follow(this.#agent, { take, lost }, this.#ending.signal);
  }

  /** Nothing new goes there; what is under way comes to its end. */
  stop(): void {
    this.#ending.abort();
    for (const connections of this.#connections.values()) connections.close();
    this.#connections.clear();
  }

  #take({ endpoints, leftOut }: Instances): void {
    const { name, near } = this.#rules;
    this.#endpoints = endpoints;
    this.update(near?.levelled(endpoints) ?? endpoints);
    if (leftOut > 0 && leftOut !== this.#leftOut) {
      const line = 'sidecar: instances without an address and a port are left out';
      this.#logger.warn(line, { service: name, instances: leftOut });
    }
    this.#leftOut = leftOut;
    const healthy = endpoints.filter(({ health }) => health === 'healthy').length;
    this.#logger.debug('sidecar: has its hosts', { service: name, healthy, all: endpoints.length });
    this.#isKnown = true;
    this.#becomesKnown();
  }

  #lost({ why, what, level, tries, isToSay }: Loss): void {
    if (!isToSay) return;
    const goesOn = this.#isKnown ? 'the hosts stay as they were' : 'no host is known';
    const { name } = this.#rules;
    this.#logger[level](`sidecar: ${what}, and ${goesOn}`, { service: name, tries, error: why });
  }
}
