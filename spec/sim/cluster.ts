/** Everything that runs in a world: servers, the Redis that they share, and agents. */
import { GRACE_MS, MAX_SILENCE_MS, MAX_SILENCES } from '../../server/leases.ts';
import { SimAgent } from './agent.ts';
import { Answers } from './answers.ts';
import { BodyHolders } from './body-holders.ts';
import { SimDocker } from './docker.ts';
import { History } from './history.ts';
import { SimKube } from './kube.ts';
import type { LuaScripts } from './redis/scripts.ts';
import { MASTER_NAME, SimSentinel } from './redis/sentinel.ts';
import { type RedisTap, SimRedis } from './redis/sim-redis.ts';
import { SimServer } from './server.ts';
import { MOVES, SimSidecar, STAYS } from './sidecar.ts';
import { SimSync } from './sync.ts';
import { replaceGlobals } from './world/globals.ts';
import type { Machine } from './world/machine.ts';
import { Network } from './world/network.ts';
import { World } from './world/world.ts';

const REDIS_PORT = 6379;
const REPLICA_LAG_MS = 20;
const BEGINNING_MS = 4000;
const SENTINELS = 3;
const SYNCS = 2;
/** From the word to a replica until it is a master, and until other sentinels know of it, at most. */
const PROMISE_MS = 40;
const SENTINEL_LAG_MS = 1500;
/** What heals in less is no silence to the leases. */
const SILENCE_MS = MAX_SILENCE_MS / 2;

/** Of a log that is sealed: what it begins with. */
export const ROTATED_KEY = Buffer.from('the-first-of-all').toString('base64');

/** Where the log is, and when a write in it counts. */
export type Log = (typeof LOGS)[number];
export const LOGS = ['quorum', 'redis', 'file'] as const;

export interface ClusterOptions {
  readonly seed: number;
  readonly log: Log;
  readonly agents: number;
  /** Whether servers have access control. */
  readonly hasAccess?: boolean;
  /** Whether the log is sealed. */
  readonly isSealed?: boolean;
  /** Whether containers run beside the agents. */
  readonly hasContainers?: boolean;
  /** Whether there are proxies beside programs. */
  readonly hasSidecars?: boolean;
  /** Whether there is a cluster of Kubernetes, and what brings its services to the catalog. */
  readonly hasKube?: boolean;
  /** Whether there will be two masters that are written to. */
  readonly splits?: boolean;
  /** Whether what was acknowledged may be lost. */
  readonly loses?: boolean;
  /** Whether nothing will go wrong: then nobody is refused. */
  readonly isFaultless?: boolean;
  /** Whether servers find the master by asking sentinels, and hear of another one from them. */
  readonly hasSentinels?: boolean;
  /** Of each Redis, where a spec looks at what they do. */
  readonly scripts?: readonly LuaScripts[];
  readonly taps?: readonly RedisTap[];
}

export class SimCluster {
  readonly world: World;
  readonly network: Network;
  readonly history: History;
  readonly answers: Answers;
  readonly log: Log;
  readonly splits: boolean;
  readonly loses: boolean;
  readonly isFaultless: boolean;
  /** The first is the master to begin with; none where the log is in files. */
  readonly redis: readonly SimRedis[];
  readonly sentinels: readonly SimSentinel[];
  readonly servers: readonly SimServer[];
  readonly agents: readonly SimAgent[];
  /** Each asks an agent; they begin when somebody has them begin. */
  readonly sidecars: readonly SimSidecar[];
  readonly kube: SimKube | undefined;
  /** They begin when somebody has them begin. */
  readonly syncs: readonly SimSync[];
  readonly bodies: BodyHolders;
  /** Nobody begins anything from then on. */
  endsAt = Number.POSITIVE_INFINITY;
  /** How often somebody's time of day has jumped. */
  jumps = 0;
  readonly #putBack: () => void;
  #master: SimRedis | undefined;
  #isChoosing = false;
  /** It begins with much to do. */
  #stormUntil = BEGINNING_MS;
  /** Of each fault, when it is over. */
  readonly #faultsOver: number[] = [];
  #silences = 0;
  #silentUntil = Number.NEGATIVE_INFINITY;
  #mayEndLeases = false;

  constructor({
    seed,
    log,
    agents,
    splits = false,
    loses = false,
    isFaultless = false,
    hasAccess = false,
    isSealed = false,
    hasContainers = false,
    hasSidecars = false,
    hasKube = false,
    hasSentinels = false,
    scripts = [],
    taps = [],
  }: ClusterOptions) {
    const world = new World(seed);
    const network = new Network(world);
    this.world = world;
    this.network = network;
    this.history = new History(world);
    this.answers = new Answers(world);
    this.bodies = new BodyHolders(world);
    this.log = log;
    this.splits = splits;
    this.loses = loses;
    this.isFaultless = isFaultless;
    this.#putBack = replaceGlobals({ world, network });
    this.redis = log === 'file' ? [] : pairOfRedis({ world, network, scripts, taps });
    this.#master = this.redis[0];
    this.sentinels = hasSentinels ? sentinelsOf(world, network, this.redis) : [];
    const url = log === 'file' ? undefined : `${this.#whereRedisIs()}?commit=${log}`;
    const servers = log === 'file' ? 1 : 3;
    this.servers = Array.from(
      { length: servers },
      (_, i) =>
        new SimServer({
          world,
          network,
          history: this.history,
          hasAccess,
          key: isSealed ? ROTATED_KEY : undefined,
          url,
          number: i + 1,
          servers,
        }),
    );
    const join = this.servers.map(({ port }) => `10.0.0.1:${port}`);
    this.agents = Array.from({ length: agents }, (_, i) => {
      const place = { world, network, number: i + 1 };
      return new SimAgent({
        ...place,
        join,
        docker: hasContainers ? new SimDocker(place) : undefined,
      });
    });
    this.sidecars = hasSidecars ? this.agents.map((agent, i) => this.#sidecarOf(agent, i)) : [];
    const kube = hasKube ? new SimKube(world) : undefined;
    this.kube = kube;
    this.syncs = Array.from({ length: kube ? SYNCS : 0 }, (_, i) => {
      const place = { world, network, number: i + 1 };
      return new SimSync({ ...place, kube: kube as SimKube, servers: this.servers });
    });
  }

  /** Of the two services one is called request by request, and one connection by connection. */
  #sidecarOf(agent: SimAgent, number: number): SimSidecar {
    const { world, network } = this;
    const isEven = (world.seed + number) % 2 === 0;
    const calls = [
      { service: STAYS, protocol: isEven ? 'http' : 'tcp' },
      { service: MOVES, protocol: isEven ? 'tcp' : 'http' },
    ] as const;
    return new SimSidecar({ world, network, number: number + 1, agent, calls });
  }

  async start(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.start()));
    for (const agent of this.agents) agent.start();
  }

  /** All that there are, but for clients'. */
  get machines(): readonly Machine[] {
    const all = [...this.redis, ...this.sentinels, ...this.servers, ...this.agents];
    return all.map(({ machine }) => machine);
  }

  /** Clients, and what they look after. */
  get others(): readonly Machine[] {
    const own = new Set(this.machines);
    return this.world.machines.filter((machine) => !own.has(machine));
  }

  /** Where clients may ask. */
  get doors(): readonly number[] {
    return [...this.servers, ...this.agents].map(({ port }) => port);
  }

  /** Something goes wrong from now on, and for so long. */
  storm(ms: number): void {
    this.#stormUntil = Math.max(this.#stormUntil, this.world.now + ms);
  }

  /** How many faults were not over so long ago. */
  faultsWithin(ms: number): number {
    const since = this.world.now - ms;
    return this.#faultsOver.filter((until) => until > since).length;
  }

  /** A fault strikes, in which nobody may be heard for so long. */
  struck(ms: number): void {
    const { now } = this.world;
    this.#faultsOver.push(now + ms);
    if (ms < SILENCE_MS) return;
    this.#silences = now > this.#silentUntil + GRACE_MS ? 1 : this.#silences + 1;
    this.#silentUntil = Math.max(this.#silentUntil, now + ms);
    if (this.#silences >= MAX_SILENCES) this.#mayEndLeases = true;
  }

  /** Nothing goes wrong from now on: a fault that was to meet somebody at a step of his would meet him as he ends. */
  disarm(): void {
    for (const machine of this.machines) machine.disarm();
    for (const { disk } of [...this.servers, ...this.agents]) disk.disarm();
    for (const server of this.servers) server.onForgotten = () => undefined;
  }

  /** The two hear nothing of each other for so long, or little: an agent that has no other server is not heard. */
  cutOff(a: Machine, b: Machine, ms: number): void {
    if (this.servers.length > 1) return;
    for (const agent of this.agents) {
      if (agent.machine === a || agent.machine === b) {
        agent.unheardUntil = Math.max(agent.unheardUntil, this.world.now + ms);
      }
    }
  }

  /** After too many silences in a row the next ones count: from then on a lease may end that is renewed. */
  get mayEndLeases(): boolean {
    return this.#mayEndLeases;
  }

  get isCalm(): boolean {
    return this.calmMs > 0;
  }

  /** For how long nothing has gone wrong. */
  get calmMs(): number {
    return this.world.now - this.#stormUntil;
  }

  /** The one that was chosen last. */
  get master(): SimRedis {
    return this.#master as SimRedis;
  }

  #whereRedisIs(): string {
    const some = this.sentinels.length > 0 ? this.sentinels : this.redis;
    const hosts = some.map(({ port }) => `127.0.0.1:${port}`).join(',');
    return some === this.redis ? `redis://${hosts}/0` : `redis+sentinel://${hosts}/${MASTER_NAME}`;
  }

  /** The replica takes over with what has reached it; the old master follows it a while later. */
  failOver(frozenMs: number, goesOnMs = 50): void {
    const { world, master } = this;
    this.#choose(frozenMs + goesOnMs, () => {
      if (frozenMs > 0) world.freeze(master.machine, frozenMs);
      return () => undefined;
    });
  }

  /** The master, one server and a sentinel on one side of a break, all else on the other, which fails over. */
  part(alone: SimServer, ms: number): void {
    const { network, master, sentinels } = this;
    const here = sentinels.slice(0, 1);
    this.#choose(
      ms,
      (next) => {
        const others = this.servers.filter((each) => each !== alone);
        const ways = [
          ...others.map(({ machine }) => [machine, master.machine] as const),
          ...others.flatMap((each) => here.map((its) => [each.machine, its.machine] as const)),
          ...sentinels.slice(1).map(({ machine }) => [alone.machine, machine] as const),
          [alone.machine, next.machine] as const,
        ];
        for (const [a, b] of ways) network.silence(a, b, true);
        return () => {
          for (const [a, b] of ways) network.silence(a, b, false);
        };
      },
      here,
    );
  }

  /** One choice at a time, as Sentinel makes them. `apart`: those sentinels that hear of it at the end. */
  #choose(
    ms: number,
    fault: (next: SimRedis) => () => void,
    apart: readonly SimSentinel[] = [],
  ): void {
    const { world, master: old, sentinels } = this;
    const next = this.redis.find((each) => each !== old) as SimRedis;
    if (!next.isReplica || this.#isChoosing) return;
    const heal = fault(next);
    const takeOver = () => {
      this.#isChoosing = false;
      next.promote();
      this.#master = next;
      for (const [i, each] of sentinels.entries()) {
        const lagMs = i === 1 ? 0 : SENTINEL_LAG_MS * world.random.next();
        each.switched(next.port, old.port, apart.includes(each) ? ms : lagMs, i === 1);
      }
      void world.sleep(ms).then(() => {
        heal();
        old.demoteTo(next, REPLICA_LAG_MS);
      });
    };
    // The one that leads says what it is about to do, before it does it.
    sentinels[1]?.promised(next.port, old.port, 0);
    if (sentinels.length === 0) {
      takeOver();
      return;
    }
    this.#isChoosing = true;
    void world.sleep(PROMISE_MS * (0.5 + world.random.next())).then(takeOver);
  }

  /** Nothing of it is left in this process. */
  async end(): Promise<void> {
    await this.world.settle();
    await this.world.end();
    this.network.end();
    this.bodies.end();
    this.#putBack();
  }
}

interface Pair extends Required<Pick<ClusterOptions, 'scripts' | 'taps'>> {
  readonly world: World;
  readonly network: Network;
}

function pairOfRedis({ world, network, scripts, taps }: Pair): readonly SimRedis[] {
  const [master, replica] = ['r1', 'r2'].map((name, i) => {
    const [its, tap] = [scripts[i], taps[i]];
    const port = REDIS_PORT + i;
    const seen = { ...(its && { scripts: its }), ...(tap && { tap }) };
    return new SimRedis({ world, network, name, port, ...seen });
  }) as [SimRedis, SimRedis];
  replica.follow(master, REPLICA_LAG_MS);
  return [master, replica];
}

function sentinelsOf(
  world: World,
  network: Network,
  [master]: readonly SimRedis[],
): readonly SimSentinel[] {
  return Array.from({ length: SENTINELS }, (_, i) => {
    return new SimSentinel({ world, network, number: i + 1, master: master?.port ?? 0 });
  });
}
