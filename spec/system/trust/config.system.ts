/**
 * Starts real processes with configurations that must not be taken at their word, and with some that
 * must: one line a promise.
 *
 *   node --import tsx spec/system/trust/config.system.ts
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../support/servers/free-ports.ts';
import { until } from '../../support/until.ts';
import { report, SHORT_MS } from '../report.ts';

const PROGRAM = fileURLToPath(new URL('../../../bin/proconsul', import.meta.url));
/** It is built first when it is stale. */
const START_MS = 400_000;

const SECURITY_KEYS: readonly (readonly [name: string, keys: object])[] = [
  ['auto_encrypt.tls', { auto_encrypt: { tls: true } }],
  ['auto_config.enabled', { auto_config: { enabled: true } }],
  ['serf_lan_allowed_cidrs', { serf_lan_allowed_cidrs: ['10.0.0.0/8'] }],
];

/** What of TLS cannot be kept, and how that is said. */
const NO_AUTHORITY = /no CA certificate/;
const BROKEN_TLS: readonly (readonly [keys: object, words: RegExp])[] = [
  [{ verify_incoming: true }, NO_AUTHORITY],
  [{ verify_incoming_rpc: true }, NO_AUTHORITY],
  [{ verify_incoming_https: true }, NO_AUTHORITY],
  [{ verify_outgoing: true }, NO_AUTHORITY],
  [{ verify_server_hostname: true }, NO_AUTHORITY],
  [{ tls: { defaults: { verify_incoming: true } } }, NO_AUTHORITY],
  [{ ca_file: '/nowhere/ca.pem' }, /Error loading from \/nowhere\/ca\.pem: .*no such file/],
  [{ cert_file: '/nowhere/c.pem' }, /cert_file and key_file go together/],
  [{ key_file: '/nowhere/k.pem' }, /cert_file and key_file go together/],
  [{ tls: { https: { cert_file: '/nowhere/c.pem' } } }, /cert_file and key_file go together/],
  [{ cert_file: '/nowhere/c.pem', key_file: '/nowhere/k.pem' }, /Failed to load cert\/key pair/],
];

class Process {
  readonly #child: ChildProcess;
  readonly code: Promise<number | null>;
  #running = true;
  output = '';

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (part: Buffer) => {
        this.output += part.toString();
      });
    }
    this.code = new Promise((resolve) => this.#child.once('close', resolve)).then((code) => {
      this.#running = false;
      return code as number | null;
    });
  }

  /** The exit code; undefined when it has to be killed. */
  async end(): Promise<number | null | undefined> {
    await until(
      () => !this.#running || this.output.includes('agent running'),
      () => this.output,
      START_MS,
    );
    if (!this.#running) return await this.code;
    await this.kill();
    return undefined;
  }

  async ready(): Promise<void> {
    const done = () => !this.#running || this.output.includes('agent running');
    await until(done, () => this.output, START_MS);
    if (!this.#running) throw new Error(`ended: ${this.output}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    if (!this.#running) return;
    // Its group: it may be inside of unshare.
    process.kill(-(this.#child.pid ?? 0), 'SIGKILL');
    await this.code;
  }
}

const folder = await mkdtemp(join(tmpdir(), 'trust-config-'));
const started: Process[] = [];
let count = 0;

interface Server {
  readonly file: string;
  readonly url: string;
  readonly keys: object;
}

/** One server with ports and a folder of its own, and what else the keys say. */
async function server(keys: object): Promise<Server> {
  const [http, rpc, lan] = [await freePort(), await freePort(), await freePort()];
  const ports = { http, server: rpc, serf_lan: lan, dns: -1 };
  const name = `s${++count}`;
  const base = { server: true, node_name: name, data_dir: join(folder, name) };
  const given = keys as { readonly ports?: object };
  const all = { ...base, bind_addr: '127.0.0.1', ...keys, ports: { ...ports, ...given.ports } };
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(all));
  return { file, url: `http://127.0.0.1:${http}`, keys: all };
}

function start(file: string, wrapper: readonly string[] = []): Process {
  const [command = PROGRAM, ...args] = [...wrapper, PROGRAM, 'agent', `-config-file=${file}`];
  const process = new Process(command, args);
  started.push(process);
  return process;
}

async function refuses(keys: object, words: RegExp): Promise<boolean> {
  const { file } = await server(keys);
  const process = start(file);
  return (await process.end()) === 1 && words.test(process.output);
}

async function sharedFolder(second: object): Promise<boolean> {
  const first = await server({ bootstrap: true });
  const one = start(first.file);
  await one.ready();
  const { data_dir } = first.keys as { data_dir: string };
  const held = await refuses(
    { ...second, data_dir },
    /data_dir: .* is used by another process \(pid/,
  );
  await one.kill();
  // What was killed holds nothing any more.
  const again = start(first.file);
  await again.ready();
  await again.kill();
  return held;
}

/** In a network of its own with nothing but loopback, where this machine lets us make one. */
async function offline(say: (line: string) => void): Promise<boolean> {
  const alone = [
    'unshare',
    '--map-root-user',
    '--net',
    'sh',
    '-c',
    'ip link set lo up && exec "$@"',
    '-',
  ];
  const [command = '', ...args] = [...alone, 'true'];
  if (spawnSync(command, args).status !== 0) {
    say('  (no network namespaces here: the offline start was not tried)');
    return true;
  }
  const { file, keys } = await server({ bootstrap: true });
  const { bind_addr: _, ...unbound } = keys as { bind_addr: string };
  await writeFile(file, JSON.stringify(unbound));
  const process = start(file, alone);
  await process.ready();
  await process.kill();
  return true;
}

async function hangup(): Promise<boolean> {
  const { file, url, keys } = await server({
    bootstrap: true,
    log_level: 'ERR',
    node_meta: { a: '1' },
  });
  const process = start(file);
  await process.ready();
  const before = process.output.includes('[INFO]');
  await writeFile(file, JSON.stringify({ ...keys, log_level: 'DEBUG', node_meta: { a: '2' } }));
  process.signal('SIGHUP');
  const meta = async () =>
    ((await (await fetch(`${url}/v1/agent/self`)).json()) as { Meta: { a: string } }).Meta.a;
  await until(
    async () => (await meta()) === '2',
    () => process.output,
  );
  const isLogged = process.output.includes('[INFO]  agent: configuration reloaded');
  await writeFile(file, '{');
  process.signal('SIGHUP');
  await until(
    () => /\[ERROR\] agent: not reloaded.*failed to parse/.test(process.output),
    () => process.output,
  );
  const goesOn = (await meta()) === '2';
  await process.kill();
  return !before && isLogged && goesOn;
}

/** As soon as it says that it starts: what a supervisor may do at any time. */
async function signalsWhileStarting(): Promise<boolean> {
  const { file } = await server({ bootstrap: true });
  const process = start(file);
  await until(
    () => process.output.includes('Starting'),
    () => process.output,
    START_MS,
  );
  process.signal('SIGHUP');
  await process.ready();
  process.signal('SIGTERM');
  return (await process.code) === 0;
}

async function socketMode(): Promise<boolean> {
  const path = join(folder, 'http.sock');
  const { file } = await server({
    bootstrap: true,
    addresses: { http: `unix://${path}` },
    unix_sockets: { mode: '0640' },
  });
  const process = start(file);
  await process.ready();
  const { mode } = await stat(path);
  await process.kill();
  return (mode & 0o777) === 0o640;
}

async function takenPort(): Promise<boolean> {
  const first = await server({ bootstrap: true });
  const one = start(first.file);
  await one.ready();
  const { ports } = first.keys as { ports: { http: number } };
  const words = new RegExp(`ports.http: cannot listen at 127.0.0.1:${ports.http}: it is in use`);
  const isNamed = await refuses({ bootstrap: true, ports: { http: ports.http } }, words);
  await one.kill();
  return isNamed;
}

await report(async (say) => {
  let failed = 0;
  const promise = async (what: string, holds: () => Promise<boolean>) => {
    const kept = await holds().catch((error: unknown) => {
      say(`  ${String(error)}`);
      return false;
    });
    if (!kept) failed++;
    say(`${kept ? 'ok    ' : 'FAILED'} ${what}`);
  };
  try {
    await chmod(folder, 0o755);
    for (const [name, keys] of SECURITY_KEYS) {
      const words = new RegExp(`${name} asks for .* does not have yet`);
      await promise(`${name} is refused by name`, () =>
        refuses({ bootstrap: true, ...keys }, words),
      );
    }
    for (const [keys, words] of BROKEN_TLS) {
      await promise(`${JSON.stringify(keys)} is refused`, () =>
        refuses({ bootstrap: true, ...keys }, words),
      );
    }
    const needs = /several servers need a Redis/;
    const join3 = { bootstrap_expect: 3, retry_join: ['127.0.0.1:1', '127.0.0.1:2'] };
    await promise('three servers without a Redis are refused', () => refuses(join3, needs));
    await promise('two servers do not share a data_dir', () => sharedFolder({ bootstrap: true }));
    await promise('an agent does not share it either', () => sharedFolder({ server: false }));
    await promise('a port that is taken is named by its key', takenPort);
    await promise('a server starts offline, at 127.0.0.1', () => offline(say));
    await promise('SIGHUP takes log_level and node_meta, and survives a bad file', hangup);
    await promise('SIGHUP while it starts does not end it', signalsWhileStarting);
    await promise('sockets get the permissions of unix_sockets', socketMode);
  } finally {
    for (const process of started) await process.kill();
    await rm(folder, { recursive: true, force: true });
  }
  return failed;
}, SHORT_MS);
