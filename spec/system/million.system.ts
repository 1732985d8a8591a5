/**
 * A million instances on one real server, then a million keys, then ten thousand who wait, each for another
 * service: what it takes, and how long the loop is held up by anything that is done with them. Held up is
 * counted in processor time of the server, so that a busy machine does not fail it.
 *
 *   node --import tsx spec/system/million.system.ts [instances, 1000000] [keys, 1000000] [folder]
 *
 * With a folder the server keeps its data there: filled once, it is not filled again.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { processorSeconds, residentMb } from '../support/processor.ts';
import { killProconsuls, type Proconsul, startProconsul } from '../support/servers/proconsul.ts';
import { type Answer, send } from '../support/servers/start-server.ts';
import { sleep } from '../support/sleep.ts';
import { report } from './report.ts';

const [instances = 1_000_000, keys = 1_000_000] = process.argv.slice(2, 4).map(Number);
const given = process.argv[4];
const folder = given ?? mkdtempSync(path.join(tmpdir(), 'proconsul-million-'));
const PER_NODE = 20;
const PER_SERVICE = 100;
const SERVICES = Math.ceil(instances / PER_SERVICE);
const KEYS_A_TXN = 64;
const WATCHERS = Math.min(10_000, SERVICES);
const LOOK = new URL('../support/experiments/loop-delay-on-signal.mjs', import.meta.url).href;
/** The bars. */
const HELD_UP_MS = 50;
const HELD_UP_BY_GC_MS = 200;
const BYTES_OF_AN_INSTANCE = 4000;

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
let server: Proconsul;

async function start(): Promise<void> {
  const args = ['-server', '-bootstrap-expect=1', `-data-dir=${folder}`];
  const limits = ['-hcl=limits { http_max_conns_per_client = 20000 }'];
  server = await startProconsul([...args, ...limits], undefined, {
    nodeOptions: `--import=${LOOK}`,
  });
}

async function ask(method: string, target: string, body?: object): Promise<Answer> {
  const answer = await send(server.port, method, target, { agent, ...(body && { body }) });
  assert.equal(answer.status, 200, `${method} ${target}: ${answer.text.slice(0, 200)}`);
  return answer;
}

async function inParallel(count: number, one: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) await one(i);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

const nodeOps = (node: number): object[] => {
  const Node = `node-${node}`;
  const Address = `10.${node >> 16}.${(node >> 8) & 255}.${node & 255}`;
  const ops: object[] = [{ Node: { Verb: 'set', Node: { Node, Address } } }];
  for (let i = node * PER_NODE; i < Math.min(instances, (node + 1) * PER_NODE); i++) {
    const name = `web-${i % SERVICES}`;
    const Service = {
      ID: `${name}-${i}`,
      Service: name,
      Tags: ['v1', 'primary'],
      Address,
      Port: 8000 + (i % 1000),
      Meta: { version: '1.4.2' },
    };
    const Check = {
      Node,
      CheckID: `service:${name}-${i}`,
      Name: `Service '${name}' check`,
      Status: 'passing',
      Output: 'HTTP GET: 200 OK',
      ServiceID: `${name}-${i}`,
      ServiceName: name,
    };
    ops.push({ Service: { Verb: 'set', Node, Service } }, { Check: { Verb: 'set', Check } });
  }
  return ops;
};

const keyOps = (txn: number): object[] =>
  Array.from({ length: Math.min(KEYS_A_TXN, keys - txn * KEYS_A_TXN) }, (_, i) => ({
    KV: { Verb: 'set', Key: `app/${txn % 1000}/key-${txn * KEYS_A_TXN + i}`, Value: 'dmFsdWU=' },
  }));

const change = (i: number) => ({
  Node: `node-${i}`,
  SkipNodeUpdate: true,
  Check: {
    CheckID: 'changed',
    Name: 'changed',
    Status: 'passing',
    ServiceID: `web-${(i * PER_NODE) % SERVICES}-${i * PER_NODE}`,
    Output: `at ${performance.now()}`,
  },
});

await report(async (say) => {
  let failed = 0;
  /** Does it, and says what it took of the server; more than the bar without the loop's turn fails. */
  async function measured(
    what: string,
    work: () => Promise<string | undefined>,
    mostMs = HELD_UP_MS,
  ) {
    await lookAtLoop();
    const [from, processor] = [performance.now(), processorSeconds(server.pid)];
    const said = await work();
    const seconds = (performance.now() - from) / 1000;
    const used = processorSeconds(server.pid) - processor;
    const most = await lookAtLoop();
    const isFine = most <= mostMs;
    if (!isFine) failed++;
    say(
      `${isFine ? '' : 'FAILS: '}${what}: ${seconds.toFixed(2)} s, processor ${used.toFixed(2)} s, loop held up ${most} ms at most, RSS ${residentMb(server.pid).toFixed(0)} MB${said === undefined ? '' : `; ${said}`}`,
    );
  }
  try {
    const isThere = existsSync(path.join(folder, 'node-id'));
    const begun = performance.now();
    await start();
    if (isThere) {
      const used = processorSeconds(server.pid);
      say(
        `start from disk: ${((performance.now() - begun) / 1000).toFixed(1)} s, processor ${used.toFixed(1)} s, RSS ${residentMb(server.pid).toFixed(0)} MB, at most ${residentMb(server.pid, 'VmHWM').toFixed(0)}`,
      );
    } else {
      const nodes = Math.ceil(instances / PER_NODE);
      await measured(
        `fill ${instances} instances on ${nodes} nodes`,
        async () => {
          await inParallel(nodes, (i) => ask('PUT', '/v1/txn', nodeOps(i)));
          return undefined;
        },
        HELD_UP_BY_GC_MS,
      );
      await measured(
        `fill ${keys} keys`,
        async () => {
          await inParallel(Math.ceil(keys / KEYS_A_TXN), (i) => ask('PUT', '/v1/txn', keyOps(i)));
          return undefined;
        },
        HELD_UP_BY_GC_MS,
      );
    }
    await measured('rest', async () => void (await sleep(3000)));
    await measured('1,000 reads of health, each of another service', async () => {
      for (let i = 0; i < 1000; i++)
        await ask('GET', `/v1/health/service/web-${i % SERVICES}?passing`);
      return undefined;
    });
    await measured('2,000 changes of checks', async () => {
      await inParallel(2000, (i) =>
        ask('PUT', '/v1/catalog/register', change(i % Math.ceil(instances / PER_NODE))),
      );
      return undefined;
    });
    await measured(
      'catalog/services',
      async () => `${(await ask('GET', '/v1/catalog/services')).text.length} bytes`,
    );
    await measured(
      'catalog/nodes',
      async () => `${(await ask('GET', '/v1/catalog/nodes')).text.length} bytes`,
    );
    await measured('operator/usage', async () =>
      (await ask('GET', '/v1/operator/usage')).text.slice(0, 80),
    );
    await measured(
      'a list of keys',
      async () => `${(await ask('GET', '/v1/kv/app/?keys')).text.length} bytes`,
    );
    await measured(
      'a list by folder',
      async () => `${(await ask('GET', '/v1/kv/app/?keys&separator=/')).text.length} bytes`,
    );
    await measured(
      'a tree of keys',
      async () => `${(await ask('GET', '/v1/kv/app/?recurse')).text.length} bytes`,
    );
    await measured('a watch of one folder, and 100 changes in it', async () => {
      for (let i = 0; i < 100; i++) {
        const { headers } = await ask('GET', '/v1/kv/app/7/?keys');
        const waiting = ask('GET', `/v1/kv/app/7/?keys&index=${headers['x-consul-index']}&wait=1m`);
        await ask('PUT', '/v1/kv/app/7/key', { i });
        await waiting;
      }
      return undefined;
    });
    await measured('a watch of all keys, and 3 changes', async () => {
      for (let i = 0; i < 3; i++) {
        const { headers } = await ask('GET', '/v1/kv/app/?keys');
        const waiting = ask('GET', `/v1/kv/app/?keys&index=${headers['x-consul-index']}&wait=1m`);
        await ask('PUT', '/v1/kv/app/7/key', { i });
        await waiting;
      }
      return undefined;
    });
    await measured(`${WATCHERS} who wait, each for another service`, async () => {
      const many = new Agent({ keepAlive: true, maxSockets: WATCHERS });
      const answers: Promise<Answer>[] = [];
      for (let i = 0; i < WATCHERS; i++) {
        const target = `/v1/health/service/web-${i}?passing`;
        const { headers } = await ask('GET', target);
        answers.push(
          send(server.port, 'GET', `${target}&index=${headers['x-consul-index']}&wait=5m`, {
            agent: many,
          }),
        );
      }
      await sleep(1000);
      const rss = residentMb(server.pid);
      const from = performance.now();
      await inParallel(WATCHERS, (i) =>
        ask('PUT', '/v1/catalog/register', change(Math.floor((i * 1) / 1))),
      );
      const said = `RSS ${rss.toFixed(0)} MB while they wait; ${((performance.now() - from) / 1000).toFixed(1)} s for as many changes`;
      many.destroy();
      await Promise.allSettled(answers);
      return said;
    });
    await measured('an archive', async () => {
      const answer = await send(server.port, 'GET', '/v1/snapshot', { agent });
      return `${answer.status}, ${answer.text.length} characters`;
    });
    const rss = residentMb(server.pid);
    const rows = instances + keys / 4;
    say(
      `${((rss * 1e6) / rows).toFixed(0)} bytes resident for an instance with its check, a key taken as a quarter`,
    );
    if ((rss * 1e6) / rows > BYTES_OF_AN_INSTANCE) failed++;
    await server.kill();
    const again = performance.now();
    await start();
    say(
      `killed and started: ${((performance.now() - again) / 1000).toFixed(1)} s, processor ${processorSeconds(server.pid).toFixed(1)} s, RSS ${residentMb(server.pid).toFixed(0)} MB, at most ${residentMb(server.pid, 'VmHWM').toFixed(0)}`,
    );
  } finally {
    agent.destroy();
    await killProconsuls();
    if (given === undefined) rmSync(folder, { recursive: true, force: true });
  }
  return failed;
});

/** How long the loop was held up at most since the last look, in milliseconds of the processor. */
async function lookAtLoop(): Promise<number> {
  const lines = () => server.output.match(/loop held up: .*/g) ?? [];
  const before = lines().length;
  server.signal('SIGUSR2');
  while (lines().length === before) await sleep(20);
  return Number(
    /processor p50 \d+ p99 \d+ most (\d+) ms/.exec(lines().at(-1) ?? '')?.[1] ?? Number.NaN,
  );
}
