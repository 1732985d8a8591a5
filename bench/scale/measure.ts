/**
 * What an operation takes of a server, of another server that applies it, and of Redis, in processor time: a
 * machine that is busy with other things changes little of it. docs/scale.md reckons with these.
 *
 *   node --import tsx bench/scale/measure.ts [requests of each, 15000]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { processorSeconds, residentMb } from '../../spec/support/processor.ts';
import { Cluster } from '../../spec/support/servers/cluster.ts';
import { startRedis, stopAllRedis } from '../../spec/support/servers/redis.ts';
import { must } from '../compare/http.ts';
import { type Load, requestsPerSecond } from '../compare/wrk.ts';

const [requests = 15_000] = process.argv.slice(2).map(Number);
const RUN_S = 3;
/** Where a machine is so busy that it gets no further. */
const MAX_RUNS = 12;
const AGENTS = 1000;
/** More than a server keeps answers of: each of their reads is made anew. */
const NODES = 30_000;
const NODES_A_TXN = 64;
const WATCHERS = 5000;

const put = (target: string, body: string): Load => ({
  path: '/',
  lua: `return wrk.format("PUT", "${target}", nil, ${body})`,
});

const LOADS: readonly (readonly [name: string, load: Load, by: 'http' | 'agents'])[] = [
  [
    'a beat',
    put(
      '/v1/internal/agent/beat',
      `'{"ID":"id-' .. n % ${AGENTS} .. '","Node":"agent-' .. n % ${AGENTS} .. '","Address":"10.0.0.1","Datacenter":"dc1","LanPort":8301,"Tags":{}}'`,
    ),
    'agents',
  ],
  [
    'a read of a node, made anew',
    {
      path: '/',
      lua: `return wrk.format("GET", "/v1/catalog/node/node-" .. (n * 7919) % ${NODES})`,
    },
    'agents',
  ],
  ['a read that was asked before', { path: '/v1/health/service/ten?passing' }, 'http'],
  [
    'a change of a check',
    put(
      '/v1/catalog/register',
      `'{"Node":"node-' .. n % 1000 .. '","SkipNodeUpdate":true,"Check":{"CheckID":"c","Name":"c","Status":"' .. (math.floor(n / 1000) % 2 == 0 and "passing" or "critical") .. '","Output":"' .. n .. '"}}'`,
    ),
    'agents',
  ],
  [
    'a registration with its check',
    put(
      '/v1/catalog/register',
      `'{"Node":"node-' .. n % 1000 .. '","SkipNodeUpdate":true,"Service":{"ID":"new-' .. n .. '","Service":"new-' .. n % 100 .. '","Tags":["v1"],"Port":8000},"Check":{"CheckID":"c-' .. n .. '","Name":"c","Status":"passing","ServiceID":"new-' .. n .. '"}}'`,
    ),
    'agents',
  ],
  ['a kv put', put('/v1/kv/bench/" .. n % 1000 .. "', `"value-" .. n`), 'http'],
];

const redis = await startRedis();
const cluster = await Cluster.start({
  servers: 2,
  redisUrl: redis.url,
  flags: ['-hcl=limits { http_max_conns_per_client = 20000 }'],
});
try {
  const [own, other] = cluster.servers;
  if (own === undefined || other === undefined) throw new Error('two servers were asked for');
  const redisPid = Number(/process_id:(\d+)/.exec(await redis.admin.info('server'))?.[1]);
  const members = JSON.parse(await must(own.port, 'GET', '/v1/internal/members')) as Member[];
  const rpc = Number(members.find(({ Name }) => Name === own.name)?.Tags['port']);
  await fill(own.port);

  const used = () => [own.pid, other.pid, redisPid].map(processorSeconds);
  const idleFrom = used();
  await pause(5000);
  const idle = used().map((now, i) => (now - (idleFrom[i] ?? 0)) / 5);
  const begin = () => {
    const [from, before] = [performance.now(), used()];
    return (name: string, count: number) => {
      const seconds = (performance.now() - from) / 1000;
      // Less what they take anyway: on a machine that is busy a run lasts long.
      const each = used().map((now, i) => {
        const taken = now - (before[i] ?? 0) - (idle[i] ?? 0) * seconds;
        return ((taken * 1e6) / count).toFixed(1);
      });
      process.stdout.write(`${name} | ${each.join(' | ')} | ${Math.round(count)}\n`);
    };
  };
  const run = async (port: number, load: Load, least: number) => {
    let count = 0;
    for (let i = 0; i < MAX_RUNS && count < least; i++) {
      count += (await requestsPerSecond(port, load, RUN_S * 1000)) * RUN_S;
    }
    return count;
  };
  process.stdout.write('µs of a processor | the server | another server | Redis | of so many\n');
  for (const [name, load, by] of LOADS) {
    const port = by === 'agents' ? rpc : own.port;
    await run(port, load, requests / 2);
    const say = begin();
    say(name, await run(port, load, requests));
  }
  const rss = residentMb(own.pid);
  const child = fork(path.join(import.meta.dirname, '../compare/watchers.ts'));
  try {
    const target = '/v1/health/service/ten?passing';
    child.send({ port: own.port, path: target, count: WATCHERS });
    await once(child, 'message');
    await pause(2000);
    const kb = ((residentMb(own.pid) - rss) * 1000) / WATCHERS;
    const say = begin();
    const done = once(child, 'message');
    await must(own.port, 'PUT', '/v1/catalog/register', instance(0, `woken ${performance.now()}`));
    await done;
    await pause(200);
    say('a watcher that is woken', WATCHERS);
    process.stdout.write(`a watcher's connection: ${kb.toFixed(1)} KB resident\n`);
  } finally {
    child.kill('SIGKILL');
  }
} finally {
  await cluster.stop();
  await stopAllRedis();
}

interface Member {
  readonly Name: string;
  readonly Tags: Readonly<Record<string, string>>;
}

async function fill(port: number): Promise<void> {
  for (let from = 0; from < NODES; from += NODES_A_TXN) {
    const ops = Array.from({ length: Math.min(NODES_A_TXN, NODES - from) }, (_, i) => ({
      Node: { Verb: 'set', Node: { Node: `node-${from + i}`, Address: '10.0.0.1' } },
    }));
    await must(port, 'PUT', '/v1/txn', ops);
  }
  for (let i = 0; i < 10; i++) await must(port, 'PUT', '/v1/catalog/register', instance(i, 'new'));
}

function instance(i: number, Output: string): object {
  return {
    Node: `node-${i}`,
    SkipNodeUpdate: true,
    Service: { ID: `ten-${i}`, Service: 'ten', Tags: ['v1', 'primary'], Port: 8000 },
    Check: { CheckID: 'ten', Name: 'ten', Status: 'passing', ServiceID: `ten-${i}`, Output },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
