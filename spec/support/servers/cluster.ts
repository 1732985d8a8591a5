/** Registry servers as real processes on one real Redis, each behind a proxy that can cut it off. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent as HttpAgent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommitPolicy } from '../../../server/log/redis/link/options.ts';
import { until } from '../until.ts';
import { freePort, freePorts } from './free-ports.ts';
import { type RedisProcess, startRedis } from './redis.ts';
import { type Answer, type Sent, send } from './start-server.ts';
import { TcpProxy } from './tcp-proxy.ts';

const PROGRAM = fileURLToPath(new URL('../../../bin/proconsul', import.meta.url));
/** It is built first when it is stale. */
const START_MS = 60_000;

export interface ClusterOptions {
  readonly servers: number;
  /** Added to each server's flags. */
  readonly flags?: readonly string[];
  /** Each serves xDS too. */
  readonly xds?: boolean;
  /** When a write counts. */
  readonly commit?: CommitPolicy;
  /** Where Redis is, if not one that the cluster starts. */
  readonly redisUrl?: string;
  /** Another build's. */
  readonly program?: string;
}

export class Cluster {
  readonly dir: string;
  readonly redis: RedisProcess | undefined;
  readonly servers: readonly ServerProcess[];

  private constructor(
    dir: string,
    redis: RedisProcess | undefined,
    servers: readonly ServerProcess[],
  ) {
    this.dir = dir;
    this.redis = redis;
    this.servers = servers;
    // An experiment that breaks off must leave no process behind either.
    process.once('exit', () => {
      for (const server of servers) server.signal('SIGKILL');
      redis?.signal('SIGKILL');
    });
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const { servers: count, flags = [], redisUrl, commit = 'redis', xds = false } = options;
    const { program = PROGRAM } = options;
    const dir = await mkdtemp(join(tmpdir(), 'proconsul-cluster-'));
    const redis = redisUrl === undefined ? await startRedis() : undefined;
    const servers: ServerProcess[] = [];
    const grpc = xds ? await freePort() : 0;
    for (let i = 1; i <= count; i++) {
      const proxy = redis === undefined ? undefined : await TcpProxy.start(redis.address);
      const url = `${proxy?.url ?? redisUrl ?? ''}?commit=${commit}`;
      // As on machines of their own: the port is the same.
      const at = xds ? { host: `127.0.0.${i}`, port: grpc } : undefined;
      const prepared = { name: `s${i}`, dir, url, proxy, flags, xds: at, program };
      servers.push(await ServerProcess.prepare(prepared));
    }
    const cluster = new Cluster(dir, redis, servers);
    for (const server of servers) server.start();
    await cluster.untilReady();
    return cluster;
  }

  /** Until every server takes default reads, and they agree on who leads. */
  async untilReady(): Promise<void> {
    for (const server of this.servers) await server.untilReady();
  }

  async stop(): Promise<void> {
    for (const server of this.servers) {
      await server.kill();
      await server.proxy?.stop();
    }
    await this.redis?.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

interface Prepared {
  readonly name: string;
  readonly dir: string;
  readonly url: string;
  readonly proxy: TcpProxy | undefined;
  readonly flags: readonly string[];
  readonly xds: XdsAt | undefined;
  readonly program: string;
}

export interface XdsAt {
  readonly host: string;
  readonly port: number;
}

interface ServerPorts {
  readonly http: number;
  /** Where agents join. */
  readonly lan: number;
  /** Undefined where it serves none. */
  readonly xds: XdsAt | undefined;
}

export class ServerProcess {
  readonly name: string;
  readonly ports: ServerPorts;
  /** Between this server and Redis. */
  readonly proxy: TcpProxy | undefined;
  readonly #program: string;
  readonly #args: readonly string[];
  readonly #log: string;
  readonly #agent = new HttpAgent({ keepAlive: true, maxSockets: 256 });
  #process: ChildProcess | undefined;

  private constructor(prepared: Prepared, ports: ServerPorts, args: readonly string[]) {
    this.name = prepared.name;
    this.proxy = prepared.proxy;
    this.ports = ports;
    this.#program = prepared.program;
    this.#args = args;
    this.#log = join(prepared.dir, `${prepared.name}.log`);
  }

  static async prepare(prepared: Prepared): Promise<ServerProcess> {
    const [http = 0, rpc = 0, lan = 0] = await freePorts(3);
    const { name, dir, url, flags, xds } = prepared;
    return new ServerProcess(prepared, { http, lan, xds }, [
      'agent',
      '-server',
      `-node=${name}`,
      '-bind=127.0.0.1',
      `-data-dir=${join(dir, name)}`,
      `-http-port=${http}`,
      `-server-port=${rpc}`,
      `-serf-lan-port=${lan}`,
      '-dns-port=-1',
      `-redis=${url}`,
      ...(xds === undefined
        ? []
        : [`-grpc-port=${xds.port}`, `-hcl=addresses { grpc = "${xds.host}" }`]),
      ...flags,
    ]);
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get port(): number {
    return this.ports.http;
  }

  start(): void {
    const log = openSync(this.#log, 'a');
    this.#process = spawn(this.#program, this.#args, { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended;
  }

  async untilReady(): Promise<void> {
    const ready = async () => {
      const leader = await this.ask('GET', '/v1/status/leader').catch(() => undefined);
      if (leader === undefined || leader.text === '""') return false;
      const read = await this.ask('GET', '/v1/catalog/nodes').catch(() => undefined);
      return read?.status === 200;
    };
    await until(ready, () => `${this.name} does not answer`, START_MS);
  }

  ask(method: string, path: string, sent: Sent = {}): Promise<Answer> {
    return send(this.port, method, path, { ...sent, agent: this.#agent });
  }
}
