/** A service that is called: its hosts as the catalog says them, and what is known of each. */
import { Balancer, type BalancerRules } from '../lib/balance/balancer.ts';
import { Circuit, type CircuitLimits } from '../lib/balance/circuit.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { instancesIn } from './endpoints.ts';
import { type Agent, follow, type Question } from './follow.ts';

export interface UpstreamRules {
  /** As metrics and lines of the log call it. */
  readonly name: string;
  readonly question: Question;
  readonly balancer: BalancerRules;
  readonly circuit: CircuitLimits;
}

export interface UpstreamCounts {
  calls: number;
  /** Tried again at another host. */
  retries: number;
  /** That no host took. */
  failed: number;
  sent: number;
  received: number;
}

export class Upstream {
  readonly #rules: UpstreamRules;
  readonly #agent: Agent;
  readonly #logger: Logger;
  readonly balancer: Balancer;
  readonly circuit: Circuit;
  readonly counts: UpstreamCounts = { calls: 0, retries: 0, failed: 0, sent: 0, received: 0 };
  #isKnown = false;
  /** Each leaves when its time is over: an agent may be away for long. */
  readonly #waiting = new Set<() => void>();
  #leftOut = 0;

  constructor(rules: UpstreamRules, agent: Agent, logger: Logger) {
    this.#rules = rules;
    this.#agent = agent;
    this.#logger = logger;
    const { clock, random } = agent;
    this.balancer = new Balancer(rules.balancer, { random, now: () => clock.monotonic() });
    this.circuit = new Circuit(rules.circuit);
  }

  get name(): string {
    return this.#rules.name;
  }

  /** Whether an agent has ever said what hosts there are. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Follows the catalog until the signal is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    await follow(
      this.#agent,
      {
        ...this.#rules.question,
        take: (json) => this.#take(json),
        lost: (why, tries) => this.#lost(why, tries),
      },
      signal,
    );
  }

  /** Resolves when it is known what hosts there are, or after so long. */
  async untilKnown(clock: Pick<Clock, 'after'>, ms: number): Promise<void> {
    if (this.#isKnown) return;
    await new Promise<void>((resolve) => {
      const over = () => {
        cancel();
        this.#waiting.delete(over);
        resolve();
      };
      const cancel = clock.after(ms, over);
      this.#waiting.add(over);
    });
  }

  #take(json: unknown): void {
    const { endpoints, leftOut } = instancesIn(json);
    const { name } = this.#rules;
    this.balancer.update(endpoints);
    if (leftOut > 0 && leftOut !== this.#leftOut) {
      const line = 'sidecar: instances without an address and a port are left out';
      this.#logger.warn(line, { service: name, instances: leftOut });
    }
    this.#leftOut = leftOut;
    const healthy = endpoints.filter(({ health }) => health === 'healthy').length;
    this.#logger.debug('sidecar: has its hosts', { service: name, healthy, all: endpoints.length });
    this.#isKnown = true;
    for (const over of this.#waiting) over();
  }

  #lost(error: string, tries: number): void {
    const { name } = this.#rules;
    const line = this.#isKnown
      ? 'sidecar: the agent does not answer, and the hosts stay as they were'
      : 'sidecar: the agent does not answer, and no host is known';
    // The first says it; after it one in a while.
    if (tries === 1 || tries % 20 === 0) this.#logger.warn(line, { service: name, tries, error });
  }
}
