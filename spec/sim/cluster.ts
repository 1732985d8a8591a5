/** Everything that runs in a world: servers, the Redis that they share, and agents. */
import { largeBodies } from '../../lib/body-room.ts';
import { GRACE_MS, MAX_SILENCE_MS, MAX_SILENCES } from '../../server/leases.ts';
import { SimAgent } from './agent.ts';
import { SimDocker } from './docker.ts';
import { History } from './history.ts';
import type { LuaScripts } from './redis/scripts.ts';
import { SimRedis } from './redis/sim-redis.ts';
import { SimServer } from './server.ts';
import { replaceGlobals } from './world/globals.ts';
import type { Machine } from './world/machine.ts';
import { Network } from './world/network.ts';
import { World } from './world/world.ts';

const REDIS_PORT = 6379;
const REPLICA_LAG_MS = 20;
const BEGINNING_MS = 4000;
/** What heals in less is no silence to the leases. */
const SILENCE_MS = MAX_SILENCE_MS / 2;

/** Where the log is, and when a write in it counts. */
export type Log = 'file' | 'redis' | 'quorum';

export interface ClusterOptions {
  readonly seed: number;
  readonly log: Log;
  readonly agents: number;
  /** Whether servers have access control. */
  readonly hasAccess?: boolean;
  /** Whether containers run beside the agents. */
  readonly hasContainers?: boolean;
  /** Whether there will be two masters that are written to. */
  readonly splits?: boolean;
  /** Of each Redis, where a spec looks at what they do. */
  readonly scripts?: readonly LuaScripts[];
}

export class SimCluster {
  readonly world: World;
  readonly network: Network;
  readonly history: History;
  readonly log: Log;
  readonly splits: boolean;
  /** The first is the master to begin with; none where the log is in files. */
  readonly redis: readonly SimRedis[];
  readonly servers: readonly SimServer[];
  readonly agents: readonly SimAgent[];
  /** Large bodies of runs before it, in which a server was killed. */
  readonly bytesBefore = largeBodies.bytes;
  readonly #putBack: () => void;
  #master: SimRedis | undefined;
  /** It begins with much to do. */
  #stormUntil = BEGINNING_MS;
  #silences = 0;
  #silentUntil = Number.NEGATIVE_INFINITY;
  #mayEndLeases = false;

  constructor({
    seed,
    log,
    agents,
    splits = false,
    hasAccess = false,
    hasContainers = false,
    scripts = [],
  }: ClusterOptions) {
    const world = new World(seed);
    const network = new Network(world);
    this.world = world;
    this.network = network;
    this.history = new History(world);
    this.log = log;
    this.splits = splits;
    this.#putBack = replaceGlobals({ world, network });
    this.redis = log === 'file' ? [] : pairOfRedis(world, network, scripts);
    this.#master = this.redis[0];
    const hosts = this.redis.map(({ port }) => `127.0.0.1:${port}`).join(',');
    const url = log === 'file' ? undefined : `redis://${hosts}/0?commit=${log}`;
    const servers = log === 'file' ? 1 : 3;
    this.servers = Array.from(
      { length: servers },
      (_, i) =>
        new SimServer({
          world,
          network,
          history: this.history,
          hasAccess,
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
  }

  async start(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.start()));
    for (const agent of this.agents) agent.start();
  }

  /** All that there are, but for clients'. */
  get machines(): readonly Machine[] {
    return [...this.redis, ...this.servers, ...this.agents].map(({ machine }) => machine);
  }

  /** Something goes wrong from now on, and for so long. */
  storm(ms: number): void {
    this.#stormUntil = Math.max(this.#stormUntil, this.world.now + ms);
  }

  /** A fault strikes, in which nobody may be heard for so long. */
  silenced(ms: number): void {
    if (ms < SILENCE_MS) return;
    const { now } = this.world;
    this.#silences = now > this.#silentUntil + GRACE_MS ? 1 : this.#silences + 1;
    this.#silentUntil = Math.max(this.#silentUntil, now + ms);
    if (this.#silences >= MAX_SILENCES) this.#mayEndLeases = true;
  }

  /** After too many silences in a row the next ones count: from then on a lease may end that is renewed. */
  get mayEndLeases(): boolean {
    return this.#mayEndLeases;
  }

  get isCalm(): boolean {
    return this.world.now > this.#stormUntil;
  }

  /** The one that was chosen last. */
  get master(): SimRedis {
    return this.#master as SimRedis;
  }

  /** The replica takes over with what has reached it; the old master follows it a while later. */
  failOver(frozenMs: number): void {
    const { world, master } = this;
    this.#choose(frozenMs + 50, () => {
      if (frozenMs > 0) world.freeze(master.machine, frozenMs);
      return () => undefined;
    });
  }

  /** The master and one server on one side of a break, all else on the other, which fails over. */
  part(alone: SimServer, ms: number): void {
    const { network, master } = this;
    this.#choose(ms, (next) => {
      const others = this.servers.filter((each) => each !== alone);
      const ways = [
        ...others.map(({ machine }) => [machine, master.machine] as const),
        [alone.machine, next.machine] as const,
      ];
      for (const [a, b] of ways) network.silence(a, b, true);
      return () => {
        for (const [a, b] of ways) network.silence(a, b, false);
      };
    });
  }

  /** One choice at a time, as Sentinel makes them. */
  #choose(ms: number, fault: (next: SimRedis) => () => void): void {
    const old = this.master;
    const next = this.redis.find((each) => each !== old) as SimRedis;
    if (!next.isReplica) return;
    const heal = fault(next);
    next.promote();
    this.#master = next;
    void this.world.sleep(ms).then(() => {
      heal();
      old.demoteTo(next, REPLICA_LAG_MS);
    });
  }

  /** Nothing of it is left in this process. */
  async end(): Promise<void> {
    this.network.end();
    await this.world.settle();
    this.#putBack();
  }
}

function pairOfRedis(
  world: World,
  network: Network,
  scripts: readonly LuaScripts[],
): readonly SimRedis[] {
  const [master, replica] = ['r1', 'r2'].map((name, i) => {
    const its = scripts[i];
    const port = REDIS_PORT + i;
    return new SimRedis({ world, network, name, port, ...(its && { scripts: its }) });
  }) as [SimRedis, SimRedis];
  replica.follow(master, REPLICA_LAG_MS);
  return [master, replica];
}
