/**
 * Pods of a cluster that come, go, and are ready or not, and syncs that bring them to the catalog, which are killed and
 * stand still, as the API server does. Where all is well, every server has what the cluster has; and what has
 * never changed there is in the catalog all the time, whatever happens to whom.
 */

import { kubeService, kubeSlice } from '../../support/kubernetes/cluster.ts';
import type { SimClient } from '../client.ts';
import type { SimCluster } from '../cluster.ts';
import type { SimKube } from '../kube.ts';
import type { SimServer } from '../server.ts';
import type { SimSync } from '../sync.ts';
import { Clients } from './clients.ts';

const NODE = 'k8s-sync';
/** What the syncs register of themselves. */
const OWN = 'proconsul-k8s-sync';
const ROCK = 'rock';
const SERVICES = ['pod-a', 'pod-b', 'pod-c'] as const;
const PODS = 4;
const CHANGE_MS = 700;
const MISCHIEF_MS = 6000;
const DOWN_MS = 2000;
const LONG_MS = 6000;
const LOOK_MS = 100;
/** Since anything went wrong: by then one of them has the turn, and has read all. */
const HEALED_MS = 20_000;
/** Since the cluster has changed. */
const KNOWN_MS = 3000;

/** Readiness by address; of a Service that is there. */
type Pods = Map<string, boolean>;

export class PodsOfCluster extends Clients {
  readonly #there = new Map<string, Pods>();
  #changedAt = 0;
  /** All that this workload does to others is over by then. */
  #wellAt = 0;
  /** Servers that have had all of what never changes. */
  readonly #told = new Set<SimServer>();

  constructor(cluster: SimCluster) {
    super(cluster);
    this.#begin(ROCK);
    this.#set(ROCK, new Map(['10.20.9.1', '10.20.9.2'].map((ip) => [ip, true])));
    for (const sync of cluster.syncs) sync.start();
  }

  async run(untilMs: number): Promise<void> {
    await Promise.all([
      this.as('kubelet', (client) => this.#change(client, untilMs)),
      this.as('mischief', (client) => this.#harm(client, untilMs)),
      this.#watch(untilMs),
    ]);
  }

  async look(): Promise<void> {
    this.#judgeAll();
  }

  get #kube(): SimKube {
    return this.cluster.kube as SimKube;
  }

  async #change(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const { random } = world;
    while (world.now < untilMs) {
      await this.rest(client, CHANGE_MS);
      const name = SERVICES[Math.floor(random.next() * SERVICES.length)] ?? '';
      const pods = this.#there.get(name);
      const [chance, ip] = [random.next(), `10.20.${name.at(-1)}`.replace(/[a-c]$/, numberOf)];
      if (pods === undefined) this.#begin(name);
      else if (chance < 0.1) this.#end(name);
      else this.#set(name, changed(pods, `${ip}.${Math.floor(random.next() * PODS)}`, chance));
    }
  }

  #begin(name: string): void {
    this.#there.set(name, new Map());
    this.#tell((objects) => void objects.create('services', kubeService(name)));
  }

  #end(name: string): void {
    this.#there.delete(name);
    this.#tell((objects) => {
      objects.delete('services', 'default', name);
      if (objects.get('endpointslices', 'default', `${name}-x1`) === undefined) return;
      objects.delete('endpointslices', 'default', `${name}-x1`);
    });
  }

  #set(name: string, pods: Pods): void {
    this.#there.set(name, pods);
    const endpoints = [...pods].map(([ip, ready]) => ({ ip, ready }));
    this.#tell((objects) => void objects.set('endpointslices', kubeSlice(name, endpoints)));
  }

  #tell(change: Parameters<SimKube['change']>[0]): void {
    this.#changedAt = this.cluster.world.now;
    this.#kube.change(change);
  }

  /** Of the cluster and its syncs: what befalls servers and Redis is the run's. */
  async #harm(client: SimClient, untilMs: number): Promise<void> {
    const { world, syncs } = this.cluster;
    const { random } = world;
    while (world.now < untilMs) {
      await this.rest(client, MISCHIEF_MS);
      if (world.now >= untilMs) return;
      const sync = syncs[Math.floor(random.next() * syncs.length)] as SimSync;
      const ms = (random.next() < 0.3 ? LONG_MS : DOWN_MS) * 2 * random.next();
      this.#wellAt = Math.max(this.#wellAt, world.now + ms);
      this.#harmOnce(random.next(), sync, ms);
    }
  }

  #harmOnce(chance: number, sync: SimSync, ms: number): void {
    const { world, network, servers } = this.cluster;
    const kube = this.#kube;
    const later = (fn: () => void) => void world.sleep(ms).then(fn);
    const silence = (other: SimSync['machine']) => {
      network.silence(sync.machine, other, true);
      later(() => network.silence(sync.machine, other, false));
    };
    if (chance < 0.3) {
      sync.kill();
      later(() => sync.start());
    } else if (chance < 0.4) world.freeze(sync.machine, ms);
    else if (chance < 0.5) world.freeze(kube.machine, ms);
    else if (chance < 0.6) kube.restart(ms);
    else if (chance < 0.7) silence(kube.machine);
    else if (chance < 0.8) for (const { machine } of servers) silence(machine);
    else if (chance < 0.9) kube.endWatches();
    else kube.forgetVersions();
  }

  /** From outside, as nobody could. */
  async #watch(untilMs: number): Promise<void> {
    const { world } = this.cluster;
    while (world.now < untilMs) {
      for (const server of this.cluster.servers) this.#judgeRock(server);
      const wellMs = Math.min(this.cluster.calmMs, world.now - this.#wellAt);
      if (wellMs > HEALED_MS && world.now - this.#changedAt > KNOWN_MS) this.#judgeAll();
      await world.sleep(LOOK_MS);
    }
  }

  #judgeRock(server: SimServer): void {
    if (server.process?.deps.readiness.begun !== true) return;
    const wanted = this.#wanted([ROCK]);
    const found = rowsOf(server)
      .filter((row) => row.startsWith(ROCK))
      .join();
    if (found === wanted) this.#told.add(server);
    else if (this.#told.has(server)) {
      const what = `${server.machine.name}: ${found}, not ${wanted}`;
      this.violations.add('pods that never changed are not in the catalog', what);
    }
  }

  #judgeAll(): void {
    const wanted = this.#wanted([...this.#there.keys()]);
    for (const server of this.cluster.servers) {
      const found = rowsOf(server).join();
      if (found === wanted) continue;
      const what = `${server.machine.name}: ${found}, not ${wanted}`;
      this.violations.add('the catalog is not as the cluster', what);
    }
  }

  #wanted(names: readonly string[]): string {
    const rows = names.flatMap((name) =>
      [...(this.#there.get(name) ?? [])].map(
        ([ip, ready]) => `${name} ${ip} ${ready ? 'passing' : 'critical'}`,
      ),
    );
    return rows.sort().join();
  }
}

function numberOf(letter: string): string {
  return String(letter.charCodeAt(0));
}

/** One comes, goes, or is ready where it was not. */
function changed(before: Pods, ip: string, chance: number): Pods {
  const after = new Map(before);
  if (chance < 0.3) after.delete(ip);
  else after.set(ip, chance < 0.75);
  return after;
}

/** As `web 10.1.0.1 passing` each. */
function rowsOf({ process }: SimServer): string[] {
  const catalog = process?.state.catalog;
  if (catalog === undefined) return [];
  const checks = [...catalog.checksOn(NODE)];
  return [...catalog.instancesOn(NODE)]
    .filter(({ Service }) => Service !== OWN)
    .map(({ ID, Service, Address }) => {
      const statuses = checks
        .filter(({ ServiceID }) => ServiceID === ID)
        .map((each) => each.Status);
      return [Service, Address, ...statuses].join(' ');
    })
    .sort();
}
