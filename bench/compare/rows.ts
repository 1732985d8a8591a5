/** What is measured, each beside the ratio that is aimed for. */
import { fanOut } from './fan-out.ts';
import { fill } from './fill.ts';
import { must } from './http.ts';
import type { Kind, Registry } from './registry.ts';
import { type Load, requestsPerSecond } from './wrk.ts';

export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** At least so many times Consul's; 0 where Consul's does not count but the figure does. */
  readonly target: number;
  /** Where Redis orders the writes, if that is another. */
  readonly targetOnRedis?: number;
  /** Where Proconsul is measured, each beside Consul with its raft log on disk. */
  readonly logs: readonly Exclude<Kind, 'consul'>[];
  /** Costly ones are repeated less often. */
  readonly maxRounds: number;
  readonly prepare?: (port: number) => Promise<void>;
  readonly measure: (registry: Registry, ms: number) => Promise<number>;
}

const FILE = ['file'] as const;
const SERVED = ['memory', 'file', 'redis'] as const;

function load(
  name: string,
  target: number,
  request: Load,
  over: Partial<Pick<Row, 'logs' | 'prepare' | 'targetOnRedis'>> = {},
): Row {
  return {
    name,
    target,
    unit: '/s',
    better: 'more',
    logs: FILE,
    maxRounds: 5,
    measure: ({ port }, ms) => requestsPerSecond(port, request, ms),
    ...over,
  };
}

function watching(name: string, target: number, service: string, watchers: number): Row {
  return {
    name,
    target,
    unit: 'ms',
    better: 'less',
    logs: FILE,
    maxRounds: 3,
    measure: async ({ port }) => (await fanOut(port, { service, watchers, processes: 1 })).lastMs,
  };
}

const health = (service: string): Load => ({ path: `/v1/health/service/${service}?passing` });
const SERVICES: Load = { path: '/v1/catalog/services' };
/** Where Consul answers some ten a second. */
const LARGE_SERVICES: Load = { ...SERVICES, minMs: 8000 };

const KV_PUT: Load = {
  path: '/',
  lua: 'return wrk.format("PUT", "/v1/kv/bench/" .. n % 1000, nil, "value-" .. n)',
};

/** An instance changes at every write: a registration that changes nothing costs nothing. */
const CATALOG_REGISTER: Load = {
  path: '/',
  lua: `local i = n % 1000
  return wrk.format("PUT", "/v1/catalog/register", nil, '{"Node":"written-' .. i % 100 ..
    '","Address":"10.2.0.1","Service":{"ID":"written-' .. i .. '","Service":"written-' .. i % 10 ..
    '","Tags":["v1"],"Port":' .. n % 60000 .. '},"Check":{"CheckID":"c-' .. i ..
    '","Name":"c","Status":"passing","ServiceID":"written-' .. i .. '"}}')`,
};

const AGENT_REGISTER: Load = {
  path: '/',
  lua: `return wrk.format("PUT", "/v1/agent/service/register", nil, '{"ID":"own-' .. n % 200 ..
    '","Name":"own","Tags":["v1"],"Port":' .. n % 60000 .. '}')`,
};

const CHECK_PASS: Load = {
  path: '/',
  lua: 'return wrk.format("PUT", "/v1/agent/check/pass/ttl-" .. n % 32 .. "?note=" .. n)',
};

async function registerTtlChecks(port: number): Promise<void> {
  for (let i = 0; i < 32; i++) {
    const check = { ID: `ttl-${i}`, Name: `ttl ${i}`, TTL: '10m' };
    await must(port, 'PUT', '/v1/agent/check/register', check);
  }
}

/** What is measured of writes alone: see bench/writes.ts. */
export interface Write {
  readonly name: string;
  readonly request: Load;
  readonly prepare?: (port: number) => Promise<void>;
}

export const WRITES: readonly Write[] = [
  { name: 'kv put', request: KV_PUT },
  { name: 'check/pass', request: CHECK_PASS, prepare: registerTtlChecks },
  { name: 'catalog/register', request: CATALOG_REGISTER },
  { name: 'agent/service/register', request: AGENT_REGISTER },
];

/** What every registry of the first part holds. */
export async function fillSmall(port: number): Promise<void> {
  for (const [prefix, services, instancesEach] of [
    ['ten', 1, 10],
    ['hundred', 1, 100],
    ['thousand', 1, 1000],
    ['name', 1000, 1],
  ] as const) {
    await fill(port, { prefix, services, instancesEach });
  }
  await must(port, 'PUT', '/v1/kv/read', 'x'.repeat(100));
}

export const SMALL_ROWS: readonly Row[] = [
  load('health of a service, 10 instances', 6, health('ten-0')),
  load('health of a service, 100 instances', 20, health('hundred-0')),
  load('health of a service, 1,000 instances', 25, { ...health('thousand-0'), minMs: 4000 }),
  load('catalog/services, 1,000 names', 100, SERVICES),
  load('kv get', 1.5, { path: '/v1/kv/read' }),
  load('agent/self', 1, { path: '/v1/agent/self' }),
  load('kv put, 32 clients', 2, KV_PUT, { logs: SERVED, targetOnRedis: 1.2 }),
  load('kv put, 1 client', 1, { ...KV_PUT, connections: 1 }, { logs: SERVED }),
  load('catalog/register', 1, CATALOG_REGISTER, { logs: SERVED }),
  load('agent/service/register', 20, AGENT_REGISTER),
  load('agent/check/pass', 12, CHECK_PASS, { prepare: registerTtlChecks }),
  watching('fan-out to 1,000 watchers, 10 instances', 1, 'ten-0', 1000),
  watching('fan-out to 5,000 watchers, 10 instances', 4, 'ten-0', 5000),
  {
    ...watching('p99 of other reads while 10,000 watchers are answered', 0, 'ten-0', 10_000),
    maxRounds: 1,
    measure: async ({ port }) =>
      (await fanOut(port, { service: 'ten-0', watchers: 10_000, processes: 2 })).p99Ms,
  },
];

/** A catalog of services with 100 instances each. */
export function fillLarge(port: number, instances: number): Promise<void> {
  return fill(port, { prefix: 'web', services: instances / 100, instancesEach: 100 });
}

/** The cost of each against the catalog's size is what the chart shows. */
export const SIZE_ROWS: readonly Row[] = [
  {
    name: 'memory',
    unit: 'MB',
    better: 'less',
    target: 4,
    logs: FILE,
    maxRounds: 1,
    measure: async (registry) => (await registry.memory()) / 1e6,
  },
  load('health of a service, 100 instances', 1, health('web-0')),
  load('catalog/register', 3, CATALOG_REGISTER),
  load('catalog/services', 1000, LARGE_SERVICES),
];

export const LARGE_ROWS: readonly Row[] = [
  watching('fan-out to 5,000 watchers, 100 instances', 10, 'web-0', 5000),
];
