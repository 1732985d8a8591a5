/**
 * The work of an ordinary day, beside another build of Proconsul: so many changes, each with the watchers that
 * it wakes and the reads that come meanwhile, loaded in turns and one change after another. So it can be
 * compared what they cost the processor where a machine is busy with other things, and the day's times say nothing.
 *
 *   node --import tsx bench/day/pairs.ts --beside path/to/other/bin/proconsul [--own path/to/bin/proconsul]
 *     [--rounds 20] [--changes 100] [--agents]
 *
 * --agents: everything goes through two client agents, whose processors are told apart from the server's.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type AgentProcess, AgentProcesses } from '../../spec/support/servers/agent-processes.ts';
import { fill } from '../compare/fill.ts';
import { median } from '../compare/measure.ts';
import { startRegistry, type Used, usedBy } from '../compare/registry.ts';
import { Connection } from './connection.ts';

const SERVICES = 200;
const WATCHERS_EACH = 10;
const READS_PER_CHANGE = 20;
const READERS = 10;
/** Until V8 has compiled most of it. */
const WARM_UP = 500;

const { values: options } = parseArgs({
  options: {
    beside: { type: 'string', default: '' },
    own: { type: 'string' },
    rounds: { type: 'string', default: '20' },
    changes: { type: 'string', default: '100' },
    agents: { type: 'boolean', default: false },
  },
});
const changes = Number(options.changes);

/** A build at work. */
interface Loaded {
  /** Of the server, which is filled. */
  readonly port: number;
  /** Who is asked: it, or the agents before it. */
  readonly asked: readonly number[];
  /** What each process has used so far, by what it is called. */
  used(): Promise<ReadonlyMap<string, Used>>;
  stop(): Promise<void>;
}

class Load {
  readonly #ports: readonly number[];
  readonly #writer: Connection;
  readonly #readers: readonly Connection[];
  /** Who waits for a change of a service to be seen by all who watch it. */
  readonly #seen = new Map<number, { left: number; readonly all: () => void }>();
  #changed = 0;

  constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.#writer = new Connection(this.#port(0));
    this.#readers = Array.from({ length: READERS }, (_, i) => new Connection(this.#port(i)));
  }

  #port(i: number): number {
    return this.#ports[i % this.#ports.length] as number;
  }

  /** Resolves when all of them have an index to wait with. */
  async watch(): Promise<void> {
    for (let i = 0; i < WATCHERS_EACH; i++) {
      const ready = Array.from(
        { length: SERVICES },
        (_, service) => new Promise<void>((begun) => void this.#follow(i, service, begun)),
      );
      await Promise.all(ready);
    }
  }

  async change(count: number): Promise<void> {
    for (let n = 0; n < count; n++) await this.#changeOne();
  }

  async #changeOne(): Promise<void> {
    const i = this.#changed++;
    const service = i % SERVICES;
    const seen = new Promise<void>((all) => this.#seen.set(service, { left: WATCHERS_EACH, all }));
    await this.#writer.ask(flip(service, i));
    await seen;
    for (let n = 0; n < READS_PER_CHANGE; n += READERS) {
      const reads = this.#readers.map((reader, at) => {
        const read = ((i * READS_PER_CHANGE + n + at) * 7919) % SERVICES;
        return reader.ask(get(`${pathOf(read)}?passing`));
      });
      await Promise.all(reads);
    }
  }

  async #follow(i: number, service: number, begun: () => void): Promise<void> {
    const connection = new Connection(this.#port(i));
    for (let index = ''; ; ) {
      const wait = index === '' ? '' : `?index=${index}&wait=10m`;
      const head = await connection.ask(get(`${pathOf(service)}${wait}`));
      const next = /x-consul-index: (\d+)/i.exec(head)?.[1] ?? '';
      if (index === '') begun();
      else if (next !== index) this.#sees(service);
      index = next;
    }
  }

  #sees(service: number): void {
    const seen = this.#seen.get(service);
    if (seen !== undefined && --seen.left === 0) seen.all();
  }
}

function flip(service: number, i: number): string {
  const ServiceID = `web-${service}-0`;
  const body = JSON.stringify({
    Node: 'node-0',
    SkipNodeUpdate: true,
    Check: {
      CheckID: `service:${ServiceID}`,
      Name: `Service 'web-${service}' check`,
      ServiceID,
      Status: Math.floor(i / SERVICES) % 2 === 0 ? 'critical' : 'passing',
      Output: `flip-${i}`,
    },
  });
  const head = `PUT /v1/catalog/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}`;
  return `${head}\r\n\r\n${body}`;
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const pathOf = (service: number) => `/v1/health/service/web-${service}`;

async function start(program: string | undefined): Promise<Loaded> {
  if (options.agents) return await startWithAgents(program);
  const registry = await startRegistry('file', '', {}, program);
  const used = async () => new Map([['server', await registry.processorUs()]]);
  return { port: registry.port, asked: [registry.port], used, stop: () => registry.stop() };
}

async function startWithAgents(program: string | undefined): Promise<Loaded> {
  const processes = await AgentProcesses.create(program);
  const common = { log_level: 'ERROR', limits: { http_max_conns_per_client: 10_000 } };
  const server = await processes.server({ ...common, performance: { raft_multiplier: 1 } });
  const agents = [
    await processes.agent('a1', server, common),
    await processes.agent('a2', server, common),
  ];
  for (const each of [server, ...agents]) await each.start();
  while (!(await server.get('/v1/status/leader').catch(() => ''))) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const of = async (some: readonly AgentProcess[]): Promise<Used> => {
    const each = await Promise.all(some.map(({ pid }) => usedBy(pid)));
    const sum = (what: keyof Used) => each.reduce((all, used) => all + used[what], 0);
    return { firstThread: sum('firstThread'), all: sum('all') };
  };
  return {
    port: server.ports.http,
    asked: agents.map(({ ports }) => ports.http),
    used: async () =>
      new Map([
        ['server', await of([server])],
        ['agents', await of(agents)],
      ]),
    stop: () => processes.end(),
  };
}

type Costs = ReadonlyMap<string, Used>;

/** Microseconds of a processor for a change and all that comes with it. */
async function costOf(loaded: Loaded, load: Load): Promise<Costs> {
  const before = await loaded.used();
  await load.change(changes);
  const after = await loaded.used();
  const costs = [...after].map(([name, used]) => {
    const from = before.get(name) as Used;
    const firstThread = (used.firstThread - from.firstThread) / changes;
    return [name, { firstThread, all: (used.all - from.all) / changes }] as const;
  });
  return new Map(costs);
}

const all = await Promise.all([start(options.own), start(options.beside)]);
const loads = all.map(({ asked }) => new Load(asked));
for (const [i, { port }] of all.entries()) {
  await fill(port, { services: SERVICES, instancesEach: 20, prefix: 'web' });
  await loads[i]?.watch();
  await loads[i]?.change(WARM_UP);
}
const costs: Costs[][] = [[], []];
for (let round = 0; round < Number(options.rounds); round++) {
  // The other one first in every second round: neither always has the warmer machine.
  for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
    costs[at]?.push(await costOf(all[at] as Loaded, loads[at] as Load));
  }
}
const [own = [], other = []] = costs;
const say = (text: string) => void process.stdout.write(`${text}\n`);
say(`a change, ${WATCHERS_EACH} who watch it and ${READS_PER_CHANGE} reads, in µs of a processor:`);
for (const name of own[0]?.keys() ?? []) {
  for (const [what, of] of [
    ['all threads', (used: Used) => used.all],
    ['the first thread', (used: Used) => used.firstThread],
  ] as const) {
    const [mine = [], others = []] = [own, other].map((some) =>
      some.map((round) => of(round.get(name) as Used)),
    );
    const ratio = median(mine.map((used, round) => used / (others[round] as number)));
    const [ours, theirs] = [mine, others].map((some) => Math.round(median(some)));
    // What comes once in some rounds, as the collection of a whole heap, no median shows.
    const sum = (some: readonly number[]) => some.reduce((whole, each) => whole + each, 0);
    const whole = (sum(mine) / sum(others)).toFixed(3);
    say(
      `  ${name}, ${what}: ${ours}, beside ${theirs} (× ${ratio.toFixed(3)}, all together × ${whole})`,
    );
  }
}
await Promise.all(all.map((each) => each.stop()));
process.exit(0);
