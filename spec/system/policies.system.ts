/**
 * What policies promise, at real sockets and judged: a sidecar (`connect proxy`) over ten programs of which one is slow, the
 * share that each of the others gets, and the tail; shares by weights; and of those that hash the shares of keys, and
 * which of them move when a program goes, when it is back, and when another comes.
 *
 *   node --import tsx spec/system/policies.system.ts [CALLERS, 20] [SECONDS, 5]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../support/servers/free-ports.ts';
import { killProconsuls, startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';
import { report, SHORT_MS } from './report.ts';

const [callers = 20, seconds = 5] = process.argv.slice(2).map(Number);
/** The first is slow; of the others the last comes late. */
const PROGRAMS = 12;
const [FAST_MS, SLOW_MS] = [5, 400];
const IN_A_SERVICE = 10;
const KEYS = 2000;
const AT_ONCE = 200;
/** So much better than in turn is the tail of those that look how a host does. */
const BETTER = 5;
/** Of what a slow one gets in turn, they give it less than half. */
const LITTLE = 0.05;
/** Of keys that are not its own, so many may move when one comes or goes. */
const STRAYS = 0.05;
const COMMAND = fileURLToPath(new URL('../../bin/proconsul', import.meta.url));
const PATIENCE_MS = 120_000;

const POLICIES = ['round-robin', 'random', 'two-choices', 'least-requests', 'peak-ewma'] as const;
const HASHING = { ring: 'ring_hash', maglev: 'maglev' } as const;
const WEIGHTS = [1, 1, 2, 4];

type Bounds = readonly [least: number, most: number];
type Name = (typeof POLICIES)[number] | keyof typeof HASHING;

/**
 * What a program gets of its fair share: among equals, and by weights with few calls under way (docs/sidecar.md); beside what is
 * chance in so many calls.
 */
const OF_ITS_SHARE: Readonly<Record<Name, { readonly equal: Bounds; readonly weighted: Bounds }>> =
  {
    'round-robin': { equal: [0.98, 1.02], weighted: [0.98, 1.02] },
    random: { equal: [0.98, 1.02], weighted: [0.98, 1.02] },
    'two-choices': { equal: [0.9, 1.1], weighted: [0.75, 1.4] },
    'least-requests': { equal: [0.9, 1.1], weighted: [0.6, 1.7] },
    'peak-ewma': { equal: [0.5, 1.7], weighted: [0.4, 1.5] },
    ring: { equal: [0.7, 1.35], weighted: [0.75, 1.35] },
    maglev: { equal: [0.97, 1.03], weighted: [0.95, 1.05] },
  };
/** So many standard deviations of a share that chance alone decides. */
const DEVIATIONS = 4;

async function startPrograms(): Promise<readonly Server[]> {
  return await Promise.all(
    Array.from({ length: PROGRAMS }, async (_, i) => {
      const server = createServer((_, response) => {
        setTimeout(() => response.end(`${i}`), i === 0 ? SLOW_MS : FAST_MS);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
}

interface Answered {
  readonly who: number;
  readonly ms: number;
}

const agent = new Agent({ keepAlive: true });

function ask(port: number, key: string): Promise<Answered> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, agent, headers: { 'x-key': key } };
    const sent = request(options, (response) => {
      response
        .setEncoding('utf8')
        .toArray()
        .then((parts) => {
          if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
          resolve({ who: Number(parts.join('')), ms: performance.now() - begun });
        })
        .catch(reject);
    });
    sent.once('error', reject);
    sent.end();
  });
}

/** Each call has a key of its own. */
async function load(port: number): Promise<readonly Answered[]> {
  const all: Answered[] = [];
  const end = performance.now() + seconds * 1000;
  const caller = async (_: unknown, number: number) => {
    for (let i = 0; performance.now() < end; i++) all.push(await ask(port, `${number} ${i}`));
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return all;
}

/** The program of each key. */
async function homes(port: number): Promise<readonly number[]> {
  const all: number[] = [];
  while (all.length < KEYS) {
    const keys = Array.from({ length: AT_ONCE }, (_, i) => `key ${all.length + i}`);
    const answers = await Promise.all(keys.map((key) => ask(port, key)));
    all.push(...answers.map(({ who }) => who));
  }
  return all;
}

const countOf = (all: readonly number[], who: number) => all.filter((each) => each === who).length;

function quantile(all: readonly Answered[], q: number): number {
  const sorted = all.map(({ ms }) => ms).sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? Number.NaN;
}

/** Of `calls` as its fair share a program may have that part. */
function isFair(part: number, [least, most]: Bounds, calls: number): boolean {
  const by = DEVIATIONS / Math.sqrt(Math.max(1, calls));
  return part >= least - by && part <= most + by;
}

const shown = (all: readonly number[]) => all.map((each) => each.toFixed(2)).join(', ');

class World {
  readonly #say: (line: string) => void;
  readonly #own: number;
  readonly #ports: readonly number[];
  readonly #listens: ReadonlyMap<string, number>;
  bad = 0;

  constructor(
    say: (line: string) => void,
    at: { readonly own: number; readonly ports: readonly number[] },
    listens: ReadonlyMap<string, number>,
  ) {
    this.#say = say;
    this.#own = at.own;
    this.#ports = at.ports;
    this.#listens = listens;
  }

  at(service: string): number {
    return this.#listens.get(service) ?? 0;
  }

  judge(isGood: boolean, line: string): void {
    if (!isGood) this.bad++;
    this.#say(`${line}${isGood ? '' : '  FAILED'}`);
  }

  async put(path: string, body: object = {}): Promise<void> {
    const { status, text } = await send(this.#own, 'PUT', path, { body });
    if (status !== 200) throw new Error(`${path}: ${text}`);
  }

  async register(service: string, program: number, weight = 1): Promise<void> {
    await this.put('/v1/agent/service/register', {
      ...{ ID: `${service}-${program}`, Name: service, Address: '127.0.0.1' },
      ...{ Port: this.#ports[program], Weights: { Passing: weight, Warning: 1 } },
    });
  }

  async untilAnswered(service: string): Promise<void> {
    const isAnswered = () =>
      ask(this.at(service), 'x').then(
        () => true,
        () => false,
      );
    await until(isAnswered, () => `${service} does not answer`, PATIENCE_MS);
  }
}

const weighted = (name: string) => `${name}-weighted`;
const names = [...POLICIES, ...(Object.keys(HASHING) as (keyof typeof HASHING)[])] as const;
const services = names.flatMap((name) => [name, weighted(name)]);

async function register(world: World): Promise<void> {
  for (const name of names) {
    const isHashing = name in HASHING;
    for (let i = 0; i < IN_A_SERVICE; i++) await world.register(name, isHashing ? i + 1 : i);
    for (const [i, weight] of WEIGHTS.entries()) {
      await world.register(weighted(name), i + 1, weight);
    }
  }
  for (const [name, Policy] of Object.entries(HASHING)) {
    const HashPolicies = [{ Field: 'header', FieldValue: 'x-key' }];
    const LoadBalancer = { Policy, HashPolicies };
    for (const Name of [name, weighted(name)]) {
      await world.put('/v1/config', { Kind: 'service-resolver', Name, LoadBalancer });
    }
  }
}

async function sharesAndTails(world: World): Promise<void> {
  const tails = new Map<string, number>();
  for (const name of POLICIES) {
    const all = await load(world.at(name));
    const who = all.map((each) => each.who);
    const counts = Array.from({ length: IN_A_SERVICE }, (_, i) => countOf(who, i));
    const [slow = 0, ...fast] = counts;
    const fair = fast.reduce((sum, each) => sum + each, 0) / fast.length;
    const parts = fast.map((each) => each / fair);
    const p99 = quantile(all, 0.99);
    tails.set(name, p99);
    const looks = name !== 'round-robin' && name !== 'random';
    const isGood =
      parts.every((part) => isFair(part, OF_ITS_SHARE[name].equal, fair)) &&
      (!looks || slow / all.length < LITTLE);
    const [least, most] = [Math.min(...parts), Math.max(...parts)];
    world.judge(
      isGood,
      `${name}: ${all.length} requests, p50 ${quantile(all, 0.5).toFixed(0)} ms, p99 ${p99.toFixed(0)} ms; the slow one ` +
        `${((100 * slow) / all.length).toFixed(1)} %, the others ${shown([least, most])} of their share`,
    );
  }
  const inTurn = tails.get('round-robin') ?? Number.NaN;
  for (const name of ['least-requests', 'peak-ewma']) {
    const times = inTurn / (tails.get(name) ?? Number.NaN);
    world.judge(times >= BETTER, `${name} beats round-robin's p99 ${times.toFixed(1)} times`);
  }
}

async function byWeights(world: World): Promise<void> {
  const total = WEIGHTS.reduce((sum, each) => sum + each, 0);
  for (const name of names) {
    const who = (await load(world.at(weighted(name)))).map((each) => each.who);
    const parts = WEIGHTS.map((weight, i) => (countOf(who, i + 1) / who.length / weight) * total);
    const [one = 0, other = 0, two = 0, four = 0] = WEIGHTS.map((_, i) => countOf(who, i + 1));
    const isGood =
      parts.every((part, i) =>
        isFair(part, OF_ITS_SHARE[name].weighted, ((WEIGHTS[i] ?? 0) / total) * who.length),
      ) &&
      Math.max(one, other) < two &&
      two < four;
    const line = `${name}: weights of ${WEIGHTS.join(', ')} get ${shown(parts)} of their share`;
    world.judge(isGood, `${line}, ${who.length} requests`);
  }
}

interface Moved {
  readonly name: keyof typeof HASHING;
  readonly what: string;
  readonly before: readonly number[];
  /** Whose keys may move, or who may have others'. */
  readonly who: number;
  readonly isThere: boolean;
}

async function moved(world: World, { name, what, before, who, isThere }: Moved) {
  let after = before;
  await until(
    async () => {
      after = await homes(world.at(name));
      return after.includes(who) === isThere;
    },
    () => `${name}: ${what}: nothing moves`,
    PATIENCE_MS,
  );
  const its = isThere ? after : before;
  const own = its.filter((each) => each === who).length;
  const strays = before.filter((each, i) => each !== after[i] && its[i] !== who).length;
  const part = strays / (KEYS - own);
  const share = (own / KEYS) * (isThere ? new Set(after).size : new Set(before).size);
  const isGood = part <= STRAYS && isFair(share, OF_ITS_SHARE[name].equal, KEYS / IN_A_SERVICE);
  const line = `${name}: ${what}: its ${own} of ${KEYS} keys move, and of the others`;
  world.judge(isGood, `${line} ${(100 * part).toFixed(1)} %`);
  return after;
}

async function keys(world: World): Promise<void> {
  for (const name of Object.keys(HASHING) as (keyof typeof HASHING)[]) {
    const before = await homes(world.at(name));
    const again = await homes(world.at(name));
    const fair = KEYS / IN_A_SERVICE;
    const parts = Array.from({ length: IN_A_SERVICE }, (_, i) => countOf(before, i + 1) / fair);
    const isSteady = before.every((who, i) => who === again[i]);
    world.judge(
      isSteady && parts.every((part) => isFair(part, OF_ITS_SHARE[name].equal, fair)),
      `${name}: ${shown([Math.min(...parts), Math.max(...parts)])} of their share of ${KEYS} keys, ${isSteady ? 'the same' : 'others'} when asked again`,
    );
    await world.put(`/v1/agent/service/deregister/${name}-3`);
    const gone = { name, before, who: 3, isThere: false, what: 'one of ten goes' };
    const without = await moved(world, gone);
    await world.register(name, 3);
    const back = { name, before: without, who: 3, isThere: true, what: 'it is back' };
    const now = await moved(world, back);
    const isAsBefore = now.every((who, i) => who === before[i]);
    world.judge(isAsBefore, `${name}: each key is where it was before`);
    await world.register(name, PROGRAMS - 1);
    const come = { name, before: now, who: PROGRAMS - 1, isThere: true, what: 'an eleventh comes' };
    await moved(world, come);
  }
}

await report(async (say) => {
  const programs = await startPrograms();
  const ports = programs.map((server) => (server.address() as AddressInfo).port);
  const own = (await startProconsul(['-dev'])).port;
  const listens = await freePorts(services.length);
  const at = new Map(services.map((name, i) => [name, listens[i] ?? 0]));
  const world = new World(say, { own, ports }, at);
  await register(world);
  const policies = POLICIES.flatMap((name) => [`${name}=${name}`, `${weighted(name)}=${name}`]);
  const proxy: ChildProcess = spawn(
    COMMAND,
    [
      ...['connect', 'proxy', `-http-addr=127.0.0.1:${own}`, '-protocol=http', '-log-level=err'],
      ...services.map((name) => `-upstream=${name}:${world.at(name)}`),
      ...policies.map((policy) => `-policy=${policy}`),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  try {
    for (const service of services) await world.untilAnswered(service);
    await sharesAndTails(world);
    await byWeights(world);
    await keys(world);
  } finally {
    proxy.kill('SIGTERM');
    agent.destroy();
    await killProconsuls();
    for (const server of programs) server.close();
    for (const server of programs) server.closeAllConnections();
  }
  return world.bad;
}, SHORT_MS);
