/** Balances a program's calls of one service over its instances, which it follows in the catalog. */
import { Balancer as Engine } from '../lib/balance/balancer.ts';
import { Circuit } from '../lib/balance/circuit.ts';
import { type HedgeRules, Hedging } from '../lib/balance/hedging.ts';
import type { Endpoint } from '../lib/balance/host.ts';
import { NO_OUTLIERS, type OutlierRules } from '../lib/balance/outliers.ts';
import { type PolicyName, policyNamed } from '../lib/balance/policies.ts';
import type { Preferences } from '../lib/balance/pools.ts';
import { RetryBudget, type RetryBudgetRules } from '../lib/balance/retry-budget.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import { type Random, systemRandom } from '../lib/random.ts';
import { inPath } from '../lib/well-formed.ts';
import { instancesIn } from '../sidecar/endpoints.ts';
import { type Agent, type Ask, follow, type Loss, patient } from '../sidecar/follow.ts';
import { type Near, Nearness } from '../sidecar/nearness.ts';
import { AgentApi, type AgentOptions } from './agent-api.ts';
import { type Attempt, Calling, linkedTo, type RunOptions } from './calling.ts';
import { type CallOptions, Tries, type Try } from './tries.ts';

export interface BalancerOptions {
  readonly service: string;
  readonly agent?: AgentOptions;
  /** '' for the agent's own. */
  readonly datacenter?: string;
  /** least-requests. */
  readonly policy?: PolicyName;
  /** The program's own: instances with that in their metadata `zone` are called first. */
  readonly zone?: string;
  /**
   * Instances first to which a round trip takes no more than so much longer than to the nearest, as agents have
   * measured it; the token needs agent:read.
   */
  readonly nearMs?: number;
  /** With fewer instances in its own zone, or near, all are alike; 1. */
  readonly minZoneHosts?: number;
  /** How much more than its part a zone can bear before others help it; 1.4. */
  readonly headroom?: number;
  /** Where less than this part of the instances is healthy, all are called; 0, never. */
  readonly panicBelow?: number;
  /** For so long a new instance gets less than its share; 0. */
  readonly slowStartMs?: number;
  /** Instances that are tried for one call; 3. */
  readonly tries?: number;
  /** How many calls may be tried again: a fifth of all, and 3 in a second. */
  readonly retries?: RetryBudgetRules;
  /** When a second call is begun beside a slow one, of what may be with two instances at once; never. */
  readonly hedging?: HedgeRules;
  /** When an instance that fails is set aside: after five failures in a row, for ten seconds, as long as half stay. */
  readonly outliers?: Partial<OutlierRules>;
  /** At once; 10,000. */
  readonly maxCalls?: number;
  /** How long a call waits until it is known for the first time what instances there are; 5000. */
  readonly patienceMs?: number;
  /** Told of what an operator should know: the agent is away, instances that cannot be called. */
  readonly onWarning?: (text: string) => void;
}

/** In place of the machine's own, in specs. */
export interface BalancerPorts {
  readonly ask?: Ask;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface InstanceFigures {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly health: 'healthy' | 'draining' | 'unhealthy';
  readonly weight: number;
  /** Calls under way. */
  readonly active: number;
  readonly begun: number;
  readonly failed: number;
  readonly isSetAside: boolean;
}

const OUTLIERS = { ...NO_OUTLIERS, inARow: 5, ejectMs: 10_000, maxShare: 0.5 };
const RETRIES = { ratio: 0.2, minPerSecond: 3 };

/** The program makes its own. */
const NO_CONNECTIONS = { callers: 0, connections: 0, pending: 0 };

export class ServiceBalancer {
  readonly #service: string;
  readonly #clock: Clock;
  readonly #engine: Engine;
  readonly #calling: Calling;
  readonly #circuit: Circuit;
  readonly #budget: RetryBudget;
  readonly #hedging: Hedging | undefined;
  readonly #api: AgentApi;
  readonly #warn: (text: string) => void;
  readonly #most: number;
  readonly #patienceMs: number;
  readonly #near: Near | undefined;
  #endpoints: readonly Endpoint[] = [];
  readonly #ending = new AbortController();
  readonly #waiting = new Set<() => void>();
  readonly #open = new Set<Tries>();
  #isKnown = false;
  #leftOut = 0;

  /** Throws ProconsulError 'invalid' for a policy or an address that is none. */
  constructor(options: BalancerOptions, ports: BalancerPorts = {}) {
    const { service, datacenter = '', maxCalls = 10_000, policy = 'least-requests' } = options;
    const { clock = systemClock, random = systemRandom } = ports;
    if (service === '') throw new ProconsulError('invalid', 'a service must have a name');
    this.#service = service;
    this.#clock = clock;
    const { onWarning } = options;
    this.#warn = (text) => {
      try {
        onWarning?.(text);
      } catch {
        // What the program does with a warning is its own: it is balanced all the same.
      }
    };
    this.#most = atLeast(1, options.tries ?? 3, 'tries');
    this.#patienceMs = atLeast(0, options.patienceMs ?? 5000, 'patienceMs');
    const now = () => clock.monotonic();
    this.#engine = new Engine(
      {
        policy: policyNamed(policy),
        preferences: preferencesIn(options),
        slowStart: { windowMs: atLeast(0, options.slowStartMs ?? 0, 'slowStartMs'), least: 0.1 },
        outliers: { ...OUTLIERS, ...options.outliers },
      },
      { random, now },
    );
    const requests = atLeast(1, maxCalls, 'maxCalls');
    this.#circuit = new Circuit({ ...NO_CONNECTIONS, requests, retries: requests });
    this.#budget = new RetryBudget(options.retries ?? RETRIES);
    this.#hedging = options.hedging && new Hedging(options.hedging);
    this.#calling = new Calling(clock);
    this.#api = new AgentApi(options.agent ?? {});
    const path = `/v1/health/service/${inPath(service)}`;
    const query = datacenter === '' ? [] : [['dc', datacenter] as const];
    const asking = { ask: patient(ports.ask ?? this.#api.ask, clock), clock, random };
    this.#near = this.#nearBy(asking, options);
    void follow(
      asking,
      {
        ...{ path, query },
        take: (json) => this.#take(json),
        lost: (loss) => this.#lost(loss),
      },
      this.#ending.signal,
    );
  }

  /** Resolves when it is known what instances there are, be it none. Rejects with the signal's reason. */
  async ready(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#isKnown || this.#ending.signal.aborted) return;
    await new Promise<void>((resolve, reject) => {
      const over = () => {
        this.#waiting.delete(over);
        signal?.removeEventListener('abort', given);
        resolve();
      };
      const given = () => {
        this.#waiting.delete(over);
        reject(signal?.reason);
      };
      this.#waiting.add(over);
      signal?.addEventListener('abort', given, { once: true });
    });
  }

  /** What is known of each instance, for a page or metrics. */
  get instances(): readonly InstanceFigures[] {
    return this.#engine.hosts.map(({ endpoint, active, begun, failed, outlier }) => ({
      id: endpoint.id,
      address: endpoint.address,
      port: endpoint.port,
      health: endpoint.health,
      weight: endpoint.weight,
      ...{ active, begun, failed },
      isSetAside: outlier.ejectedUntil !== undefined,
    }));
  }

  /**
   * The instance that a call goes to now; say how it ended by `end`. Undefined where there is none. For programs
   * that do all else themselves: it does not wait, and tries no other.
   */
  pick(options: CallOptions = {}): Try | undefined {
    const tries = this.#begin(options);
    const first = tries.next();
    if (first === undefined) {
      tries.close();
      return undefined;
    }
    return {
      instance: first.instance,
      end: (outcome) => {
        first.end(outcome);
        tries.close();
      },
    };
  }

  /**
   * Runs the function with an instance, again with another where it fails and may be repeated, and gives what
   * it gave. Rejects with the function's last error; with the signal's reason; or with a ProconsulError:
   * 'unavailable' where there is no instance or the balancer is closed, 'busy' over `maxCalls`.
   */
  async call<T>(
    run: (attempt: Attempt) => Promise<T>,
    options: CallOptions & RunOptions = {},
  ): Promise<T> {
    const tries = await this.tries(options, options.signal);
    try {
      return await this.#calling.run(tries, run, options);
    } finally {
      tries.close();
    }
  }

  /**
   * For whoever does what `call` does in another way: the hosts of one call, one after the other. Waits until
   * it is known what there is. Must be closed. Rejects as `call` does.
   */
  async tries(options: CallOptions = {}, signal?: AbortSignal): Promise<Tries> {
    if (!this.#isKnown) await this.#untilKnown(signal);
    signal?.throwIfAborted();
    return this.#begin(options);
  }

  /** Takes no more calls, and gives those under way so long; then it lets go of the agent. */
  async close(drainMs = 30_000): Promise<void> {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    for (const over of this.#waiting) over();
    if (this.#open.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(drainMs, resolve);
        this.#waiting.add(() => {
          cancel();
          resolve();
        });
      });
    }
    this.#api.close();
  }

  #begin(options: CallOptions): Tries {
    const what = `the balancer of ${this.#service}`;
    if (this.#ending.signal.aborted) throw new ProconsulError('unavailable', `${what} is closed`);
    const give = this.#circuit.take('requests');
    if (give === undefined) throw new ProconsulError('busy', `${what} has no room for more calls`);
    const tries: Tries = new Tries(
      {
        engine: this.#engine,
        circuit: this.#circuit,
        budget: this.#budget,
        hedging: this.#hedging,
        clock: this.#clock,
        most: this.#most,
        why: () => this.#why(),
        over: () => {
          give();
          this.#open.delete(tries);
          if (this.#open.size === 0 && this.#ending.signal.aborted) {
            for (const over of this.#waiting) over();
          }
        },
      },
      options,
    );
    this.#open.add(tries);
    return tries;
  }

  async #untilKnown(given: AbortSignal | undefined): Promise<void> {
    const { controller, letGo } = linkedTo(given);
    const cancel = this.#clock.after(this.#patienceMs, () => controller.abort());
    try {
      await this.ready(controller.signal);
    } catch {
      // Too long: there is none, as far as is known.
    } finally {
      cancel();
      letGo();
    }
  }

  #why(): ProconsulError {
    const known = this.#isKnown ? 'there' : 'known yet';
    return new ProconsulError('unavailable', `no instance of ${this.#service} is ${known}`);
  }

  #take(json: unknown): void {
    const { endpoints, leftOut } = instancesIn(json);
    this.#endpoints = endpoints;
    this.#engine.update(this.#near?.levelled(endpoints) ?? endpoints);
    if (leftOut > 0 && leftOut !== this.#leftOut) {
      this.#warn(`${this.#service}: ${leftOut} instances without an address and a port`);
    }
    this.#leftOut = leftOut;
    this.#isKnown = true;
    for (const over of this.#waiting) over();
  }

  /** Coordinates are of one data centre. */
  #nearBy(agent: Agent, { nearMs, datacenter = '', minZoneHosts = 1 }: BalancerOptions) {
    if (nearMs === undefined || datacenter !== '') return undefined;
    const { signal } = this.#ending;
    const nearness = new Nearness(agent, ({ why, isToSay }) => {
      if (isToSay) this.#warn(`${this.#service}: where nodes stand is not known: ${why}`);
    });
    const near = nearness.of({ withinMs: atLeast(0, nearMs, 'nearMs'), minHosts: minZoneHosts });
    near.onChange(() => this.#engine.update(near.levelled(this.#endpoints)), signal);
    void nearness.follow(signal);
    return near;
  }

  #lost({ what, why, isRefused, isToSay }: Loss): void {
    if (!isToSay) return;
    const goesOn = this.#isKnown ? 'the instances stay as they were' : 'no instance is known';
    this.#warn(`${this.#service}: ${isRefused ? `${what}: ` : ''}${goesOn}: ${why}`);
  }
}

function preferencesIn(options: BalancerOptions): Preferences {
  const { zone = '', minZoneHosts = 1, headroom = 1.4, panicBelow = 0 } = options;
  if (!(panicBelow <= 1)) throw new ProconsulError('invalid', 'panicBelow must be 1 or less');
  return {
    zone,
    minZoneHosts: atLeast(1, minZoneHosts, 'minZoneHosts'),
    headroom: atLeast(1, headroom, 'headroom'),
    panicBelow: atLeast(0, panicBelow, 'panicBelow'),
  };
}

function atLeast(least: number, given: number, name: string): number {
  if (given >= least) return given;
  throw new ProconsulError('invalid', `${name} must be ${least} or more`);
}
