/**
 * What a large state takes, and how long it keeps others waiting: node --expose-gc
 * --max-semi-space-size=32 --import tsx bench/state.ts [instances]
 */
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { memoryUsage } from 'node:process';
import { systemClock } from '../lib/clock.ts';
import type { Entry, Register } from '../server/commands.ts';
import { IndexGate } from '../server/log/index-gate.ts';
import { Watcher } from '../server/query/watcher.ts';
import { Replica } from '../server/replica.ts';

const INSTANCES = Number(process.argv[2] ?? 172_000);
const NODES = 1000;
const PER_SERVICE = 100;
/** Entries of a batch, as a busy log feeds them. */
const BATCH = 64;
/** Lines that a log writes in one piece. */
const LINES_PER_PIECE = 500;

let longestGcMs = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longestGcMs = Math.max(longestGcMs, duration);
}).observe({ entryTypes: ['gc'] });

const fail = (error: unknown) => {
  throw error;
};
const newReplica = () =>
  new Replica({ watcher: new Watcher(), applied: new IndexGate(systemClock), onFatal: fail });
const replica = newReplica();

await timed(`apply ${INSTANCES} registrations`, async () => {
  for (let from = 0; from < INSTANCES; from += BATCH) {
    const count = Math.min(BATCH, INSTANCES - from);
    replica.apply(Array.from({ length: count }, (_, i) => entryOf(from + i)));
    await turn();
  }
});
globalThis.gc?.();
const { heapUsed, rss } = memoryUsage();
say(
  `heap ${mb(heapUsed)} MB (${Math.round(heapUsed / INSTANCES)} bytes an instance), RSS ${mb(rss)} MB`,
);

const lines: string[] = [];
await timed('take a snapshot', async () => {
  for await (const line of replica.snapshot().lines) {
    lines.push(line);
    if (lines.length % LINES_PER_PIECE === 0) await turn();
  }
});
const position = replica.snapshot().position;
const other = newReplica();
await timed('restore it', () => other.restore({ position, lines }));
await timed('change 10,000 instances', async () => {
  for (let i = 0; i < 10_000; i++) {
    replica.apply([entryOf(i, INSTANCES + i)]);
    if (i % BATCH === 0) await turn();
  }
});
await deleteTree(100_000);

/** One entry, in one turn: nobody may see half of it. */
async function deleteTree(keys: number): Promise<void> {
  const store = newReplica();
  let index = 0;
  const apply = (verb: string, key: string) => {
    const op = { verb, key, value: 'dmFsdWU=', flags: 0, index: 0, session: '' };
    store.apply([{ ...logged(index++), command: { type: 'kv', op } }]);
  };
  for (let i = 0; i < keys; i++) apply('set', `tree/${i % 100}/key-${i}`);
  await timed(`delete a tree of ${keys} keys`, async () => apply('delete-tree', 'tree/'));
}

/** As a log reads it back: every string its own. */
function entryOf(i: number, at = i): Entry {
  const copy = Math.floor(i / (INSTANCES / PER_SERVICE));
  const service = `web-${i % (INSTANCES / PER_SERVICE)}`;
  const id = `${service}-${copy}`;
  const command: Register = {
    type: 'register',
    skipNodeUpdate: false,
    node: {
      ID: '',
      Node: `node-${i % NODES}`,
      Address: `10.1.0.${i % 250}`,
      Datacenter: 'dc1',
      TaggedAddresses: null,
      Meta: null,
    },
    service: {
      Kind: '',
      ID: id,
      Service: service,
      Tags: ['v1', 'primary'],
      Address: `10.0.${copy}.${i % 250}`,
      TaggedAddresses: null,
      Meta: { version: '1.4.2', zone: `z${copy % 3}` },
      Port: 8000 + (at % 1000),
      Weights: { Passing: 1, Warning: 1 },
      EnableTagOverride: false,
      Proxy: {},
      Connect: {},
    },
    checks: [
      {
        CheckID: `service:${id}`,
        Name: `Service '${service}' check`,
        Status: 'passing',
        Notes: '',
        Output: `HTTP GET http://10.0.0.1/health: 200 OK Output: ok`,
        ServiceID: id,
        Type: '',
        Definition: {},
      },
    ],
  };
  return { ...logged(at), command: JSON.parse(JSON.stringify(command)) as Register };
}

function logged(at: number) {
  return { index: at + 1, epoch: 1, t: at, id: `boot/${at}`, hash: '', size: 0 };
}

async function timed(what: string, act: () => Promise<void>): Promise<void> {
  globalThis.gc?.();
  await turn();
  longestGcMs = 0;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await turn();
  const from = performance.now();
  await act();
  const ms = performance.now() - from;
  await turn();
  delay.disable();
  say(
    `${what}: ${Math.round(ms)} ms, longest stop ${Math.round(delay.max / 1e6)} ms, ` +
      `99.9 % below ${Math.round(delay.percentile(99.9) / 1e6)} ms, longest GC ${Math.round(longestGcMs)} ms`,
  );
}

/** Lets timers and I/O have their turn; the delay is measured by a timer. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function mb(bytes: number): number {
  return Math.round(bytes / 1e6);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
