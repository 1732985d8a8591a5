/**
 * A large cluster: servers on one Redis, 172,000 instances on 10,000 nodes. How long it takes to
 * load, what it weighs, how long until a change has reached a watcher on every server, and how long
 * a server takes to start from it.
 *
 *   node --import tsx bench/cluster.ts [SERVERS] [NODES] [INSTANCES] [CHANGES]
 */
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { Cluster, type ServerProcess } from '../spec/support/servers/cluster.ts';

const WRITERS_PER_SERVER = 16;
const SERVICES = 1000;

const [servers = 5, nodes = 10_000, instances = 172_000, changes = 20] = process.argv
  .slice(2)
  .map(Number);

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function registration(i: number): object {
  const service = `service-${i % SERVICES}`;
  const Node = `node-${i % nodes}`;
  return {
    Node,
    Address: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
    SkipNodeUpdate: i >= nodes,
    Service: {
      ID: `${service}-${i}`,
      Service: service,
      Tags: ['v1', 'primary'],
      Port: 8000 + (i % 1000),
      Meta: { version: '1.2.3', team: 'core' },
    },
    Check: {
      CheckID: `service:${service}-${i}`,
      Name: 'tcp',
      Status: 'passing',
      ServiceID: `${service}-${i}`,
    },
  };
}

async function load(cluster: Cluster): Promise<void> {
  let next = 0;
  const write = async (server: ServerProcess) => {
    for (let i = next++; i < instances; i = next++) {
      const answer = await server.ask('PUT', '/v1/catalog/register', { body: registration(i) });
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    }
  };
  const begun = performance.now();
  await Promise.all(
    cluster.servers.flatMap((server) => Array(WRITERS_PER_SERVER).fill(server).map(write)),
  );
  const seconds = (performance.now() - begun) / 1000;
  say(`loaded ${instances} instances on ${nodes} nodes in ${seconds.toFixed(0)} s`);
  say(`  ${(instances / seconds).toFixed(0)} registrations/s through ${servers} servers`);
}

/** From the moment the write is sent until the watcher on the slowest server has its answer. */
async function spread(cluster: Cluster): Promise<number[]> {
  const times: number[] = [];
  const path = '/v1/health/service/service-7';
  const [writer] = cluster.servers;
  for (let change = 0; change < changes; change++) {
    const indexes = await Promise.all(
      cluster.servers.map(async (server) => (await server.ask('GET', path)).index),
    );
    const watching = cluster.servers.map((server, i) =>
      server.ask('GET', `${path}?index=${indexes[i]}&wait=60s`),
    );
    // All of them wait by now: what is asked after them is answered after them.
    await Promise.all(cluster.servers.map((server) => server.ask('GET', '/v1/status/leader')));
    const begun = performance.now();
    const Status = change % 2 === 0 ? 'critical' : 'passing';
    const ServiceID = 'service-7-7';
    const Check = { CheckID: 'service:service-7-7', Name: 'tcp', Status, ServiceID };
    const body = { Node: 'node-7', SkipNodeUpdate: true, Check };
    await Promise.all([writer?.ask('PUT', '/v1/catalog/register', { body }), ...watching]);
    times.push(performance.now() - begun);
  }
  return times;
}

function residentMb(server: ServerProcess): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

async function redisMb(port: number): Promise<number> {
  const redis = new Redis({ port, protocol: 2 });
  const info = await redis.info('memory');
  redis.disconnect();
  return Number(/used_memory:(\d+)/.exec(info)?.[1] ?? 0) / 1024 / 1024;
}

async function restart(server: ServerProcess): Promise<number> {
  await server.kill();
  const begun = performance.now();
  server.start();
  await server.untilReady();
  return performance.now() - begun;
}

const cluster = await Cluster.start({ servers });
try {
  await load(cluster);
  const times = await spread(cluster);
  say(
    `one change to a watcher on each of ${servers} servers: median ${median(times).toFixed(0)} ms`,
  );
  say(`  of ${changes}, ${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)} ms`);
  const memory = cluster.servers.map(residentMb);
  say(`memory a server: median ${median(memory).toFixed(0)} MB`);
  if (cluster.redis !== undefined) {
    say(`Redis, log and snapshot: ${(await redisMb(cluster.redis.address.port)).toFixed(0)} MB`);
  }
  const last = cluster.servers.at(-1);
  if (last !== undefined) say(`start from it: ${((await restart(last)) / 1000).toFixed(1)} s`);
} finally {
  await cluster.stop();
}
