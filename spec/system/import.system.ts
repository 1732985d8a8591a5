/**
 * A real Consul is filled, and copied into a new cluster while all that may be written is: each kind of thing is
 * made, changed and removed. Then both are compared object by object. The other way the new cluster is
 * written to likewise while archives of it are saved, and the last goes to a second real Consul. Under access control.
 *
 * CONSUL=path node --import tsx spec/system/import.system.ts [KEYS] [SERVICES] [SECONDS of writing]
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, isDeepStrictEqual, promisify } from 'node:util';
import { type Ask, writeAll } from '../support/experiments/consul-writes.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { until } from '../support/until.ts';
import { report, SHORT_MS } from './report.ts';

const PROCONSUL = fileURLToPath(new URL('../../bin/proconsul', import.meta.url));
const CONSUL = process.env['CONSUL'] ?? 'consul';
const [KEYS = 10_000, SERVICES = 1000, SECONDS = 15] = process.argv.slice(2).map(Number);
const TOKEN = '11111111-2222-4333-8444-555555555555';
const START_MS = 180_000;
const CLIENTS = 16;

const LISTS = [
  '/v1/kv/?recurse',
  '/v1/acl/policies',
  '/v1/acl/roles',
  '/v1/acl/tokens',
  '/v1/query',
  '/v1/acl/auth-methods',
  '/v1/acl/binding-rules',
  '/v1/session/list',
  '/v1/catalog/services',
  '/v1/connect/intentions',
  '/v1/connect/ca/roots',
  '/v1/connect/ca/configuration',
  ...[
    'service-defaults',
    'service-resolver',
    'ingress-gateway',
    'terminating-gateway',
    'proxy-defaults',
  ].map((kind) => `/v1/config/${kind}`),
];

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/;

const folder = mkdtempSync(join(tmpdir(), 'import-'));
const started: ChildProcess[] = [];

await report(async (say) => {
  try {
    // It may have to be built first.
    await promisify(execFile)(PROCONSUL, ['version']);
    const consul = await start(CONSUL, 'consul-1');
    await fill(consul);
    say(`a real Consul has ${KEYS} keys, ${SERVICES} services, tokens, policies, roles, queries`);
    const now = await start(PROCONSUL, 'proconsul-1');
    const following = follow(consul, now, say);
    await until(() => following.text().includes('Copied'), following.text, START_MS);
    say(`copied: \n${following.text()}`);
    say(`meanwhile were written: ${await writtenTo(consul, 'there')}`);
    const differs = async () => (await difference(consul, now).catch(String)) ?? '';
    let last = '';
    await until(
      async () => {
        last = await differs();
        return last === '';
      },
      () => `${last}\n${following.text()}`,
      START_MS,
    );
    assert.equal(await following.end(), 0);
    await same(consul, now, say);
    await back(now, say);
    return 0;
  } finally {
    for (const each of started) each.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}, SHORT_MS);

/** Asks with the first token, whatever the answer's form. */
type At = Ask & { readonly port: number };

/** For so long; says how many of each kind there were. */
async function writtenTo(ask: Ask, name: string): Promise<string> {
  const counts = await writeAll(ask, name, AbortSignal.timeout(SECONDS * 1000));
  return [...counts].map(([what, count]) => `${what}: ${count}`).join(', ');
}

async function start(program: string, node: string): Promise<At> {
  const [http = 0, server = 0, lan = 0, wan = 0] = await freePorts(4);
  const file = join(folder, `${node}.json`);
  const tokens = { master: TOKEN, agent: TOKEN };
  const acl = { enabled: true, default_policy: 'deny', tokens };
  const ports = {
    http,
    server,
    serf_lan: lan,
    serf_wan: program === CONSUL ? wan : -1,
    dns: -1,
    grpc: -1,
  };
  const config = {
    server: true,
    bootstrap_expect: 1,
    node_name: node,
    bind_addr: '127.0.0.1',
    ports,
    acl,
    connect: { enabled: true },
  };
  writeFileSync(
    file,
    JSON.stringify({ ...config, data_dir: join(folder, node), disable_host_node_id: true }),
  );
  const child = spawn(program, ['agent', `-config-file=${file}`], { stdio: 'ignore' });
  started.push(child);
  const ask = async (method: string, path: string, body?: unknown) => {
    const raw = typeof body === 'string' || body instanceof Uint8Array || body === undefined;
    const answer = await fetch(`http://127.0.0.1:${http}${path}`, {
      method,
      headers: { 'X-Consul-Token': TOKEN },
      ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text.startsWith('[') || text.startsWith('{') ? JSON.parse(text) : text;
  };
  const leads = async () => (await ask('GET', '/v1/acl/tokens').catch(() => [])) as unknown[];
  await until(
    async () => (await leads()).length > 0,
    () => `${node} does not lead`,
    START_MS,
  );
  return Object.assign(ask, { port: http });
}

async function fill(ask: Ask): Promise<void> {
  const work: (() => Promise<unknown>)[] = [];
  for (let i = 0; i < KEYS; i++)
    work.push(() => ask('PUT', `/v1/kv/app/${i % 100}/${i}?flags=${i}`, `value ${i}`));
  for (let i = 0; i < SERVICES; i++) {
    const Service = {
      ID: `s${i}`,
      Service: `service-${i % 200}`,
      Port: 1000 + i,
      Tags: [`t${i % 3}`],
      Meta: { i: `${i}` },
    };
    const Check = {
      CheckID: `c${i}`,
      Name: 'up',
      Status: i % 7 ? 'passing' : 'critical',
      ServiceID: `s${i}`,
    };
    const Node = `node-${i % 50}`;
    work.push(() =>
      ask('PUT', '/v1/catalog/register', { Node, Address: `10.0.0.${i % 50}`, Service, Check }),
    );
  }
  for (let i = 0; i < 50; i++) {
    const Rules = `key_prefix "app/${i}/" { policy = "write" }`;
    work.push(async () => {
      await ask('PUT', '/v1/acl/policy', { Name: `p${i}`, Rules });
      await ask('PUT', '/v1/acl/role', { Name: `r${i}`, Policies: [{ Name: `p${i}` }] });
      await ask('PUT', '/v1/acl/token', {
        Description: `t${i}`,
        Roles: [{ Name: `r${i}` }],
        Policies: [{ Name: `p${i}` }],
      });
      await ask('POST', '/v1/query', {
        Name: `q${i}`,
        Service: { Service: `service-${i}`, OnlyPassing: true },
      });
      await ask('PUT', '/v1/config', {
        Kind: 'service-defaults',
        Name: `service-${i}`,
        Protocol: 'http',
      });
      await ask('POST', '/v1/connect/intentions', {
        SourceName: `service-${i}`,
        DestinationName: 'db',
        Action: 'deny',
        SourceType: 'consul',
      });
    });
  }
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (let next = work.pop(); next !== undefined; next = work.pop()) await next();
    }),
  );
}

function follow(from: At, to: At, say: (line: string) => void) {
  let text = '';
  const began = performance.now();
  const env = {
    ...process.env,
    CONSUL_HTTP_TOKEN: TOKEN,
    CONSUL_HTTP_ADDR: `127.0.0.1:${to.port}`,
  };
  const args = ['import-consul', '-follow', '-interval=2s', `127.0.0.1:${from.port}`];
  const child = spawn(PROCONSUL, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part: Buffer) => {
      if (text === '') say(`copied after ${Math.round(performance.now() - began)} ms`);
      text += part.toString();
    });
  }
  started.push(child);
  return {
    text: () => text,
    end: () => {
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      child.kill('SIGINT');
      return ended;
    },
  };
}

/** Indexes and hashes are a cluster's own, and so is the order of a list; times are kept to the millisecond. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare).sort(byText);
  if (typeof value === 'string' && TIME.test(value)) return new Date(value).toISOString();
  if (typeof value !== 'object' || value === null) return value;
  const own = /^(CreateIndex|ModifyIndex|LockIndex|Hash|RaftIndex|Index)$/;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !own.test(name))
      .map(([name, each]) => [name, bare(each)]),
  );
}

function byText(a: unknown, b: unknown): number {
  const [first, second] = [canonical(a), canonical(b)];
  if (first === second) return 0;
  return first < second ? -1 : 1;
}

/** Whatever the order of its fields. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return Object.entries(value)
    .sort()
    .map(([name, each]) => `${name}:${canonical(each)}`)
    .join();
}

/** Of the lists; undefined where there is none. */
async function difference(consul: Ask, now: Ask): Promise<string | undefined> {
  for (const path of LISTS) {
    const [before, after] = await Promise.all([consul('GET', path), now('GET', path)]);
    const [ours, its] = [theirs(path, after), theirs(path, before)];
    if (!isDeepStrictEqual(ours, its)) return `${path}: ${inspect(ours)} and not ${inspect(its)}`;
  }
  return undefined;
}

/** Without what is of each cluster alone. */
function theirs(path: string, value: unknown): unknown {
  if (path === '/v1/connect/ca/configuration') {
    const { Config, ...rest } = value as { readonly Config: object };
    // Consul fills this in when it restores an archive in which nobody said it.
    return bare({ ...rest, Config: { ...Config, IntermediateCertTTL: undefined } });
  }
  if (path !== '/v1/catalog/services') return bare(value);
  const { consul: _, ...services } = value as Readonly<Record<string, unknown>>;
  return bare(services);
}

async function same(consul: Ask, now: Ask, say: (line: string) => void): Promise<void> {
  for (const path of LISTS) {
    const [before, after] = await Promise.all([consul('GET', path), now('GET', path)]);
    assert.deepEqual(theirs(path, after), theirs(path, before), path);
    say(`the same: ${path} (${(before as unknown[]).length ?? 'one'})`);
  }
  for (const { Name } of (await consul('GET', '/v1/acl/auth-methods')) as { Name: string }[]) {
    const path = `/v1/acl/auth-method/${Name}`;
    assert.deepEqual(bare(await now('GET', path)), bare(await consul('GET', path)), path);
  }
  const nodes = (await consul('GET', '/v1/catalog/nodes')) as { Node: string }[];
  for (const { Node } of nodes.filter((each) => !each.Node.startsWith('consul-'))) {
    const path = `/v1/health/node/${Node}`;
    assert.deepEqual(bare(await now('GET', path)), bare(await consul('GET', path)), path);
  }
  say('the same: each auth method, and the checks of each node');
  for (const { AccessorID } of (await consul('GET', '/v1/acl/tokens')) as {
    AccessorID: string;
  }[]) {
    const path = `/v1/acl/token/${AccessorID}`;
    assert.deepEqual(bare(await now('GET', path)), bare(await consul('GET', path)), path);
  }
  say('the same: each token, with its secret');
  for (let i = 0; i < 200; i++) {
    const path = `/v1/health/service/service-${i}`;
    assert.deepEqual(bare(await now('GET', path)), bare(await consul('GET', path)), path);
  }
  say('the same: each instance of 200 services, with its checks');
}

/** A move that is taken back, while somebody writes. */
async function back(now: At, say: (line: string) => void): Promise<void> {
  const second = await start(CONSUL, 'consul-2');
  const run = promisify(execFile);
  const env = (port: number) => ({
    env: { ...process.env, CONSUL_HTTP_TOKEN: TOKEN, CONSUL_HTTP_ADDR: `127.0.0.1:${port}` },
  });
  const restored = async (name: string) => {
    const file = join(folder, name);
    await run(PROCONSUL, ['snapshot', 'save', file], env(now.port));
    await run(CONSUL, ['snapshot', 'restore', file], env(second.port));
  };
  const writing = writtenTo(now, 'here');
  await restored('amid.snap');
  say(`an archive that was saved amid writes is restored; written were ${await writing}`);
  await restored('back.snap');
  await same(now, second, say);
  say('and back: a second real Consul has all of it');
}
