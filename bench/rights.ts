/**
 * What a token costs a hot read: node --import tsx bench/rights.ts
 *
 * One server without access control and one with it answer the same read to wrk, by turns; counted is
 * this process's own processor time for a request, which what else the machine does changes little.
 */
import { execFile } from 'node:child_process';
import { cpuUsage } from 'node:process';
import { systemClock } from '../lib/clock.ts';
import { createApp } from '../lib/http/app.ts';
import { FastPath } from '../lib/http/fast/fast-path.ts';
import { Listener } from '../lib/http/listener.ts';
import { silentLogger } from '../lib/logger.ts';
import { systemRandom } from '../lib/random.ts';
import { Resolver } from '../server/acl/resolver.ts';
import { MemoryLeases } from '../server/cluster/memory-leases.ts';
import { MemoryLog } from '../server/log/memory-log.ts';
import { Server } from '../server/server.ts';
import { policyNamed, tokenNamed } from '../spec/support/acl-factories.ts';
import { checkNamed, registerOn, serviceNamed } from '../spec/support/factories.ts';

const ROUNDS = 12;
const SECRET = '22222222-2222-2222-2222-222222222222';
const RULES = 'service_prefix "w" { policy = "read" } node_prefix "" { policy = "read" }';
const PATH = '/v1/health/service/web?passing';

interface Served {
  readonly port: number;
  readonly stop: () => Promise<unknown>;
}

async function serve(isGuarded: boolean, isFast: boolean): Promise<Served> {
  const clock = systemClock;
  let resolver: Resolver | undefined;
  const access = { callerOf: (token: string) => (resolver as Resolver).callerOf(token) };
  const server = new Server({
    storage: { log: new MemoryLog({ clock }), leases: new MemoryLeases(clock) },
    system: { clock, random: systemRandom, logger: silentLogger },
    self: {
      id: systemRandom.uuid(),
      node: 'n1',
      datacenter: 'dc1',
      domain: 'consul.',
      address: '127.0.0.1:8300',
    },
    rules: {
      sessionTtlMinMs: 10_000,
      limits: { kvValueBytes: 524_288, txnBytes: 524_288 },
      reconnectTimeoutMs: 72 * 3600_000,
      agentless: { outputMs: 300_000, deregisterMinMs: 60_000 },
      ...(isGuarded && { access }),
    },
    onFatal: (error) => {
      throw error;
    },
  });
  const { state, readiness } = server.deps;
  resolver = new Resolver({
    ...{ state, readiness, clock },
    datacenter: 'dc1',
    defaultPolicy: 'deny',
    reportsFiltered: false,
  });
  await server.start();
  const policy = policyNamed('web', { Rules: RULES });
  await server.propose({ type: 'set-acl-policy', policy, update: false });
  const token = tokenNamed(SECRET, { Policies: [policy.ID] });
  const expiry = { atMs: 0, ttlMs: 0 };
  await server.propose({ type: 'set-acl-token', token, expiry, update: false });
  for (let i = 0; i < 10; i++) {
    const service = serviceNamed('web', { ID: `web-${i}` });
    const checks = [checkNamed(`c-${i}`, { ServiceID: `web-${i}` })];
    await server.propose(registerOn(`node-${i}`, { service, checks }));
  }
  const fastPath = isFast ? new FastPath() : undefined;
  const routes = server.routes();
  const app = createApp(
    { routes, access: server.access },
    { logger: silentLogger, ...(fastPath && { fastPath }) },
  );
  const listener = new Listener({
    listener: app,
    shortcut: fastPath,
    at: { host: '127.0.0.1', port: 0 },
    limits: { connectionsPerAddress: () => 0 },
  });
  await listener.start();
  return { port: listener.port, stop: () => Promise.all([listener.stop(), server.stop()]) };
}

/** Microseconds of this process for one request. */
async function cost(port: number): Promise<number> {
  const before = cpuUsage();
  const text = await new Promise<string>((resolve, reject) => {
    const header = `X-Consul-Token: ${SECRET}`;
    const args = ['-t1', '-c16', '-d2s', '-H', header, `http://127.0.0.1:${port}${PATH}`];
    execFile('wrk', args, (error, out) => (error ? reject(error) : resolve(out)));
  });
  const { user, system } = cpuUsage(before);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  if (/Non-2xx/.test(text)) throw new Error(text);
  return (user + system) / requests;
}

const median = (list: number[]) => list.sort((a, b) => a - b)[list.length >> 1] as number;

for (const isFast of [true, false]) {
  const open = await serve(false, isFast);
  const guarded = await serve(true, isFast);
  for (const { port } of [open, guarded]) await cost(port);
  const [without, under, ratios]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    const first = round % 2 === 0 ? open : guarded;
    const costs = [await cost(first.port), await cost((first === open ? guarded : open).port)];
    const [a, b] = (first === open ? costs : costs.reverse()) as [number, number];
    without.push(a);
    under.push(b);
    ratios.push(b / a);
  }
  const what = isFast ? 'fast path' : 'long way';
  const figures = [median(without), median(under)].map((us) => `${us.toFixed(1)} us`);
  process.stdout.write(`${what}: ${figures.join(' without, ')} under a token, `);
  process.stdout.write(`${median(ratios).toFixed(3)} (median of ${ROUNDS} pairs)\n`);
  await Promise.all([open.stop(), guarded.stop()]);
}
