/** Registry servers of the world on one Redis: whole ones, from the HTTP listener inwards. */
import { createApp } from '../../lib/http/app.ts';
import { FastPath } from '../../lib/http/fast/fast-path.ts';
import { Listener } from '../../lib/http/listener.ts';
import { MAX_KV_VALUE_BYTES, MAX_TXN_BODY_BYTES } from '../../lib/limits.ts';
import type { Logger } from '../../lib/logger.ts';
import { parseRedisUrl } from '../../server/log/redis/link/options.ts';
import { RedisLog } from '../../server/log/redis/log/redis-log.ts';
import {
  type Ballot,
  type BallotStore,
  NO_BALLOT,
} from '../../server/log/redis/repair/ballot-file.ts';
import { Server } from '../../server/server.ts';
import { SimRedis } from './redis/sim-redis.ts';
import { replaceGlobals } from './world/globals.ts';
import { Network } from './world/network.ts';
import { type Machine, World } from './world/world.ts';

const REDIS_PORT = 6379;
const HTTP_PORT = 8500;
const REPLICA_LAG_MS = 20;
const SESSION_TTL_MIN_MS = 1000;
const RECONNECT_MS = 72 * 3600_000;

export type Commit = 'redis' | 'quorum';

export interface ClusterOptions {
  readonly seed: number;
  readonly servers: number;
  readonly commit: Commit;
}

export class SimCluster {
  readonly world: World;
  readonly network: Network;
  /** The first is the master to begin with. */
  readonly redis: readonly SimRedis[];
  readonly servers: readonly SimServer[];
  readonly #putBack: () => void;

  constructor({ seed, servers, commit }: ClusterOptions) {
    const world = new World(seed);
    const network = new Network(world);
    this.world = world;
    this.network = network;
    this.#putBack = replaceGlobals({ world, network });
    this.redis = [0, 1].map(
      (i) => new SimRedis({ world, network, name: `r${i + 1}`, port: REDIS_PORT + i }),
    );
    const [master, replica] = this.redis as [SimRedis, SimRedis];
    replica.follow(master, REPLICA_LAG_MS);
    const hosts = this.redis.map(({ port }) => `127.0.0.1:${port}`).join(',');
    const url = `redis://${hosts}/0?commit=${commit}`;
    this.servers = Array.from(
      { length: servers },
      (_, i) => new SimServer({ world, network, url, number: i + 1, servers }),
    );
  }

  async start(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.start()));
  }

  get master(): SimRedis {
    return this.redis.find(({ isMaster }) => isMaster) as SimRedis;
  }

  /** The replica takes over with what has reached it; the old master follows it a while later. */
  failOver(frozenMs: number): void {
    const old = this.master;
    const next = this.redis.find((each) => each !== old) as SimRedis;
    if (frozenMs > 0) this.world.freeze(old.machine, frozenMs);
    next.promote();
    void this.world.sleep(frozenMs + 50).then(() => old.demoteTo(next, REPLICA_LAG_MS));
  }

  end(): void {
    this.#putBack();
  }
}

class SimBallots implements BallotStore {
  #ballot = NO_BALLOT;

  async load(): Promise<Ballot> {
    return this.#ballot;
  }

  async save(ballot: Ballot): Promise<void> {
    this.#ballot = ballot;
  }
}

export interface SimServerOptions {
  readonly world: World;
  readonly network: Network;
  readonly url: string;
  readonly number: number;
  readonly servers: number;
}

/** One server's machine, and the process that runs on it now. */
export class SimServer {
  readonly machine: Machine;
  readonly port: number;
  /** What it logged at ERROR, and at WARN. */
  readonly complaints: string[] = [];
  /** On the machine's disk: it outlives the process. */
  readonly #ballots = new SimBallots();
  readonly #options: SimServerOptions;
  #process: Server | undefined;

  constructor(options: SimServerOptions) {
    this.#options = options;
    this.machine = options.world.machine(`s${options.number}`);
    this.port = HTTP_PORT + options.number;
  }

  /** The process, for verdicts that look inside. */
  get process(): Server | undefined {
    return this.#process;
  }

  async start(): Promise<void> {
    const { world } = this.#options;
    await world.on(this.machine, () => this.#begin());
  }

  /** kill -9, and another process a while later. */
  restart(downMs: number): void {
    const { world, network } = this.#options;
    network.killed(this.machine);
    world.kill(this.machine);
    this.#process = undefined;
    world.at(this.machine, downMs, () => void this.#begin());
  }

  async #begin(): Promise<void> {
    const { world, url, servers, number } = this.#options;
    const clock = world.clockOf(this.machine);
    const logger = this.#logger();
    const log = new RedisLog({
      redis: parseRedisUrl(url),
      self: { datacenter: 'dc1', server: this.machine.name, servers, ballots: this.#ballots },
      clock,
      logger,
      on: { snapshotNeeded: () => server.saveSnapshotSoon() },
    });
    const server = new Server({
      storage: { log, leases: log.leases },
      system: { clock, random: world.random, logger },
      self: {
        id: this.machine.name,
        node: this.machine.name,
        datacenter: 'dc1',
        address: `10.0.0.${number}:8300`,
      },
      rules: {
        sessionTtlMinMs: SESSION_TTL_MIN_MS,
        limits: { kvValueBytes: MAX_KV_VALUE_BYTES, txnBytes: MAX_TXN_BODY_BYTES },
        reconnectTimeoutMs: RECONNECT_MS,
      },
      onFatal: (error) => world.fail(error),
    });
    this.#process = server;
    await server.start();
    const fastPath = new FastPath();
    const app = createApp({ routes: server.routes(), fastPath, logger });
    const at = { host: '127.0.0.1', port: this.port };
    const listener = new Listener({
      listener: app,
      shortcut: fastPath,
      at,
      maxConnectionsPerAddress: () => 0,
    });
    await listener.start();
  }

  #logger(): Logger {
    const { world } = this.#options;
    const line = (level: string) => (text: string) => {
      world.say(`${this.machine.name} ${level} ${text}`);
      if (level === 'ERROR') this.complaints.push(text);
    };
    return { error: line('ERROR'), warn: line('WARN'), info: line('INFO'), debug: () => undefined };
  }
}
