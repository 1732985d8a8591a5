/** Real Redis processes, each in a folder of its own; all that a spec started ends with the spec. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Address } from '../../../server/log/redis/link/options.ts';
import { until } from '../until.ts';
import { freePort, freePorts } from './free-ports.ts';

const HOST = '127.0.0.1';
const started = new Set<{ stop(): Promise<void> }>();

/** Files of a Redis that takes only those who show a certificate of the authority. */
export interface RedisCertificates {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export class RedisProcess {
  readonly address: Address;
  readonly dir: string;
  readonly #args: readonly string[];
  readonly #tls: RedisCertificates | undefined;
  #child: ChildProcess | undefined;
  #admin: Redis | undefined;

  constructor(port: number, dir: string, args: readonly string[], tls?: RedisCertificates) {
    this.address = { host: HOST, port };
    this.dir = dir;
    this.#args = args;
    this.#tls = tls;
  }

  get url(): string {
    return `redis${this.#tls === undefined ? '' : 's'}://${HOST}:${this.address.port}`;
  }

  /** 0 while there is none. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** A client for the spec's own hands. */
  get admin(): Redis {
    this.#admin ??= connect(this.address.port, this.#tls);
    return this.#admin;
  }

  /** Starts the process (again), and waits until it answers. */
  async start(): Promise<void> {
    this.#child = spawn('redis-server', this.#args, { stdio: 'ignore' });
    await untilAnswers(this.address.port, this.#tls);
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** kill -9: nothing is flushed, nobody is told. */
  async kill(): Promise<void> {
    this.#admin?.disconnect();
    this.#admin = undefined;
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await exited;
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.dir, { recursive: true, force: true });
  }
}

export interface RedisSpecOptions {
  readonly port?: number;
  /** As on the command line: '--maxmemory', '10mb'. */
  readonly args?: readonly string[];
  /** Nothing is spoken but TLS, to replicas too. */
  readonly tls?: RedisCertificates | undefined;
}

/** A Redis with an append-only file, as documented for production. */
export async function startRedis({
  port,
  args = [],
  tls,
}: RedisSpecOptions = {}): Promise<RedisProcess> {
  const at = port ?? (await freePort());
  const dir = await mkdtemp(join(tmpdir(), 'proconsul-redis-'));
  const basic = ['--bind', HOST, '--dir', dir, '--save', ''];
  const listening = listenAt(at, tls).flatMap(([key, value]) => [`--${key}`, value]);
  const redisArgs = [
    ...listening,
    ...basic,
    ...['--appendonly', 'yes', '--repl-diskless-sync-delay', '0', '--loglevel', 'warning'],
    ...args,
  ];
  const process = new RedisProcess(at, dir, redisArgs, tls);
  started.add(process);
  await process.start();
  return process;
}

export interface SentinelSetup {
  /** The first one is the master to begin with. */
  readonly redis: readonly RedisProcess[];
  readonly sentinels: readonly RedisProcess[];
  readonly url: string;
  /** The process that the sentinels take for the master now. */
  master(): Promise<RedisProcess>;
  /** A planned failover. */
  failover(): Promise<void>;
}

/** A master, two replicas and three sentinels; a master is taken for dead after a second. */
export async function startSentinels(tls?: RedisCertificates): Promise<SentinelSetup> {
  const first = await startRedis({ tls });
  const replicaOf = ['--replicaof', `${HOST} ${first.address.port}`];
  const replicas = await Promise.all([1, 2].map(() => startRedis({ args: replicaOf, tls })));
  for (const replica of replicas) await untilSynced(replica);
  const redis = [first, ...replicas];
  const ports = await freePorts(3);
  const sentinels = await Promise.all(ports.map((port) => startSentinel(port, first, tls)));
  for (const sentinel of sentinels) await untilComplete(sentinel);
  const ask = async (...args: string[]) => await anyAnswer(sentinels, args);
  return {
    redis,
    sentinels,
    url: `redis${tls === undefined ? '' : 's'}+sentinel://${ports.map((port) => `${HOST}:${port}`).join(',')}/m`,
    async master() {
      const [, port] = (await ask('get-master-addr-by-name', 'm')) as [string, string];
      const found = redis.find(({ address }) => address.port === Number(port));
      if (found === undefined) throw new Error(`nobody has port ${port}`);
      return found;
    },
    async failover() {
      await ask('failover', 'm');
    },
  };
}

async function startSentinel(
  port: number,
  master: RedisProcess,
  tls: RedisCertificates | undefined,
): Promise<RedisProcess> {
  const dir = await mkdtemp(join(tmpdir(), 'proconsul-sentinel-'));
  const file = join(dir, 'sentinel.conf');
  const lines = [
    ...listenAt(port, tls).map((pair) => pair.join(' ')),
    `bind ${HOST}`,
    `dir ${dir}`,
    `sentinel monitor m ${HOST} ${master.address.port} 2`,
    'sentinel down-after-milliseconds m 1000',
    'sentinel failover-timeout m 6000',
    'loglevel warning',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const process = new RedisProcess(port, dir, [file, '--sentinel'], tls);
  started.add(process);
  await process.start();
  return process;
}

async function anyAnswer(sentinels: readonly RedisProcess[], args: string[]): Promise<unknown> {
  let failure: unknown;
  for (const sentinel of sentinels) {
    try {
      return await sentinel.admin.call('SENTINEL', ...args);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function untilSynced(replica: RedisProcess): Promise<void> {
  await until(async () => (await replica.admin.info('replication')).includes('link_status:up'));
}

/** Each sentinel knows the others and both replicas: before that no failover is agreed upon. */
async function untilComplete(sentinel: RedisProcess): Promise<void> {
  const field = (flat: string[], name: string) => flat[flat.indexOf(name) + 1];
  let seen: unknown;
  await until(
    async () => {
      const flat = (await sentinel.admin.call('SENTINEL', 'MASTER', 'm')) as string[];
      seen = flat;
      return field(flat, 'num-slaves') === '2' && field(flat, 'num-other-sentinels') === '2';
    },
    () => seen,
    20_000,
  );
}

function listenAt(
  port: number,
  tls: RedisCertificates | undefined,
): readonly (readonly [key: string, value: string])[] {
  if (tls === undefined) return [['port', `${port}`]];
  return [
    ['port', '0'],
    ['tls-port', `${port}`],
    ['tls-ca-cert-file', tls.caFile],
    ['tls-cert-file', tls.certFile],
    ['tls-key-file', tls.keyFile],
    ['tls-auth-clients', 'yes'],
    ['tls-replication', 'yes'],
  ];
}

function connect(port: number, files?: RedisCertificates): Redis {
  const tls = files && {
    ca: readFileSync(files.caFile),
    cert: readFileSync(files.certFile),
    key: readFileSync(files.keyFile),
  };
  const basic = { host: HOST, port, protocol: 2, maxRetriesPerRequest: 1 } as const;
  const client = new Redis({ ...basic, ...(tls && { tls }) });
  client.on('error', () => undefined);
  return client;
}

async function untilAnswers(port: number, tls?: RedisCertificates): Promise<void> {
  const client = connect(port, tls);
  try {
    await until(async () => {
      try {
        return (await client.ping()) === 'PONG';
      } catch {
        // Not there yet, or loading its data.
        return false;
      }
    });
  } finally {
    client.disconnect();
  }
}

/** Ends every process that is left; also for programs that are no specs. */
export async function stopAllRedis(): Promise<void> {
  const all = [...started];
  started.clear();
  await Promise.all(all.map((each) => each.stop()));
}

if (typeof afterEach === 'function') afterEach(stopAllRedis);
