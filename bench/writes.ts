/**
 * What a write costs the server that takes it, in microseconds of a processor and of its first thread, beside Consul
 * and beside another build of Proconsul: loaded in turns, since a machine may be busy with other things.
 *
 *   node --import tsx bench/writes.ts [--consul path/to/consul] [--beside path/to/other/bin/proconsul]
 *     [--only TEXT] [--rounds 10] [--seconds 2] [--log file|memory|redis] [--cold]
 *
 * --cold: new processes each round, and the first thousand registrations that each takes.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type Cost, costOf, FIRST, first } from './compare/cold.ts';
import { median } from './compare/measure.ts';
import { type Kind, type Registry, startRegistry } from './compare/registry.ts';
import { WRITES, type Write } from './compare/rows.ts';
import { requestsPerSecond } from './compare/wrk.ts';

const { values: options } = parseArgs({
  options: {
    consul: { type: 'string', default: '' },
    beside: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '2' },
    log: { type: 'string', default: 'file' },
    cold: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
const ms = Number(options.seconds) * 1000;
/** V8 has not compiled it all before. */
const WARM_UP = 3;
const log = options.log as Exclude<Kind, 'consul'>;

const say = (text: string) => void process.stdout.write(`${text}\n`);

interface Contender {
  readonly name: string;
  readonly start: () => Promise<Registry>;
}

const CONTENDERS: readonly Contender[] = [
  { name: 'Proconsul', start: () => startRegistry(log, '') },
  ...(options.beside === ''
    ? []
    : [{ name: 'beside', start: () => startRegistry(log, '', {}, options.beside) }]),
  ...(options.consul === ''
    ? []
    : [{ name: 'Consul', start: () => startRegistry('consul', options.consul) }]),
];

async function warm(): Promise<void> {
  const registries = await Promise.all(CONTENDERS.map(({ start }) => start()));
  try {
    for (const write of WRITES.filter(({ name }) => name.includes(options.only))) {
      for (const { port } of registries) await write.prepare?.(port);
      const costs: Cost[][] = registries.map(() => []);
      for (let round = -WARM_UP; round < rounds; round++) {
        // Another one first in each round: none always has the warmer machine.
        for (let i = 0; i < registries.length; i++) {
          const at = (i + Math.abs(round)) % registries.length;
          const cost = await loaded(registries[at] as Registry, write);
          if (round >= 0) costs[at]?.push(cost);
        }
      }
      report(write.name, costs);
    }
  } finally {
    await Promise.all(registries.map((registry) => registry.stop()));
  }
}

async function loaded(registry: Registry, { request }: Write): Promise<Cost> {
  await registry.quiet();
  const before = await registry.processorUs();
  const rate = await requestsPerSecond(registry.port, request, ms);
  return { ...costOf(before, await registry.processorUs(), (rate * ms) / 1000), rate };
}

async function cold(): Promise<void> {
  const costs: Cost[][] = CONTENDERS.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { start }] of CONTENDERS.entries()) {
      const registry = await start();
      try {
        await registry.quiet();
        costs[i]?.push(await first(registry));
      } finally {
        await registry.stop();
      }
    }
  }
  report(`the first ${FIRST} catalog/register`, costs);
}

/** Each beside the first, by the pairs of rounds. */
function report(name: string, costs: readonly Cost[][]): void {
  const [own = []] = costs;
  for (const [i, each] of costs.entries()) {
    const us = each.map((cost) => cost.us);
    const rates = each.map(({ rate }) => rate);
    const ratio = (of: (cost: Cost) => number) =>
      median(each.map((cost, round) => of(cost) / of(own[round] as Cost)));
    const beside =
      i === 0
        ? ''
        : `; ours is ${ratio((cost) => cost.us).toFixed(3)} × as cheap, ` +
          `and ${(1 / ratio((cost) => cost.rate)).toFixed(3)} × as fast`;
    const firstThread = median(each.map((cost) => cost.firstThreadUs)).toFixed(1);
    const least = Math.min(...us).toFixed(1);
    const figures = `${median(us).toFixed(1)} µs (least ${least}; its first thread ${firstThread})`;
    const who = CONTENDERS[i]?.name;
    say(`${name}, ${who}: ${figures}, ${Math.round(median(rates))} a second${beside}`);
  }
}

await (options.cold ? cold() : warm());
