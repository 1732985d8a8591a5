/**
 * A service whose instances are programs: some beside an agent, as containers are, and some in a made-up cluster
 * whose sync brings them. Callers look it up by DNS and by HTTP without end, and call where they are sent.
 */
import { Resolver } from 'node:dns/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, get, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiServer, startApiServer } from '../kubernetes/api-server.ts';
import { type Endpoint, kubeService, kubeSlice } from '../kubernetes/cluster.ts';
import { freePorts } from '../servers/free-ports.ts';
import { type Proconsul, startProconsul } from '../servers/proconsul.ts';
import { send } from '../servers/start-server.ts';
import { sleep } from '../sleep.ts';
import { until } from '../until.ts';
import { kubeconfigFor, SyncProcess } from './sync-process.ts';

const NAME = 'shop';
/** From when a pod is told to end until its program does: what a `preStop` of the kind that everybody has waits. */
const GRACE_MS = 3000;

export interface Lookup {
  readonly at: number;
  readonly by: 'dns' | 'http';
  /** Whether the program that answered is in the cluster; undefined where none did. */
  readonly isPod: boolean | undefined;
  /** Why there was none. */
  readonly why?: string;
}

interface Program {
  readonly address: string;
  readonly server: Server;
}

export class MovedService {
  readonly lookups: Lookup[] = [];
  readonly #proconsul: Proconsul;
  readonly #cluster: ApiServer;
  readonly #resolver = new Resolver({ timeout: 2000, tries: 1 });
  readonly #folder = mkdtempSync(join(tmpdir(), 'proconsul-moved-'));
  readonly #sync: SyncProcess;
  readonly #port: number;
  readonly #programs = new Map<string, Program>();
  readonly #pods = new Map<string, Endpoint>();
  readonly #callers: Promise<void>[] = [];
  #born = 0;
  #isOver = false;

  private constructor(proconsul: Proconsul, cluster: ApiServer, dns: number, port: number) {
    this.#proconsul = proconsul;
    this.#cluster = cluster;
    this.#port = port;
    this.#resolver.setServers([`127.0.0.1:${dns}`]);
    const kubeconfig = kubeconfigFor(cluster, this.#folder);
    this.#sync = new SyncProcess('a', proconsul.port, kubeconfig);
  }

  static async start(): Promise<MovedService> {
    const [dns = 0, port = 0] = await freePorts(2);
    const proconsul = await startProconsul(['-dev', `-dns-port=${dns}`]);
    const moved = new MovedService(proconsul, await startApiServer(), dns, port);
    await until(
      () => moved.#sync.output.includes('holds the lock'),
      () => moved.#sync.output,
      60_000,
    );
    return moved;
  }

  /** As a container is found, or a program registers itself. */
  async addOnMachine(): Promise<string> {
    const id = await this.#run('127.0.3');
    const check = { HTTP: `http://${id}:${this.#port}/`, Interval: '1s', Status: 'passing' };
    const body = { ID: id, Name: NAME, Address: id, Port: this.#port, Check: check };
    await this.#put('/v1/agent/service/register', body);
    return id;
  }

  /** In order: nobody new is sent there, and then it goes. */
  async endOnMachine(id: string): Promise<void> {
    await this.#put(`/v1/agent/service/maintenance/${id}?enable=true&reason=moves`);
    await sleep(GRACE_MS);
    await this.#put(`/v1/agent/service/deregister/${id}`);
    this.#stop(id);
  }

  /** A pod that is there, and is ready a while later. */
  async addPod(): Promise<string> {
    const ip = await this.#run('127.0.4');
    this.#tell(ip, { ready: false });
    await sleep(300);
    this.#tell(ip, { ready: true });
    return ip;
  }

  async endPod(ip: string): Promise<void> {
    this.#tell(ip, { terminating: true });
    await sleep(GRACE_MS);
    this.#stop(ip);
    this.#pods.delete(ip);
    this.#tellAll();
  }

  makeService(): void {
    this.#cluster.objects.set('services', kubeService(NAME));
  }

  /** Those that can be found by now. */
  async passing(): Promise<readonly string[]> {
    const { json } = await send(this.#proconsul.port, 'GET', PASSING, {});
    return addressesIn(json);
  }

  call(count: number): void {
    for (let i = 0; i < count; i++) this.#callers.push(this.#lookUp(i % 2 === 0 ? 'dns' : 'http'));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#callers);
    await this.#sync.kill();
    await this.#cluster.stop();
    for (const address of [...this.#programs.keys()]) this.#stop(address);
    rmSync(this.#folder, { recursive: true });
  }

  async #lookUp(by: Lookup['by']): Promise<void> {
    while (!this.#isOver) {
      const lookup = await this.#once(by).then(
        (address) => ({ isPod: address.startsWith('127.0.4.') }),
        (error: unknown) => ({ isPod: undefined, why: String(error) }),
      );
      this.lookups.push({ at: performance.now(), by, ...lookup });
    }
  }

  /** Finds them, and calls one of them at once, by a connection of its own. */
  async #once(by: Lookup['by']): Promise<string> {
    const addresses = by === 'http' ? await this.passing() : await this.#byDns();
    const address = addresses[Math.floor(Math.random() * addresses.length)];
    if (address === undefined) throw new Error('nobody was found');
    await called(address, this.#port);
    return address;
  }

  #byDns(): Promise<readonly string[]> {
    return this.#resolver.resolve4(`${NAME}.service.consul`);
  }

  async #run(network: string): Promise<string> {
    const address = `${network}.${++this.#born}`;
    const server = createServer((_, response) => response.end(address));
    await new Promise<void>((resolve) => server.listen(this.#port, address, resolve));
    this.#programs.set(address, { address, server });
    return address;
  }

  #stop(address: string): void {
    const { server } = this.#programs.get(address) ?? {};
    this.#programs.delete(address);
    server?.close();
    server?.closeAllConnections();
  }

  #tell(ip: string, state: Omit<Endpoint, 'ip'>): void {
    this.#pods.set(ip, { ip, ...state });
    this.#tellAll();
  }

  #tellAll(): void {
    const ports = [{ name: 'http', port: this.#port, protocol: 'TCP' }];
    this.#cluster.objects.set(
      'endpointslices',
      kubeSlice(NAME, [...this.#pods.values()], { ports }),
    );
  }

  async #put(path: string, body: object = {}): Promise<void> {
    const { status, text } = await send(this.#proconsul.port, 'PUT', path, { body });
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  }
}

const PASSING = `/v1/health/service/${NAME}?passing`;

function addressesIn(json: unknown): readonly string[] {
  return (json as readonly { Service: { Address: string } }[]).map(
    ({ Service }) => Service.Address,
  );
}

function called(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = get({ host, port, agent: false, timeout: 5000 }, (response) => {
      response.resume();
      response.on('end', resolve);
      response.on('error', reject);
    });
    sent.on('error', reject);
  });
}
