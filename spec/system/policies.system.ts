/**
 * What policies promise, at real sockets: a sidecar (`connect proxy`) over ten programs of which one is slow, the
 * share that each of the others gets, and the tail; and which keys move when one goes.
 *
 *   node --import tsx spec/system/policies.system.ts [CALLERS, 20] [SECONDS, 5]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../support/servers/free-ports.ts';
import { killProconsuls, startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';
import { report, SHORT_MS } from './report.ts';

const [callers = 20, seconds = 5] = process.argv.slice(2).map(Number);
const PROGRAMS = 10;
const [FAST_MS, SLOW_MS] = [5, 400];
const KEYS = 500;
/** So much better than in turn is the tail of those that look how a host does. */
const BETTER = 5;
const COMMAND = fileURLToPath(new URL('../../bin/proconsul', import.meta.url));
const PATIENCE_MS = 120_000;

const POLICIES = ['round-robin', 'random', 'two-choices', 'least-requests', 'peak-ewma'] as const;
const HASHING = { ring: 'ring_hash', maglev: 'maglev' } as const;

async function startPrograms(): Promise<readonly Server[]> {
  return await Promise.all(
    Array.from({ length: PROGRAMS }, async (_, i) => {
      const server = createServer((_, response) => {
        setTimeout(() => response.end(`${i}`), i === 0 ? SLOW_MS : FAST_MS);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
}

interface Answered {
  readonly who: number;
  readonly ms: number;
}

const agent = new Agent({ keepAlive: true });

function ask(port: number, key = ''): Promise<Answered> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, agent, headers: { 'x-key': key } };
    const sent = request(options, (response) => {
      response
        .setEncoding('utf8')
        .toArray()
        .then((parts) => {
          if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
          resolve({ who: Number(parts.join('')), ms: performance.now() - begun });
        })
        .catch(reject);
    });
    sent.once('error', reject);
    sent.end();
  });
}

async function load(port: number): Promise<readonly Answered[]> {
  const all: Answered[] = [];
  const end = performance.now() + seconds * 1000;
  const caller = async () => {
    while (performance.now() < end) all.push(await ask(port));
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return all;
}

function quantile(all: readonly Answered[], q: number): number {
  const sorted = all.map(({ ms }) => ms).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * q)] ?? Number.NaN;
}

await report(async (say) => {
  const programs = await startPrograms();
  const ports = programs.map((server) => (server.address() as AddressInfo).port);
  const own = await startProconsul(['-dev']);
  const put = async (path: string, body: object = {}) => {
    const { status, text } = await send(own.port, 'PUT', path, { body });
    if (status !== 200) throw new Error(`${path}: ${text}`);
  };
  let bad = 0;
  const verdict = (isGood: boolean) => {
    if (!isGood) bad++;
    return isGood ? '' : '  FAILED';
  };
  const names = [...POLICIES, ...Object.keys(HASHING)];
  for (const name of names) {
    for (const [i, Port] of ports.entries()) {
      const ID = `${name}-${i}`;
      await put('/v1/agent/service/register', { ID, Name: name, Address: '127.0.0.1', Port });
    }
  }
  for (const [Name, Policy] of Object.entries(HASHING)) {
    const HashPolicies = [{ Field: 'header', FieldValue: 'x-key' }];
    const LoadBalancer = { Policy, HashPolicies };
    await put('/v1/config', { Kind: 'service-resolver', Name, LoadBalancer });
  }
  const listens = await freePorts(names.length);
  const at = (name: string) => listens[names.indexOf(name)] ?? 0;
  const proxy: ChildProcess = spawn(
    COMMAND,
    [
      ...[
        'connect',
        'proxy',
        `-http-addr=127.0.0.1:${own.port}`,
        '-protocol=http',
        '-log-level=err',
      ],
      ...names.map((name) => `-upstream=${name}:${at(name)}`),
      ...POLICIES.map((name) => `-policy=${name}=${name}`),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  try {
    for (const name of names) {
      await until(
        () =>
          ask(at(name), 'x').then(
            () => true,
            () => false,
          ),
        () => `${name} does not answer`,
        PATIENCE_MS,
      );
    }
    const tails = new Map<string, number>();
    for (const name of POLICIES) {
      const all = await load(at(name));
      const counts = ports.map((_, i) => all.filter(({ who }) => who === i).length);
      const fast = counts.slice(1);
      const [least, most] = [Math.min(...fast), Math.max(...fast)];
      const p99 = quantile(all, 0.99);
      tails.set(name, p99);
      const slow = ((100 * (counts[0] ?? 0)) / all.length).toFixed(1);
      say(
        `${name}: ${all.length} requests, p50 ${quantile(all, 0.5).toFixed(0)} ms, p99 ${p99.toFixed(0)} ms; ` +
          `the slow one ${slow} %, the others ${least} to ${most}`,
      );
    }
    const inTurn = tails.get('round-robin') ?? Number.NaN;
    for (const name of ['least-requests', 'peak-ewma']) {
      const times = inTurn / (tails.get(name) ?? Number.NaN);
      say(`${name} beats round-robin's p99 ${times.toFixed(1)} times${verdict(times >= BETTER)}`);
    }
    const owners = async (name: string) =>
      await Promise.all(
        Array.from({ length: KEYS }, async (_, i) => (await ask(at(name), `key ${i}`)).who),
      );
    for (const name of Object.keys(HASHING)) {
      const before = await owners(name);
      const again = await owners(name);
      const steady = before.every((who, i) => who === again[i]);
      await put(`/v1/agent/service/deregister/${name}-3`);
      await until(
        async () => !(await owners(name)).includes(3),
        () => 'the one that has gone is called',
        PATIENCE_MS,
      );
      const after = await owners(name);
      const its = before.filter((who) => who === 3).length;
      const others = before.filter((who, i) => who !== 3 && who !== after[i]).length;
      const share = (100 * others) / (KEYS - its);
      const isGood = steady && share <= 5;
      say(
        `${name}: one of ten goes: its ${its} of ${KEYS} keys move, and of the others ${share.toFixed(1)} %${verdict(isGood)}`,
      );
    }
  } finally {
    proxy.kill('SIGTERM');
    agent.destroy();
    await killProconsuls();
    for (const server of programs) server.close();
    for (const server of programs) server.closeAllConnections();
  }
  return bad;
}, SHORT_MS);
