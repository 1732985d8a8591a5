/** A sync between the cluster and the catalog: the whole process, as `proconsul k8s-sync` runs it. */
import { Agent, request } from 'node:http';
import { createApiClient } from '../../cli/api-client.ts';
import { flagsOf } from '../../cli/flag-values.ts';
import { syncOptionsOf } from '../../cli/k8s-flags.ts';
import { catalogBy, turnLock } from '../../cli/k8s-ports.ts';
import { ApiServer } from '../../kubernetes/api/api-server.ts';
import { KubernetesSync } from '../../kubernetes/sync.ts';
import { type Complaint, loggerOf } from './complaints.ts';
import type { SimKube } from './kube.ts';
import type { SimServer } from './server.ts';
import type { Machine } from './world/machine.ts';
import type { Network } from './world/network.ts';
import type { World } from './world/world.ts';

/** Where no other workload looks. */
const LOCK = 'sync/lock';

export interface SimSyncOptions {
  readonly world: World;
  readonly network: Network;
  readonly number: number;
  readonly kube: SimKube;
  /** It asks one of them, another for each question, as behind a Service. */
  readonly servers: readonly SimServer[];
}

export class SimSync {
  readonly machine: Machine;
  readonly complaints: Complaint[] = [];
  readonly waiting = 0;
  readonly openFiles = 0;
  readonly #options: SimSyncOptions;
  #end: () => Promise<void> = () => Promise.resolve();
  #lives = false;

  constructor(options: SimSyncOptions) {
    this.#options = options;
    this.machine = options.world.machine(`y${options.number}`);
  }

  /** Nothing where it lives already: several may have it come back. */
  start(): void {
    const { world } = this.#options;
    if (this.#lives) return;
    this.#lives = true;
    world.at(this.machine, 0, () => this.#begin());
  }

  /** kill -9; it comes back by `start`, and knows nothing of before. */
  kill(): void {
    const { world, network } = this.#options;
    network.killed(this.machine);
    world.kill(this.machine);
    this.#lives = false;
  }

  /** As by SIGTERM. */
  async stop(): Promise<void> {
    await this.#options.world.on(this.machine, () => this.#end());
  }

  #begin(): void {
    const { world, kube } = this.#options;
    const clock = world.clockOf(this.machine);
    const api = new ApiServer(kube.access, clock);
    const ending = new AbortController();
    const { signal } = ending;
    const flags = { 'sync-name': this.machine.name, 'lock-key': LOCK };
    const options = syncOptionsOf(flagsOf(Object.entries(flags)));
    const client = (each: AbortSignal) => this.#client(each);
    const parts = { client, clock, key: options.lockKey, signal };
    const sync = new KubernetesSync(
      {
        api,
        catalog: catalogBy(client, clock),
        clock,
        random: world.random,
        logger: loggerOf(world, this.machine, this.complaints),
        lock: (rest) => turnLock(parts, rest),
      },
      options,
    );
    const running = sync.run(signal).finally(() => api.close());
    running.catch((error: unknown) => world.fail(error));
    this.#end = () => {
      ending.abort();
      return running;
    };
  }

  #client(signal: AbortSignal) {
    const { world, servers } = this.#options;
    const { port } = servers[Math.floor(world.random.next() * servers.length)] as SimServer;
    const kept = new Agent({ keepAlive: true });
    const target = { scheme: 'http', address: `127.0.0.1:${port}`, headers: {} } as const;
    // What is loaded when it is first asked for takes time of the real world.
    return createApiClient({ target, query: [], signal, way: { request, kept } });
  }
}
