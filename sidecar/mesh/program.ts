/** The program behind a proxy, as requests are carried to it: one host, of which nobody has to be asked. */

import type { Call } from '../../lib/balance/balancer.ts';
import { Circuit } from '../../lib/balance/circuit.ts';
import { NO_OUTLIERS } from '../../lib/balance/outliers.ts';
import { RetryBudget } from '../../lib/balance/retry-budget.ts';
import type { Place } from '../../lib/listening.ts';
import type { Logger } from '../../lib/logger.ts';
import { LATENCY_PLACES, latencyPlace, type Served } from '../../lib/served.ts';
import { plainDial } from '../dial.ts';
import type { Agent } from '../follow.ts';
import type { Called } from '../http/exchange-parts.ts';
import type { HashRule } from '../http/hash-key.ts';
import { Places } from '../http/places.ts';
import { type End, isH2, plainRouting, type Routing } from '../http/routes.ts';
import { Target } from '../target.ts';
import { type Chosen, noCounts, type UpstreamCounts } from '../upstream.ts';

export interface ProgramOptions {
  /** For which it stands. */
  readonly service: string;
  readonly at: Place;
  /** In which it is spoken to. */
  readonly protocol: string;
  readonly connectMs: number;
  /** For a whole answer; undefined where nobody says. */
  readonly requestMs: number | undefined;
  /** At once. */
  readonly maxRequests: number;
}

export class Program implements Called {
  readonly #service: string;
  readonly #target: Target;
  readonly routing: Routing;
  readonly circuit: Circuit;
  readonly budget = new RetryBudget({ ratio: 0.2, minPerSecond: 3 });
  readonly hedging = undefined;
  readonly counts: UpstreamCounts = noCounts();
  readonly isKnown = true;
  readonly #latency: number[] = Array.from({ length: LATENCY_PLACES }, () => 0);
  #answers = 0;
  #errors = 0;

  constructor(options: ProgramOptions, agent: Agent, logger: Logger) {
    const { service, at, protocol, connectMs, requestMs, maxRequests: all } = options;
    this.#service = service;
    const nobody = { service, subset: '', datacenter: '', filter: '', onlyPassing: false };
    this.routing = plainRouting(protocol, { id: service, ...nobody }, requestMs);
    const limits = { callers: all, connections: all, pending: all, requests: all, retries: all };
    this.circuit = new Circuit(limits);
    this.#target = new Target(
      {
        name: service,
        found: undefined,
        blamesEvery5xx: false,
        balancer: {
          policy: 'round-robin',
          preferences: { zone: '', minZoneHosts: 1, headroom: 1, panicBelow: 0 },
          slowStart: { windowMs: 0, least: 1 },
          outliers: NO_OUTLIERS,
        },
        isH2: isH2(protocol),
        dial: plainDial(agent.clock, connectMs),
      },
      new Places(this.circuit),
      agent,
      logger,
    );
    const { host: address, port } = at;
    const said = { id: service, address, port, weight: 1, priority: 0, zone: '' };
    this.#target.update([{ ...said, health: 'healthy', labels: new Map() }]);
  }

  get name(): string {
    return `public ${this.#service}`;
  }

  /** Since it began, as an agent wants to know it. */
  get served(): Served {
    return { requests: this.#answers, errors: this.#errors, latency: [...this.#latency] };
  }

  async untilKnown(): Promise<void> {}

  choose(_: unknown, call: Call): Chosen | undefined {
    const host = this.#target.balancer.choose(call);
    return host && { target: this.#target, host };
  }

  hashingOf({ hashing }: End): readonly HashRule[] {
    return hashing;
  }

  answered(status: number, ms: number): void {
    this.#answers++;
    if (status >= 500) this.#errors++;
    const place = latencyPlace(ms);
    this.#latency[place] = (this.#latency[place] ?? 0) + 1;
  }

  stop(): void {
    this.#target.stop();
  }
}
