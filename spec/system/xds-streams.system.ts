/**
 * Many clients of xDS at one server: how long a change takes to come to all of them, what a stream takes of its memory,
 * and what becomes of reads by HTTP meanwhile. Four crowds: all ask for the same names; each for others; with two tokens,
 * which may see different things; and registered proxies, each of which has all kinds of its own.
 *
 *   node --import tsx spec/system/xds-streams.system.ts [STREAMS, 2000] [CLUSTERS, 50] [same | others | rights | proxies]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeapLooks } from '../support/experiments/heap-looks.ts';
import { type CrowdPlan, someNames } from '../support/experiments/xds-crowd.ts';
import { type Child, startChild } from '../support/servers/child.ts';
import { freePort } from '../support/servers/free-ports.ts';
import { type Proconsul, startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { sleep } from '../support/sleep.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const [streams = '2000', clusters = '50', only] = process.argv.slice(2);
const STREAMS = Number(streams);
const CLUSTERS = Number(clusters);
const CROWD = new URL('../support/experiments/xds-crowd.ts', import.meta.url);
const PATIENCE_MS = 240_000;
const MOST_MS = 40 * 60_000;
const ROUNDS = 20;
/** Of all: one thing that changes, all that a stream has, and a read by HTTP meanwhile, by its 99th percentile and at most. */
const MAX_CHANGE_MS = 1000;
const MAX_READ_MS = 60;
const MAX_STALL_MS = 250;
/** Of the heap and of buffers, for one that shares what it is told, and for one that has all of it by itself. */
const MAX_SHARED_KB = 40;
const MAX_OWN_KB = 40 * CLUSTERS;
const TOKEN = 'e95b599e-166e-7d80-08ad-aee76e7ddf19';
const EDS = 'envoy.service.endpoint.v3.EndpointDiscoveryService';
const ADS = 'envoy.service.discovery.v3.AggregatedDiscoveryService';

type Say = (line: string) => void;
type Put = (path: string, body: object) => Promise<{ readonly json: unknown }>;

interface Kind {
  readonly streams: number;
  /** So many are in the catalog. */
  readonly services: number;
  /** For one thing that changes, so many are told, and of all so many. */
  readonly one: number;
  readonly all: number;
  /** All that there is to tell at first. */
  readonly first: number;
  readonly maxKb: number;
  readonly flags: readonly string[];
  readonly plan: (put: Put, ask: (path: string) => Promise<unknown>) => Promise<Partial<CrowdPlan>>;
}

const namesTo = (count: number) => Array.from({ length: count }, (_, i) => `s${i}`);
const endpoints = (names: readonly string[], some?: number) =>
  [{ kind: 'endpoints', names, ...(some === undefined ? {} : { some }) }] as const;

/** In turn, those who see one half and those who see all: what is not seen is told as nothing, once. */
async function twoTokens(put: Put): Promise<readonly string[]> {
  const rules = ['service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }'];
  rules.push(`${rules[0]} service "unseen" { policy = "deny" }`);
  const tokens: string[] = [];
  for (const [i, Rules] of rules.entries()) {
    await put('/v1/acl/policy', { Name: `p${i}`, Rules });
    const { json } = await put('/v1/acl/token', { Policies: [{ Name: `p${i}` }] });
    tokens.push((json as { SecretID: string }).SecretID);
  }
  return tokens;
}

/** Of some services many instances, as nodes have them; each calls as many others. */
async function registered(put: Put, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await put('/v1/agent/service/register', {
      ...{ Kind: 'connect-proxy', ID: `proxy-${n}`, Name: `app${n % 10}-proxy`, Port: 20_000 },
      Proxy: {
        ...{ DestinationServiceName: `app${n % 10}`, LocalServicePort: 8080 },
        Upstreams: namesTo(CLUSTERS).map((DestinationName, i) => ({
          ...{ DestinationName, LocalBindPort: 21_000 + i },
        })),
      },
    });
  }
}

const PROXIES = Math.max(1, Math.round(STREAMS / 20));
const OTHERS = CLUSTERS * 20;
/** Of those who each ask for others, so many ask for the first service too. */
const WITH_FIRST = Array.from({ length: STREAMS }, (_, n) =>
  someNames(namesTo(OTHERS), CLUSTERS, n),
).filter((names) => names.includes('s0')).length;

const KINDS: Readonly<Record<string, Kind>> = {
  same: {
    ...{ streams: STREAMS, services: CLUSTERS, one: STREAMS, all: STREAMS * CLUSTERS },
    ...{ first: STREAMS * CLUSTERS, maxKb: MAX_SHARED_KB, flags: [] },
    plan: async () => ({ asks: endpoints(namesTo(CLUSTERS)) }),
  },
  others: {
    ...{ streams: STREAMS, services: OTHERS, one: WITH_FIRST, all: STREAMS * CLUSTERS },
    ...{ first: STREAMS * CLUSTERS, maxKb: MAX_SHARED_KB, flags: [] },
    plan: async () => ({ asks: endpoints(namesTo(OTHERS), CLUSTERS) }),
  },
  rights: {
    ...{ streams: STREAMS, services: CLUSTERS, one: STREAMS, all: STREAMS * CLUSTERS },
    ...{ first: STREAMS * CLUSTERS, maxKb: MAX_SHARED_KB },
    flags: [
      '-hcl',
      `acl { enabled = true default_policy = "deny" tokens { initial_management = "${TOKEN}" } }`,
    ],
    plan: async (put) => ({
      tokens: await twoTokens(put),
      asks: endpoints(namesTo(CLUSTERS)),
    }),
  },
  proxies: {
    ...{ streams: PROXIES, services: CLUSTERS, one: PROXIES, all: PROXIES * CLUSTERS },
    // The program's own cluster, and the listener for whoever calls it.
    ...{ first: PROXIES * (3 * CLUSTERS + 2), maxKb: MAX_OWN_KB, flags: [] },
    plan: async (put, ask) => {
      await registered(put, PROXIES);
      const roots = (await ask('/v1/connect/ca/roots')) as { readonly TrustDomain: string };
      const nameOf = (name: string) => `${name}.default.dc1.internal.${roots.TrustDomain}`;
      return {
        ...{ service: ADS, method: 'StreamAggregatedResources', isRegistered: true },
        asks: [
          { kind: 'clusters', names: [] },
          { kind: 'endpoints', names: namesTo(CLUSTERS).map(nameOf) },
          { kind: 'listeners', names: [] },
        ],
      };
    },
  },
};

function quantile(all: readonly number[], share: number): number {
  const sorted = [...all].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

const ms = (time: number) => `${time.toFixed(1)} ms`;

/** What its clients were told by now, and when they were. */
class Crowd {
  readonly #child: Child;
  readonly #say: Say;
  readonly #told: (readonly [count: number, at: number])[] = [];

  constructor(plan: CrowdPlan, say: Say) {
    this.#child = startChild(CROWD, { args: [JSON.stringify(plan)] });
    this.#say = say;
    this.#child.onLine((line) => this.#heard(line));
  }

  get told(): number {
    return this.#told.at(-1)?.[0] ?? 0;
  }

  /** When so many had been told. */
  async at(count: number): Promise<number> {
    await until(
      () => this.told >= count,
      () => `${this.told} of ${count} were told`,
      PATIENCE_MS,
    );
    return this.#told.find(([each]) => each >= count)?.[1] ?? 0;
  }

  async end(): Promise<void> {
    await this.#child.kill();
  }

  #heard(line: string): void {
    const [word, count, at] = line.split(' ');
    if (word === 'told') this.#told.push([Number(count), Number(at)]);
    else this.#say(line);
  }
}

const now = () => performance.timeOrigin + performance.now();

/** Reads without an end, until it is told so; how long each took since the last look. */
function reading(port: number, token: string) {
  let isOver = false;
  const times: number[] = [];
  const headers = token === '' ? {} : { 'x-consul-token': token };
  const done = (async () => {
    while (!isOver) {
      const at = performance.now();
      await send(port, 'GET', '/v1/catalog/service/s0', { headers });
      times.push(performance.now() - at);
      await sleep(5);
    }
  })();
  const end = async () => {
    isOver = true;
    await done;
  };
  return { look: () => times.splice(0), end };
}

interface Served {
  readonly server: Proconsul;
  readonly grpc: number;
  readonly looks: HeapLooks;
  readonly put: Put;
  readonly ask: (path: string) => Promise<unknown>;
}

async function served({ flags, services }: Kind, folder: string): Promise<Served> {
  const looks = new HeapLooks(folder);
  const grpc = await freePort();
  const server = await startProconsul(
    ['-dev', `-grpc-port=${grpc}`, '-log-level=warn', ...flags],
    undefined,
    { nodeOptions: looks.nodeOptions },
  );
  const headers = { 'x-consul-token': TOKEN };
  const put: Put = async (path, body) => {
    const answer = await send(server.port, 'PUT', path, { body, headers });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return answer;
  };
  const ask = async (path: string) => (await send(server.port, 'GET', path, { headers })).json;
  for (const name of namesTo(services)) await put('/v1/catalog/register', instanceOf(name, 1));
  return { server, grpc, looks, put, ask };
}

const instanceOf = (Service: string, Port: number) => ({
  ...{ Node: 'm', Address: '10.0.0.1', SkipNodeUpdate: Port > 1 },
  Service: { Service, Port },
});

/** By which one and all change: of proxies what is told is those that speak for a service. */
function changesOf(name: string) {
  const instance = (service: string, port: number) =>
    name === 'proxies'
      ? {
          ...{ Node: 'm', Address: '10.0.0.1', SkipNodeUpdate: true },
          Service: {
            ...{ Kind: 'connect-proxy', ID: `${service}-proxy`, Service: `${service}-proxy` },
            ...{ Port: port, Proxy: { DestinationServiceName: service } },
          },
        }
      : instanceOf(service, port);
  const Check = (round: number) => ({
    ...{ CheckID: 'c', Name: 'c', Status: round % 2 === 0 ? 'critical' : 'passing' },
  });
  const one = (put: Put, round: number) => put('/v1/catalog/register', instance('s0', round + 2));
  const all = (put: Put, round: number) =>
    put('/v1/catalog/register', {
      ...{ Node: 'm', Address: '10.0.0.1', SkipNodeUpdate: true, Check: Check(round) },
    });
  return { instance, one, all };
}

async function runKind(name: string, kind: Kind, say: Say): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'xds-streams-'));
  const { server, grpc, looks, put, ask } = await served(kind, folder);
  const change = changesOf(name);
  if (name === 'proxies') {
    for (const each of namesTo(CLUSTERS))
      await put('/v1/catalog/register', change.instance(each, 1));
  }
  const plan: CrowdPlan = {
    ...{ port: grpc, streams: 1, service: EDS, method: 'StreamEndpoints', tokens: [''], asks: [] },
    ...(await kind.plan(put, ask)),
  };
  // What gRPC itself takes is not a stream's, nor what is followed for all of them.
  const all = plan.asks.map(({ kind: of, names }) => ({ kind: of, names }));
  const first = new Crowd({ ...plan, asks: all }, say);
  await first.at(kind.services);
  await sleep(1000);
  const before = await looks.at(server);
  const from = now();
  const crowd = new Crowd({ ...plan, streams: kind.streams }, say);
  const begun = ((await crowd.at(kind.first)) - from) / 1000;
  await sleep(3000);
  const kb = ((await looks.at(server)) - before) / 1024 / kind.streams;
  say(
    `${name}: ${kind.streams} streams told of all after ${begun.toFixed(1)} s, ${kb.toFixed(1)} KB each`,
  );
  const reads = reading(server.port, TOKEN);
  await sleep(2000);
  const quiet = reads.look();
  const measured = async (changes: (round: number) => Promise<unknown>, count: number) => {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const [at, goal] = [now(), crowd.told + count];
      await changes(round);
      times.push((await crowd.at(goal)) - at);
      await sleep(200);
    }
    return times;
  };
  const one = await measured((round) => change.one(put, round), kind.one);
  const every = await measured((round) => change.all(put, round), kind.all);
  const meanwhile = reads.look();
  await reads.end();
  await crowd.end();
  await first.end();
  await rm(folder, { recursive: true });
  const told = (times: readonly number[]) =>
    `${ms(quantile(times, 0.5))}, at most ${ms(quantile(times, 1))}`;
  say(`  one changes: all who have it know after ${told(one)}`);
  say(`  all ${CLUSTERS} change: ${told(every)}`);
  const [p99, most] = [quantile(meanwhile, 0.99), quantile(meanwhile, 1)];
  say(
    `  reads by HTTP: p99 ${ms(quantile(quiet, 0.99))} before; ${ms(p99)} meanwhile, at most ${ms(most)}`,
  );
  return [
    quantile(one, 1) > MAX_CHANGE_MS,
    quantile(every, 1) > MAX_CHANGE_MS,
    kb > kind.maxKb,
    p99 > MAX_READ_MS,
    most > MAX_STALL_MS,
  ].filter((isTooMuch) => isTooMuch).length;
}

await report(async (say) => {
  let failed = 0;
  for (const [name, kind] of Object.entries(KINDS)) {
    if (only === undefined || only === name) failed += await runKind(name, kind, say);
  }
  return failed;
}, MOST_MS);
