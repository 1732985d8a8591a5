/** A service that is called: where its chain leads, as the agent says it now, and what became of the calls. */
import type { Call } from '../lib/balance/balancer.ts';
import { Circuit, type CircuitLimits } from '../lib/balance/circuit.ts';
import { type HedgeRules, Hedging } from '../lib/balance/hedging.ts';
import type { Host } from '../lib/balance/host.ts';
import type { PolicyName } from '../lib/balance/policies.ts';
import { RetryBudget, type RetryBudgetRules } from '../lib/balance/retry-budget.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { Sample } from '../lib/metrics/sample.ts';
import { inPath } from '../lib/well-formed.ts';
import { type Agent, follow, type Loss, type Question } from './follow.ts';
import type { HashRule } from './http/hash-key.ts';
import { Places } from './http/places.ts';
import {
  type End,
  isH2,
  isHttpLike,
  plainRouting,
  type Routing,
  routingIn,
  type TargetSaid,
} from './http/routes.ts';
import { type StatusCounts, Target, type TargetRules } from './target.ts';

export interface UpstreamRules {
  /** Two with the same are the same. */
  readonly key: string;
  /** As metrics and lines of the log call it. */
  readonly name: string;
  /** Else its instances are all there is to know. */
  readonly hasChain: boolean;
  /** '' for what the chain says. */
  readonly protocol: string;
  /** '' for the agent's own. */
  readonly datacenter: string;
  readonly circuit: CircuitLimits;
  readonly retries: RetryBudgetRules;
  /** When a second host is asked beside one that is slow; undefined for never. */
  readonly hedging: HedgeRules | undefined;
  /** Only instances with all of these in their metadata. */
  readonly subset: Call['subset'];
  /** By what of a request, where a chain does not say how hosts are chosen. */
  readonly hashing: readonly HashRule[];
  /** What is said of how it is called and has no effect on calls that go so, each by its flag. */
  readonly unheededBy: (routing: Routing) => readonly string[];
  readonly targetRules: (wanted: TargetWanted) => TargetRules;
}

export interface TargetWanted {
  readonly said: TargetSaid;
  /** '' for the agent's own. */
  readonly datacenter: string;
  /** Undefined where the chain says none. */
  readonly policy: PolicyName | undefined;
  readonly connectMs: number | undefined;
  readonly isH2: boolean;
}

export interface UpstreamCounts {
  calls: number;
  /** Tried again at another host. */
  retries: number;
  /** Asked of a second host, beside one that was slow. */
  hedged: number;
  /** That no host took. */
  failed: number;
  sent: number;
  received: number;
}

export function noCounts(): UpstreamCounts {
  return { calls: 0, retries: 0, hedged: 0, failed: 0, sent: 0, received: 0 };
}

export interface Chosen {
  readonly target: Target;
  readonly host: Host;
}

/** What is known goes on to count for so long, until a new chain's hosts are known. */
const WARM_MS = 5000;
/** Of a chain's routes, each by its pattern. */
const LEFT_OUT_TOLD = 5;

export class Upstream {
  readonly #rules: UpstreamRules;
  readonly #agent: Agent;
  readonly #logger: Logger;
  readonly circuit: Circuit;
  readonly #places: Places;
  readonly budget: RetryBudget;
  /** Undefined where no second host is asked beside a slow one. */
  readonly hedging: Hedging | undefined;
  readonly counts: UpstreamCounts = noCounts();
  readonly statuses: StatusCounts = [0, 0, 0, 0, 0];
  readonly latency = new Sample();
  /** Each leaves when its time is over: an agent may be away for long. */
  readonly #waiting = new Set<() => void>();
  #routing: Routing | undefined;
  #targets = new Map<string, Target>();
  #ways = new Map<End, readonly Target[]>();
  /** Those of a chain that is not heeded yet. */
  #warming = new Map<string, Target>();
  #change = 0;
  /** The agent has no chain of it. */
  #isPlain = false;
  /** Routes that are none here, as they were told last. */
  #leftOut = '';
  #unheeded = '';

  constructor(rules: UpstreamRules, agent: Agent, logger: Logger) {
    this.#rules = rules;
    this.#agent = agent;
    this.#logger = logger;
    this.circuit = new Circuit(rules.circuit);
    this.budget = new RetryBudget(rules.retries);
    this.hedging = rules.hedging && new Hedging(rules.hedging);
    this.#places = new Places(this.circuit);
  }

  get name(): string {
    return this.#rules.name;
  }

  /** Whether an agent has ever said where calls go, and what hosts there are. */
  get isKnown(): boolean {
    return this.#routing !== undefined;
  }

  get routing(): Routing | undefined {
    return this.#routing;
  }

  get isHttp(): boolean {
    return isHttpLike(this.#routing?.protocol ?? '');
  }

  get targets(): readonly Target[] {
    return [...this.#targets.values()];
  }

  /** Of the first of its targets that has one; of hosts that are not well only where none has another. */
  choose(end: End, call: Call): Chosen | undefined {
    const targets = this.#ways.get(end) ?? [];
    const { subset } = this.#rules;
    for (const isCalm of targets.length > 1 ? [true, false] : [false]) {
      for (const target of targets) {
        const host = target.balancer.choose({ ...call, subset, isCalm });
        if (host !== undefined) return { target, host };
      }
    }
    return undefined;
  }

  hashingOf({ policy, hashing }: End): readonly HashRule[] {
    return policy === undefined && hashing.length === 0 ? this.#rules.hashing : hashing;
  }

  answered(status: number, ms: number): void {
    const place = Math.floor(status / 100) - 1;
    this.statuses[place] = (this.statuses[place] ?? 0) + 1;
    this.latency.observe(ms);
  }

  /** Follows chain and catalog until the signal is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    const { datacenter } = this.#rules;
    const query = datacenter === '' ? [] : [['compile-dc', datacenter] as const];
    const question: Question = {
      path: `/v1/discovery-chain/${inPath(this.name)}`,
      query,
    };
    const take = (json: unknown) => {
      const routing = routingIn(json, this.#rules.protocol);
      this.#tellLeftOut(routing);
      this.#take(routing, signal);
      this.#isPlain = false;
    };
    const lost = (loss: Loss) => this.#lost(loss, signal);
    if (this.#rules.hasChain) await follow(this.#agent, { ...question, take, lost }, signal);
    else {
      this.#take(this.#plain(), signal);
      await untilAborted(signal);
    }
    const all = [this.#targets, this.#warming];
    [this.#targets, this.#warming] = [new Map(), new Map()];
    for (const targets of all) this.#stopUnused(targets);
  }

  /** Resolves when it is known what hosts there are, or after so long. */
  async untilKnown(clock: Pick<Clock, 'after'>, ms: number): Promise<void> {
    if (this.isKnown) return;
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

  /** What is called until the hosts of the new one are known is what was called before. */
  #take(routing: Routing, signal: AbortSignal): void {
    const change = ++this.#change;
    this.#tellUnheeded(routing);
    const targets = new Map<string, Target>();
    const ways = new Map<End, readonly Target[]>();
    for (const end of routing.ends) {
      const all = end.targets.flatMap((id) => {
        const said = routing.targets.get(id);
        return said === undefined ? [] : [this.#targetOf(said, end, routing, targets)];
      });
      ways.set(end, all);
    }
    const forgotten = this.#warming;
    this.#warming = targets;
    this.#stopUnused(forgotten);
    void this.#untilWarm([...targets.values()]).then(() => {
      if (change !== this.#change || signal.aborted) return;
      const before = this.#targets;
      [this.#targets, this.#ways, this.#routing] = [targets, ways, routing];
      this.#warming = new Map();
      this.#stopUnused(before);
      for (const over of this.#waiting) over();
    });
  }

  #tellLeftOut({ leftOut }: Routing): void {
    const all = leftOut.join('; ');
    if (all !== '' && all !== this.#leftOut) {
      const why = leftOut.slice(0, LEFT_OUT_TOLD).join('; ');
      const line = 'sidecar: routes are left out, and their requests go by those that follow';
      this.#logger.warn(line, { service: this.name, routes: leftOut.length, why });
    }
    this.#leftOut = all;
  }

  #tellUnheeded(routing: Routing): void {
    const flags = this.#rules.unheededBy(routing).join(', ');
    if (flags !== '' && flags !== this.#unheeded) {
      const line = 'sidecar: what is said by these has no effect, as the service is called';
      this.#logger.warn(line, { service: this.name, flags, protocol: routing.protocol });
    }
    this.#unheeded = flags;
  }

  #plain(): Routing {
    const { name, protocol, datacenter } = this.#rules;
    const said = { id: name, service: name, subset: '', datacenter, filter: '' };
    return plainRouting(protocol || 'tcp', { ...said, onlyPassing: false });
  }

  #stopUnused(targets: ReadonlyMap<string, Target>): void {
    for (const [key, target] of targets) {
      if (this.#targets.get(key) !== target && this.#warming.get(key) !== target) target.stop();
    }
  }

  #targetOf(said: TargetSaid, end: End, routing: Routing, into: Map<string, Target>): Target {
    const { policy, connectMs } = end;
    const { datacenter: asked } = this.#rules;
    const datacenter = said.datacenter === routing.datacenter ? asked : said.datacenter;
    const wanted = { said, datacenter, policy, connectMs, isH2: isH2(routing.protocol) };
    const key = JSON.stringify(wanted);
    const found = into.get(key) ?? this.#targets.get(key) ?? this.#warming.get(key);
    const rules = this.#rules.targetRules(wanted);
    const target = found ?? new Target(rules, this.#places, this.#agent, this.#logger);
    if (found === undefined) target.start();
    into.set(key, target);
    return target;
  }

  /** One that cannot be asked about (another data centre, that is not there) holds up nobody for long. */
  async #untilWarm(targets: readonly Target[]): Promise<void> {
    const all = Promise.all(targets.map(({ known }) => known));
    const isLate = new Promise<'late'>((resolve) => {
      const cancel = this.#agent.clock.after(WARM_MS, () => resolve('late'));
      void all.then(cancel);
    });
    const how = await Promise.race([all, isLate]);
    if (how === 'late' && !this.isKnown) await Promise.race(targets.map(({ known }) => known));
  }

  #lost({ why, what, level, tries, isToSay }: Loss, signal: AbortSignal): void {
    const { name } = this.#rules;
    if (hasNoChain(why)) {
      // What was known as a chain stays one.
      if (this.#isPlain) return;
      if (this.#change === 0) {
        this.#isPlain = true;
        this.#take(this.#plain(), signal);
        const line =
          'sidecar: knows of no chain of calls, and goes to the instances of the service';
        this.#logger.info(line, { service: name, why });
        return;
      }
    }
    if (!isToSay) return;
    const goesOn = this.isKnown ? 'calls go where they went' : 'no host is known';
    this.#logger[level](`sidecar: ${what}, and ${goesOn}`, { service: name, tries, error: why });
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** An agent without the mesh has no chains, and to whom it shows none a service is what it is. */
const NO_CHAINS = ['Connect must be enabled', 'Permission denied', 'response code: 404', '404:'];

export function hasNoChain(why: string): boolean {
  return NO_CHAINS.some((each) => why.includes(each));
}
