/**
 * R1: three servers on one Redis, eight clients, reads and writes of a few keys through all of them,
 * while servers are killed, frozen and cut off from Redis. Whatever the clients saw must be what a
 * single copy could have answered, values and indexes.
 *
 *   node --import tsx spec/system/linearizable.system.ts [SEEDS] [SECONDS] [FIRST_SEED]
 */

import { impossible, type Operation } from '../support/experiments/linearizability.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { Cluster, type ServerProcess } from '../support/servers/cluster.ts';
import { sleep } from '../support/sleep.ts';

const KEYS = 20;
const CLIENTS = 8;
const OPERATIONS_PER_SECOND = 300;
const FAULT_EVERY_MS = 5000;
/** A client that hears nothing for as long gives up: what it asked for is then unknown. */
const TIMEOUT_MS = 3000;
/** A run in which hardly anything happened shows nothing. */
const MIN_OPERATIONS_PER_SECOND = 100;

interface Verdict {
  readonly operations: number;
  readonly unknown: number;
  readonly perSecond: number;
  readonly violations: readonly string[];
}

interface Run {
  readonly servers: readonly ServerProcess[];
  readonly next: () => number;
  readonly until: number;
  readonly history: Map<string, Operation[]>;
  readonly counts: { unknown: number; value: number };
}

async function run(seed: number, seconds: number): Promise<Verdict> {
  const cluster = await Cluster.start({ servers: 3 });
  try {
    const { next } = seededRandom(seed);
    const counts = { unknown: 0, value: 0 };
    const history = new Map<string, Operation[]>();
    const until = performance.now() + seconds * 1000;
    const shared: Run = { servers: cluster.servers, next, until, history, counts };
    const clients = Array.from({ length: CLIENTS }, (_, i) => client(shared, i));
    await Promise.all([...clients, faults(shared)]);
    const operations = [...history.values()].reduce((sum, list) => sum + list.length, 0);
    const violations = [...history].flatMap(([key, list]) => {
      const why = impossible(list);
      return why === undefined ? [] : [`${key}: ${why}`];
    });
    return { operations, unknown: counts.unknown, perSecond: operations / seconds, violations };
  } finally {
    await cluster.stop();
  }
}

/** Each client speaks to one server, and goes on with the next where that does not answer. */
async function client(shared: Run, number: number): Promise<void> {
  const pauseMs = (CLIENTS * 1000) / OPERATIONS_PER_SECOND;
  let at = number % shared.servers.length;
  /** By key: what was last seen, for a CAS that stands a chance. */
  const seen = new Map<string, { value: string | null; index: number }>();
  while (performance.now() < shared.until) {
    const server = shared.servers[at];
    if (server === undefined) return;
    const begun = performance.now();
    const answered = await operate(shared, server, seen);
    if (!answered) at = (at + 1) % shared.servers.length;
    const spentMs = performance.now() - begun;
    await sleep(Math.max(0, pauseMs * 2 * shared.next() - spentMs));
  }
}

type Seen = Map<string, { value: string | null; index: number }>;

/** One operation; false when the server did not do it, or nobody knows. */
async function operate(shared: Run, server: ServerProcess, seen: Seen): Promise<boolean> {
  const key = `k${Math.floor(shared.next() * KEYS)}`;
  const chance = shared.next();
  if (chance < 0.5) return await read(shared, server, key, seen);
  const value = `v${shared.counts.value++}`;
  if (chance < 0.75) return await write(shared, server, { kind: 'put', key, value });
  if (chance < 0.8) return await write(shared, server, { kind: 'delete', key, value: null });
  const last = seen.get(key) ?? { value: null, index: 0 };
  return await write(shared, server, { kind: 'cas', key, value, ...{ last } });
}

async function read(shared: Run, server: ServerProcess, key: string, seen: Seen) {
  const mode = shared.next() < 0.5 ? '?consistent' : '';
  const call = performance.now();
  const answer = await ask(server, 'GET', `/v1/kv/${key}${mode}`);
  const ret = performance.now();
  if (answer === undefined || (answer.status !== 200 && answer.status !== 404)) return false;
  const [row] =
    answer.status === 200 ? (answer.json as { Value: string; ModifyIndex: number }[]) : [];
  const value = row === undefined ? null : Buffer.from(row.Value, 'base64').toString();
  const index = row?.ModifyIndex ?? 0;
  record(shared, key, { kind: 'get', call, ret, value, ...(value === null ? {} : { index }) });
  seen.set(key, { value, index });
  return true;
}

interface Write {
  readonly kind: 'put' | 'cas' | 'delete';
  readonly key: string;
  readonly value: string | null;
  readonly last?: { readonly value: string | null; readonly index: number };
}

async function write(shared: Run, server: ServerProcess, { kind, key, value, last }: Write) {
  const call = performance.now();
  const method = kind === 'delete' ? 'DELETE' : 'PUT';
  const query = last === undefined ? '' : `?cas=${last.index}`;
  const answer = await ask(server, method, `/v1/kv/${key}${query}`, value ?? undefined);
  const ret = performance.now();
  const expects = last === undefined ? {} : { expects: last.value };
  const base = { kind, call, value, ...expects };
  if (answer?.status === 200) {
    record(shared, key, { ...base, ret, ...(kind === 'cas' && { ok: answer.text === 'true' }) });
    return true;
  }
  // It says itself that it has not happened: then it is no part of the history.
  if (answer?.headers['x-proconsul-applied'] === 'no') return false;
  shared.counts.unknown++;
  record(shared, key, {
    ...base,
    ret: Number.POSITIVE_INFINITY,
    ...(kind === 'cas' && { ok: true }),
  });
  return false;
}

function record({ history }: Run, key: string, operation: Operation): void {
  const list = history.get(key) ?? [];
  list.push(operation);
  history.set(key, list);
}

async function ask(server: ServerProcess, method: string, path: string, body?: string) {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  return await server
    .ask(method, path, { signal, ...(body === undefined ? {} : { body }) })
    .catch(() => undefined);
}

/** One server at a time is killed, frozen or cut off, and comes back before the next. */
async function faults({ servers, next, until }: Run): Promise<void> {
  while (performance.now() + FAULT_EVERY_MS < until) {
    await sleep(FAULT_EVERY_MS / 2);
    const server = servers[Math.floor(next() * servers.length)];
    if (server === undefined) return;
    const kind = Math.floor(next() * 3);
    if (kind === 0) await server.kill();
    else if (kind === 1) server.signal('SIGSTOP');
    else if (server.proxy !== undefined) server.proxy.frozen = true;
    await sleep(FAULT_EVERY_MS / 2);
    if (kind === 0) server.start();
    else if (kind === 1) server.signal('SIGCONT');
    else if (server.proxy !== undefined) {
      server.proxy.frozen = false;
      server.proxy.cutAll();
    }
  }
}

const [seeds = 20, seconds = 60, first = 1] = process.argv.slice(2).map(Number);
let failed = 0;
for (let seed = first; seed < first + seeds; seed++) {
  const { operations, unknown, perSecond, violations } = await run(seed, seconds);
  const rate = perSecond.toFixed(0);
  const sound = perSecond < MIN_OPERATIONS_PER_SECOND ? 'TOO IDLE' : 'linearizable';
  const verdict = violations.length > 0 ? 'VIOLATED' : sound;
  if (verdict !== 'linearizable') failed++;
  process.stdout.write(
    `seed ${seed}: ${operations} operations (${rate}/s, ${unknown} unknown): ${verdict}\n`,
  );
  for (const violation of violations) process.stdout.write(`  ${violation}\n`);
}
process.exit(failed === 0 ? 0 : 1);
