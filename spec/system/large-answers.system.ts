/**
 * What others wait while a real server makes its largest answers: a tree of keys, a catalog, a
 * transaction, an archive. One line an answer, with the longest that a small read took meanwhile; more
 * than it may take makes the exit code 1. A `busy` line beside it says what the machine itself took.
 *
 *   node --import tsx spec/system/large-answers.system.ts [MB] [INSTANCES] [NAME]
 *
 * MB (400) of values in keys of 512 KB, and as many small keys as INSTANCES (100,000); NAME runs only
 * the answers whose name holds it.
 */
import { spawn } from 'node:child_process';
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { killProconsuls, type Proconsul, startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { report } from './report.ts';

const MB = Number(process.argv[2] ?? 400);
const INSTANCES = Number(process.argv[3] ?? 100_000);
const ONLY = process.argv[4] ?? '';
const VALUE_BYTES = 512 * 1024;
/** The bar for p99 of everybody else, and for the very worst. */
const MAX_MS = 100;
const PAUSE_MS = 3;

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

async function each(count: number, ask: (i: number) => Promise<{ status: number }>) {
  for (let i = 0; i < count; i += 16) {
    const some = Array.from({ length: Math.min(16, count - i) }, (_, j) => ask(i + j));
    for (const { status } of await Promise.all(some)) {
      if (status !== 200) throw new Error(`answered ${status}`);
    }
  }
}

async function fill(server: Proconsul): Promise<void> {
  const value = Buffer.alloc(VALUE_BYTES, 'a value of half a megabyte, ');
  const put = (path: string, body: object) => send(server.port, 'PUT', path, { agent, body });
  await each(Math.ceil((MB * 1024 * 1024) / VALUE_BYTES), (i) => put(`/v1/kv/large/${i}`, value));
  await each(Math.ceil(INSTANCES / 64), (i) => {
    const ops = Array.from({ length: 64 }, (_, j) => ({
      KV: { Verb: 'set', Key: `small/${i}/${j}`, Value: 'dmFsdWU=' },
    }));
    return put('/v1/txn', ops);
  });
  await each(Math.ceil(INSTANCES / 32), (i) => {
    const ops: unknown[] = [
      { Node: { Verb: 'set', Node: { Node: `node-${i}`, Address: '10.0.0.1' } } },
    ];
    for (let j = 0; j < 32; j++) {
      const Service = {
        ID: `web-${j}`,
        Service: 'web',
        Port: 80 + j,
        Tags: ['a', 'b'],
        Meta: { v: '1' },
      };
      ops.push({ Service: { Verb: 'set', Node: `node-${i}`, Service } });
    }
    for (let j = 0; j < 31; j++) {
      const Check = {
        Node: `node-${i}`,
        CheckID: `c-${j}`,
        Name: 'it answers',
        Status: 'passing',
        ServiceID: `web-${j}`,
      };
      ops.push({ Check: { Verb: 'set', Check } });
    }
    return put('/v1/txn', ops);
  });
}

/** By a process of its own, so that what it takes to read is not measured. */
function curl(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('curl', [
      '-sS',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code} %{size_download} %{time_starttransfer} %{time_total}',
      ...args,
    ]);
    let said = '';
    child.stdout.on('data', (part) => (said += part));
    child.once('error', reject);
    child.once('close', () => resolve(said));
  });
}

/** What small reads took until it was done. */
async function whileDoing<T>(
  server: Proconsul,
  task: Promise<T>,
): Promise<{ times: number[]; done: T }> {
  const one = new Agent({ keepAlive: true, maxSockets: 1 });
  let isOver = false;
  const ended = task.finally(() => {
    isOver = true;
  });
  const times: number[] = [];
  for (let i = 0; !isOver; i++) {
    const from = performance.now();
    // Each another key: nothing is ready for it.
    await send(server.port, 'GET', `/v1/kv/nothing/${i}`, { agent: one });
    times.push(performance.now() - from);
    await sleep(PAUSE_MS);
  }
  one.destroy();
  return { times: times.sort((a, b) => a - b), done: await ended };
}

const at = (times: readonly number[], part: number) =>
  Math.round(times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0);

/** Four clients, each with the next as soon as it has an answer. */
async function registrations(server: Proconsul, say: (line: string) => void): Promise<boolean> {
  const checks = (client: number, round: number) =>
    Array.from({ length: 4096 }, (_, i) => ({
      CheckID: `check-${i}`,
      Name: `client ${client} looks whether it answers`,
      Status: round % 2 === 0 ? 'passing' : 'warning',
      Output: `round ${round}`,
    }));
  // Made before: it is not this process's time that is measured.
  const bodies = [0, 1, 2, 3].map((client) =>
    [0, 1].map((round) => {
      const node = { Node: `busy-${client}`, Address: '10.0.0.1' };
      return Buffer.from(JSON.stringify({ ...node, Checks: checks(client, round) }));
    }),
  );
  const until = performance.now() + REGISTERING_MS;
  let rounds = 0;
  const clients = [0, 1, 2, 3].map(async (client) => {
    for (let round = 0; performance.now() < until; round++) {
      const body = bodies[client]?.[round % 2] ?? '';
      const { status } = await send(server.port, 'PUT', '/v1/catalog/register', { agent, body });
      if (status !== 200) throw new Error(`answered ${status}`);
      rounds++;
    }
  });
  const { times } = await whileDoing(server, Promise.all(clients));
  const p99 = at(times, 0.99);
  say(`4 × 4,096 checks: ${rounds} times; others: p99 ${p99} ms, worst ${at(times, 1)} ms`);
  return p99 <= MAX_MS;
}

const REGISTERING_MS = 10_000;

const ANSWERS: Readonly<Record<string, string>> = {
  'tree of large values': '/v1/kv/large?recurse',
  'the same, gzip': '/v1/kv/large?recurse&x=1',
  'tree of small values': '/v1/kv/small?recurse',
  'tree of small values, pretty': '/v1/kv/small?recurse&pretty',
  'names of keys': '/v1/kv/?keys',
  'names of keys by folder': '/v1/kv/small/?keys&separator=/',
  'health of all': '/v1/health/service/web',
  'health of all, chosen': '/v1/health/service/web?filter=Service.Port+==+81',
  'health of all, passing': '/v1/health/service/web?passing',
  'health of all, near': '/v1/health/service/web?near=node-1',
  'instances of all': '/v1/catalog/service/web',
  'checks of all': '/v1/health/state/any',
  'checks chosen': '/v1/health/state/any?filter=Name+matches+%22nothing%22',
  nodes: '/v1/catalog/nodes',
  'nodes as the page sees them': '/v1/internal/ui/nodes',
  'services as the page sees them': '/v1/internal/ui/services',
  archive: '/v1/snapshot',
};

await report(async (say) => {
  const server = await startProconsul(
    ['-dev', '-hcl=limits { http_max_conns_per_client = 1000 }'],
    undefined,
    { nodeOptions: '--max-old-space-size=8000' },
  );
  let failed = 0;
  try {
    const from = performance.now();
    await fill(server);
    say(`filled in ${Math.round((performance.now() - from) / 1000)} s`);
    const idle = await whileDoing(server, sleep(3000));
    say(`idle: p99 ${at(idle.times, 0.99)} ms, worst ${at(idle.times, 1)} ms`);
    const ask = async (name: string, ...args: string[]) => {
      if (!name.includes(ONLY)) return;
      const { times, done } = await whileDoing(server, curl(...args));
      const worst = at(times, 1);
      if (worst > MAX_MS) failed++;
      say(
        `${name}: ${done}; others: ${times.length} reads, p99 ${at(times, 0.99)} ms, worst ${worst} ms`,
      );
      await sleep(300);
    };
    for (const [name, target] of Object.entries(ANSWERS)) {
      const gzip = name.includes('gzip') ? ['-H', 'Accept-Encoding: gzip'] : [];
      await ask(name, ...gzip, `http://127.0.0.1:${server.port}${target}`);
    }
    const txn = JSON.stringify(
      Array.from({ length: 64 }, () => ({ KV: { Verb: 'get-tree', Key: 'small/' } })),
    );
    await ask(
      '64 trees in a transaction',
      '-X',
      'PUT',
      '-d',
      txn,
      `http://127.0.0.1:${server.port}/v1/txn`,
    );
    if (!(await registrations(server, say))) failed++;
    await ask('delete-tree', '-X', 'DELETE', `http://127.0.0.1:${server.port}/v1/kv/small?recurse`);
  } finally {
    await killProconsuls();
  }
  return failed;
});
