/**
 * What `npm pack` makes, installed as a user would: globally, without a network, in a home of its own.
 * Then the first minutes with it (an agent, a service, a lookup by DNS), and its removal, after which
 * nothing may be left. Prints sizes and times.
 *
 * node --import tsx spec/system/install.system.ts
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePorts } from '../support/servers/free-ports.ts';
import { until } from '../support/until.ts';
import { report, SHORT_MS } from './report.ts';

const TOP = fileURLToPath(new URL('../..', import.meta.url));
/** The best of these: the machine may be busy with others. */
const STARTS = 15;

/** A machine on which nothing of ours was ever run. */
const folder = mkdtempSync(join(tmpdir(), 'install-'));
const prefix = join(folder, 'prefix');
const home = join(folder, 'home');
const installed = join(prefix, 'bin/proconsul');
const env = {
  PATH: `${join(prefix, 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin`,
  HOME: home,
};

let agent: ChildProcess | undefined;

await report(async (say) => {
  mkdirSync(prefix);
  mkdirSync(home);
  try {
    const packed = pack(say);
    install(packed, say);
    await measureStarts(say);
    await firstMinutes(say);
    remove(say);
    install(packed, say);
    remove(say);
    return 0;
  } finally {
    agent?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}, SHORT_MS);

type Say = (line: string) => void;

function pack(say: Say): string {
  const args = ['pack', '--json', '--pack-destination', folder];
  const text = execFileSync('npm', args, {
    cwd: TOP,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // The build that goes before it may print as well.
  const [{ filename, size, unpackedSize, entryCount }] = JSON.parse(text.slice(text.indexOf('[')));
  say(`packed: ${kb(size)}, ${kb(unpackedSize)} in ${entryCount} files`);
  return join(folder, filename);
}

function npm(...args: string[]): { text: string; ms: number } {
  const began = performance.now();
  const words = [...args, '--global', '--prefix', prefix, '--offline'];
  const shell = `npm ${words.map((word) => `'${word}'`).join(' ')} 2>&1`;
  const text = execFileSync('sh', ['-c', shell], { cwd: home, env, encoding: 'utf8' });
  return { text, ms: performance.now() - began };
}

function install(packed: string, say: Say): void {
  const { text, ms } = npm('install', packed);
  assert.doesNotMatch(text, /warn/i);
  assert.match(text, /added 1 package/);
  say(`installed: ${text.trim().split('\n')[0]} (${ms.toFixed(0)} ms, ${bytesIn(prefix)} on disk)`);
}

function remove(say: Say): void {
  npm('uninstall', 'proconsul');
  assert.deepEqual(filesIn(prefix), []);
  // npm's own cache and logs are npm's.
  assert.deepEqual(
    filesIn(home).filter((path) => !path.startsWith(join(home, '.npm/'))),
    [],
  );
  say('removed: nothing is left');
}

async function measureStarts(say: Say): Promise<void> {
  const bare = best(process.execPath, '-e', '0');
  say(`node itself: ${bare.toFixed(0)} ms, the best of ${STARTS}`);
  const [port = 0] = await freePorts(1);
  const kv = ['kv', 'get', `-http-addr=127.0.0.1:${port}`, 'a'];
  const programs = [installed, process.env['CONSUL'] ?? ''].filter((each) => each !== '');
  for (const words of [['version'], kv, ['members', '-h']]) {
    const times = programs.map((program) => `${best(program, ...words).toFixed(0)} ms`);
    say(`${words.slice(0, 2).join(' ')}: ${times.join(", and a real Consul's ")}`);
  }
}

function best(program: string, ...args: string[]): number {
  const times = Array.from({ length: STARTS }, () => {
    const began = performance.now();
    try {
      execFileSync(program, args, { env, stdio: 'ignore' });
    } catch {
      // It may well find no agent: that is not what is measured.
    }
    return performance.now() - began;
  });
  return Math.min(...times);
}

async function firstMinutes(say: Say): Promise<void> {
  const [http = 0, dns = 0, server = 0, lan = 0] = await freePorts(4);
  const ports = [`-http-port=${http}`, `-dns-port=${dns}`, `-server-port=${server}`];
  const rest = [`-serf-lan-port=${lan}`, '-grpc-port=-1', `-data-dir=${folder}/data`];
  const args = ['agent', '-server', '-bootstrap', '-bind=127.0.0.1', ...ports, ...rest];
  const began = performance.now();
  agent = spawn(installed, args, { env, cwd: home, stdio: 'ignore' });
  const run = promisify(execFile);
  const proconsul = async (...words: string[]) =>
    (await run(installed, words, { env: { ...env, CONSUL_HTTP_ADDR: `127.0.0.1:${http}` } }))
      .stdout;
  const leads = async () => {
    const answer = await fetch(`http://127.0.0.1:${http}/v1/status/leader`).catch(() => undefined);
    return answer !== undefined && (await answer.json()) !== '';
  };
  await until(leads, () => 'no leader');
  const cpu = cpuMs(agent.pid ?? 0);
  say(
    `agent: leads after ${(performance.now() - began).toFixed(0)} ms, ${cpu} ms of the processor`,
  );
  say(
    (await proconsul('services', 'register', '-name=web', '-port=80', '-address=10.1.2.3')).trim(),
  );
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${dns}`]);
  const found = async () => {
    const addresses = await resolver.resolve4('web.service.consul').catch(() => []);
    return addresses.join() === '10.1.2.3';
  };
  await until(found, () => 'web is not found by DNS');
  say('web.service.consul: 10.1.2.3');
  await proconsul('kv', 'put', 'a', 'b');
  assert.equal(await proconsul('kv', 'get', 'a'), 'b\n');
  const ended = new Promise((resolve) => agent?.once('exit', resolve));
  agent.kill('SIGTERM');
  assert.equal(await ended, 0);
}

/** In hundredths of a second, as the kernel counts. */
function cpuMs(pid: number): number {
  const [, after = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = after.split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

function filesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

function bytesIn(path: string): string {
  return kb(filesIn(path).reduce((sum, file) => sum + statSync(file).size, 0));
}

function kb(bytes: number): string {
  return `${Math.round(bytes / 1000)} KB`;
}
