/**
 * The work of an ordinary day, beside another build of Proconsul: so many changes, each with the watchers that
 * it wakes and the reads that come meanwhile, loaded in turns and one change after another. So it can be
 * compared what they cost the processor where a machine is busy with other things, and the day's times say nothing.
 *
 *   node --import tsx bench/day/pairs.ts --beside path/to/other/bin/proconsul [--own path/to/bin/proconsul]
 *     [--rounds 20] [--changes 100]
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { fill } from '../compare/fill.ts';
import { median } from '../compare/measure.ts';
import { type Registry, startRegistry, type Used } from '../compare/registry.ts';
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
  },
});
const changes = Number(options.changes);

class Load {
  readonly #port: number;
  readonly #writer: Connection;
  readonly #readers: readonly Connection[];
  /** Who waits for a change of a service to be seen by all who watch it. */
  readonly #seen = new Map<number, { left: number; readonly all: () => void }>();
  #changed = 0;

  constructor(port: number) {
    this.#port = port;
    this.#writer = new Connection(port);
    this.#readers = Array.from({ length: READERS }, () => new Connection(port));
  }

  /** Resolves when all of them have an index to wait with. */
  async watch(): Promise<void> {
    for (let i = 0; i < WATCHERS_EACH; i++) {
      const ready = Array.from(
        { length: SERVICES },
        (_, service) => new Promise<void>((begun) => void this.#follow(service, begun)),
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

  async #follow(service: number, begun: () => void): Promise<void> {
    const connection = new Connection(this.#port);
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

/** Microseconds of a processor for a change and all that comes with it. */
async function costOf(registry: Registry, load: Load): Promise<Used> {
  const before = await registry.processorUs();
  await load.change(changes);
  const after = await registry.processorUs();
  return {
    firstThread: (after.firstThread - before.firstThread) / changes,
    all: (after.all - before.all) / changes,
  };
}

const registries = await Promise.all([
  startRegistry('file', '', {}, options.own),
  startRegistry('file', '', {}, options.beside),
]);
const loads = registries.map(({ port }) => new Load(port));
for (const [i, { port }] of registries.entries()) {
  await fill(port, { services: SERVICES, instancesEach: 20, prefix: 'web' });
  await loads[i]?.watch();
  await loads[i]?.change(WARM_UP);
}
const costs: Used[][] = [[], []];
for (let round = 0; round < Number(options.rounds); round++) {
  // The other one first in every second round: neither always has the warmer machine.
  for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
    costs[at]?.push(await costOf(registries[at] as Registry, loads[at] as Load));
  }
}
const [own = [], other = []] = costs;
const say = (text: string) => void process.stdout.write(`${text}\n`);
say(`a change, ${WATCHERS_EACH} who watch it and ${READS_PER_CHANGE} reads, in µs of a processor:`);
for (const [what, of] of [
  ['all threads', (used: Used) => used.all],
  ['the first thread', (used: Used) => used.firstThread],
] as const) {
  const ratio = median(own.map((used, round) => of(used) / of(other[round] as Used)));
  const [ours, theirs] = [own, other].map((some) => Math.round(median(some.map(of))));
  say(`  ${what}: ${ours}, beside ${theirs} (× ${ratio.toFixed(3)})`);
}
await Promise.all(registries.map((registry) => registry.stop()));
process.exit(0);
