/** Two syncs as processes between a made-up cluster and a server, with a count of what they write. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiServer, startApiServer } from '../kubernetes/api-server.ts';
import { type Endpoint, kubeService, kubeSlice } from '../kubernetes/cluster.ts';
import { send } from '../servers/start-server.ts';
import { sleep } from '../sleep.ts';
import { until } from '../until.ts';
import { kubeconfigFor, SyncProcess } from './sync-process.ts';

/** Each look is at the whole node: without a pause they would be most of what the server does. */
const LOOK_MS = 50;
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

  async startSync(name: string): Promise<void> {
    const kubeconfig = kubeconfigFor(this.#cluster, this.#folder);
    const sync = new SyncProcess(name, this.#counter.port, kubeconfig, ['-lease=1s']);
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
    const active = this.#syncs.find(
      ({ output, isEnded }) =>
        !isEnded && output.lastIndexOf('holds the lock') > output.lastIndexOf('lost the lock'),
    );
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

  /** Milliseconds until the catalog says what the cluster says. */
  async rightAfter(mostMs: number): Promise<number> {
    const began = performance.now();
    let wrong = '';
    await until(
      async () => {
        await sleep(LOOK_MS);
        wrong = await this.#wrong();
        return wrong === '';
      },
      () => `${wrong}\n${this.#syncs.map(({ output }) => output).join('\n')}`,
      mostMs,
    );
    return performance.now() - began;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#syncs.map((sync) => sync.kill()));
    await this.#cluster.stop();
    this.#counter.stop();
    rmSync(this.#folder, { recursive: true });
  }

  /** '' where it is right: each pod once, with its state, and nothing else. */
  async #wrong(): Promise<string> {
    const { text } = await send(this.#port, 'GET', NODE_PATH, {});
    const shown = instancesIn(text);
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

interface Shown {
  readonly Services: readonly { ID: string; Service: string; Address: string }[] | null;
  readonly Checks: readonly { CheckID: string; ServiceID: string; Status: string }[] | null;
}

/** The worst of each instance's checks; two of one address are one too many, and are named so. */
function instancesIn(text: string): Map<string, string> {
  const { Services, Checks } = JSON.parse(text) as Shown;
  const states = new Map<string, string>();
  for (const { CheckID, ServiceID, Status } of Checks ?? []) {
    if (CheckID.startsWith('_service_maintenance')) states.set(ServiceID, 'maintenance');
    else if (states.get(ServiceID) === undefined) states.set(ServiceID, Status);
  }
  const shown = new Map<string, string>();
  for (const { ID, Service, Address } of Services ?? []) {
    if (Service === 'proconsul-k8s-sync') continue;
    const key = `${Service} ${Address}`;
    shown.set(shown.has(key) ? `${key} twice` : key, states.get(ID) ?? 'no check');
  }
  return shown;
}

/** Stands before the server, and counts the instances that transactions write. */
class Counter {
  writes = 0;
  port = 0;
  readonly #server: Server;

  private constructor(to: number) {
    this.#server = createServer((incoming, outgoing) => {
      const { method, url, headers } = incoming;
      const parts: Buffer[] = [];
      const sent = request(
        { host: '127.0.0.1', port: to, method, path: url, headers },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
          answer.pipe(outgoing);
          if (url === '/v1/txn' && answer.statusCode === 200) this.writes += written(parts);
        },
      );
      sent.on('error', () => outgoing.destroy());
      outgoing.on('close', () => sent.destroy());
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.pipe(sent);
    });
    this.#server.keepAliveTimeout = 60_000;
  }

  static async start(to: number): Promise<Counter> {
    const counter = new Counter(to);
    await new Promise<void>((resolve) => counter.#server.listen(0, '127.0.0.1', resolve));
    counter.port = (counter.#server.address() as AddressInfo).port;
    return counter;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

interface Op {
  readonly Service?: { readonly Service: { readonly ID: string } };
  readonly Check?: { readonly Check: { readonly ServiceID?: string; readonly CheckID: string } };
}

function written(parts: readonly Buffer[]): number {
  const ops = JSON.parse(Buffer.concat(parts).toString()) as readonly Op[];
  const ids = ops.map(({ Service, Check }) => Service?.Service.ID ?? Check?.Check.ServiceID);
  return new Set(ids.filter((id) => id !== undefined)).size;
}
