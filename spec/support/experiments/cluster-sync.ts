/** Two syncs as processes between a made-up cluster and a server, with a count of what they write. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ApiServer, startApiServer } from '../kubernetes/api-server.ts';
import { type Endpoint, kubeService, kubeSlice } from '../kubernetes/cluster.ts';
import { send } from '../servers/start-server.ts';
import { sleep } from '../sleep.ts';
import { until } from '../until.ts';
import { kubeconfigFor, SyncProcess } from './sync-process.ts';
import type { Check, Instance, Op, Taken } from './txn-counter.ts';

const COUNTER = fileURLToPath(new URL('./txn-counter.ts', import.meta.url));

/** Between two looks at what transactions have written. */
const LOOK_MS = 50;
/** When a sync took its turn, as its log says it. */
const TOOK = /^\S+(?=.*holds the lock)/gm;
const NODE_PATH = '/v1/internal/ui/node/k8s-sync';

interface Pod extends Endpoint {
  readonly ready: boolean;
  readonly terminating: boolean;
}

export class ClusterSync {
  readonly #cluster: ApiServer;
  readonly #counter: Counter;
  readonly #port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'proconsul-k8s-'));
  readonly #syncs: SyncProcess[] = [];
  /** The truth: of each service its pods, by address. */
  readonly #services = new Map<string, Map<string, Pod>>();
  readonly #endpoints: number;
  #addresses = 0;
  /** What pods went through that the catalog has to show. */
  changes = 0;

  private constructor(cluster: ApiServer, counter: Counter, port: number, endpoints: number) {
    this.#cluster = cluster;
    this.#counter = counter;
    this.#port = port;
    this.#endpoints = endpoints;
  }

  static async start(port: number, services: number, endpoints: number): Promise<ClusterSync> {
    const made = new ClusterSync(
      await startApiServer(),
      await Counter.start(port),
      port,
      endpoints,
    );
    for (let i = 0; i < services; i++) made.#service(`svc-${i}`);
    return made;
  }

  /** Instances that were written. */
  get writes(): number {
    return this.#counter.writes;
  }

  get cluster(): ApiServer {
    return this.#cluster;
  }

  get syncs(): readonly SyncProcess[] {
    return this.#syncs;
  }

  /** `nodeOptions` are for Node itself, as in NODE_OPTIONS. */
  async startSync(name: string, { nodeOptions = '', lease = '1s' } = {}): Promise<void> {
    const kubeconfig = kubeconfigFor(this.#cluster, this.#folder);
    const { port } = this.#counter;
    const sync = new SyncProcess(name, port, kubeconfig, [`-lease=${lease}`], nodeOptions);
    this.#syncs.push(sync);
    await until(
      async () => {
        const path = '/v1/health/node/k8s-sync';
        const { text } = await send(this.#port, 'GET', path, {});
        return text.includes(`proconsul-k8s-sync-${name}`);
      },
      () => sync.output,
      60_000,
    );
  }

  /** Ends the one that writes as a crash does. */
  async killActive(): Promise<void> {
    const tookAt = ({ output }: SyncProcess) => output.match(TOOK)?.at(-1) ?? '';
    const [active] = this.#syncs
      .filter((each) => !each.isEnded && tookAt(each) !== '')
      .sort((x, y) => (tookAt(x) < tookAt(y) ? 1 : -1));
    if (active === undefined) throw new Error('no sync holds the lock');
    await active.kill();
  }

  /** Replaces some pods of a service: each one new, then ready, then an old one ends, and is gone. */
  rollSteps(count: number): readonly (() => void)[] {
    return [...this.#services.keys()].flatMap((name) => {
      const old = [...this.#pods(name).keys()].slice(0, count);
      const born = old.map(() => this.#address());
      return [
        () => this.#set(name, born, { ready: false, terminating: false }),
        () => this.#set(name, born, { ready: true, terminating: false }),
        () => this.#set(name, old, { ready: false, terminating: true }),
        () => this.#drop(name, old),
      ];
    });
  }

  /**
   * Milliseconds until the catalog says what the cluster says: by the transactions that it has taken, for to read ten thousand
   * instances again and again would be most of what the server does. Then the catalog is read, once.
   */
  async rightAfter(mostMs: number): Promise<number> {
    const began = performance.now();
    let [wrong, ms] = ['', 0];
    const told = () => `${wrong}\n${this.#syncs.map(({ output }) => output).join('\n')}`;
    const isWritten = async () => {
      await sleep(LOOK_MS);
      const { taken } = this.#counter;
      const wanted = [...this.#services.values()].reduce((sum, pods) => sum + pods.size, 0);
      // To compare them costs some of the processor that the others need.
      if (taken.size !== wanted) wrong = `${taken.size} instances of ${wanted} are there`;
      else wrong = this.#wrong(taken.shown());
      return wrong === '';
    };
    const isRight = async () => {
      await until(isWritten, told, mostMs);
      ms = performance.now() - began;
      const { text } = await send(this.#port, 'GET', NODE_PATH, {});
      wrong = this.#wrong(shownIn(text));
      return wrong === '';
    };
    await until(isRight, told, mostMs);
    return ms;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#syncs.map((sync) => sync.kill()));
    await this.#cluster.stop();
    this.#counter.stop();
    rmSync(this.#folder, { recursive: true });
  }

  /** '' where it is right: each pod once, with its state, and nothing else. */
  #wrong(shown: Map<string, string>): string {
    for (const [service, pods] of this.#services) {
      for (const [ip, { ready, terminating }] of pods) {
        const key = `${service} ${ip}`;
        const is = shown.get(key);
        const state = terminating ? 'maintenance' : readiness(ready);
        if (is !== state) return `${key} is ${is}, and ought to be ${state}`;
        shown.delete(key);
      }
    }
    const [more] = shown.keys();
    return more === undefined ? '' : `${more} is there, and ought not to be`;
  }

  #service(name: string): void {
    const pods = Array.from({ length: this.#endpoints }, () => this.#address());
    this.#services.set(name, new Map());
    this.#cluster.objects.create('services', kubeService(name));
    this.#set(name, pods, { ready: true, terminating: false });
  }

  #address(): string {
    const n = this.#addresses++;
    return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
  }

  #pods(name: string): Map<string, Pod> {
    return this.#services.get(name) ?? new Map();
  }

  #set(name: string, ips: readonly string[], state: Pick<Pod, 'ready' | 'terminating'>): void {
    const pods = this.#pods(name);
    for (const ip of ips) pods.set(ip, { ip, ...state });
    this.#tell(name, ips.length);
  }

  #drop(name: string, ips: readonly string[]): void {
    for (const ip of ips) this.#pods(name).delete(ip);
    this.#tell(name, ips.length);
  }

  #tell(name: string, changes: number): void {
    this.changes += changes;
    this.#cluster.objects.set('endpointslices', kubeSlice(name, [...this.#pods(name).values()]));
  }
}

function readiness(ready: boolean): string {
  return ready ? 'passing' : 'critical';
}

/** What the node has, by what was told of it. */
class Rows {
  readonly #instances = new Map<string, Instance>();
  readonly #checks = new Map<string, Check>();

  get size(): number {
    return this.#instances.size;
  }

  take(ops: readonly Op[]): void {
    for (const { Service, Check } of ops) {
      if (Service?.Verb === 'cas') this.put(Service.Service);
      else if (Service !== undefined) this.#drop(Service.Service.ID);
      else if (Check?.Verb === 'set') this.putCheck(Check.Check);
      else if (Check !== undefined) this.#checks.delete(Check.Check.CheckID);
    }
  }

  put(instance: Instance): void {
    this.#instances.set(instance.ID, instance);
  }

  putCheck(check: Check): void {
    this.#checks.set(check.CheckID, check);
  }

  /** The worst of each instance's checks; two of one address are one too many, and are named so. */
  shown(): Map<string, string> {
    const states = new Map<string, string>();
    for (const { CheckID, ServiceID, Status } of this.#checks.values()) {
      if (CheckID.startsWith('_service_maintenance')) states.set(ServiceID, 'maintenance');
      else if (states.get(ServiceID) === undefined) states.set(ServiceID, Status);
    }
    const shown = new Map<string, string>();
    for (const { ID, Service, Address } of this.#instances.values()) {
      if (Service === 'proconsul-k8s-sync') continue;
      const key = `${Service} ${Address}`;
      shown.set(shown.has(key) ? `${key} twice` : key, states.get(ID) ?? 'no check');
    }
    return shown;
  }

  #drop(id: string): void {
    this.#instances.delete(id);
    this.#checks.delete(`default/${id}`);
    this.#checks.delete(`_service_maintenance:${id}`);
  }
}

function shownIn(text: string): Map<string, string> {
  const { Services, Checks } = JSON.parse(text) as {
    readonly Services: readonly Instance[] | null;
    readonly Checks: readonly Check[] | null;
  };
  const rows = new Rows();
  for (const each of Services ?? []) rows.put(each);
  for (const each of Checks ?? []) rows.putCheck(each);
  return rows.shown();
}

/** A process of its own stands before the server: what this one does for the cluster holds up no beat. */
class Counter {
  writes = 0;
  readonly port: number;
  readonly taken = new Rows();
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.on('message', (message) => {
      const { ops, writes } = message as Taken;
      this.taken.take(ops);
      this.writes += writes;
    });
  }

  static async start(to: number): Promise<Counter> {
    const child = fork(COUNTER, [String(to)], { execArgv: ['--import', 'tsx'] });
    const [port] = (await once(child, 'message')) as [number];
    return new Counter(child, port);
  }

  stop(): void {
    this.#child.kill();
  }
}
