/** One change, until the last of many watchers has it; and how long others waited meanwhile. */
import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { must } from './http.ts';

/** What the servers need to take in so many requests before the change comes. */
const SETTLE_MS = 1500;
const TIMEOUT_MS = 60_000;
const PROBE_EVERY_MS = 2;

export interface FanOut {
  /** From sending the change until the last byte of the last answer. */
  readonly lastMs: number;
  /** Of kv reads that were under way meanwhile. */
  readonly p99Ms: number;
}

export interface FanOutOptions {
  readonly service: string;
  readonly watchers: number;
  readonly processes: number;
}

export async function fanOut(port: number, options: FanOutOptions): Promise<FanOut> {
  const { service, watchers, processes } = options;
  const order = {
    port,
    path: `/v1/health/service/${service}?passing`,
    count: Math.ceil(watchers / processes),
  };
  const file = path.join(import.meta.dirname, 'watchers.ts');
  const children = Array.from({ length: processes }, () => fork(file));
  try {
    await Promise.all(children.map((child) => answer(child, order)));
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const done = Promise.all(children.map((child) => answer(child)));
    const probe = probing(port);
    const from = process.hrtime.bigint();
    await must(port, 'PUT', '/v1/catalog/register', change(service));
    const ends = (await done).map(({ lastAt }) => BigInt(lastAt ?? 0));
    const last = ends.reduce((a, b) => (a > b ? a : b));
    return { lastMs: Number(last - from) / 1e6, p99Ms: await probe.stop() };
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

interface Message {
  readonly lastAt?: string;
}

function answer(child: ChildProcess, order?: object): Promise<Message> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the watchers did not answer')), TIMEOUT_MS);
    child.once('message', (message: Message) => {
      clearTimeout(timer);
      resolve(message);
    });
    if (order !== undefined) child.send(order);
  });
}

function change(service: string): object {
  return {
    Node: 'node-0',
    SkipNodeUpdate: true,
    Check: {
      CheckID: `service:${service}-0`,
      Name: 'changed',
      Status: 'passing',
      ServiceID: `${service}-0`,
      Output: `changed at ${performance.now()}`,
    },
  };
}

function probing(port: number): { stop: () => Promise<number> } {
  const times: number[] = [];
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      const from = performance.now();
      await must(port, 'GET', '/v1/catalog/datacenters');
      times.push(performance.now() - from);
      await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await running;
      times.sort((a, b) => a - b);
      return times[Math.floor(times.length * 0.99)] ?? Number.NaN;
    },
  };
}
