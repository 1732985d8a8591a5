/** What a read costs, fresh and from the shared answer, and a touch: node --import tsx bench/queries.ts */
import { cpuUsage } from 'node:process';
import { EVERYTHING } from '../lib/acl/rights.ts';
import { systemClock } from '../lib/clock.ts';
import { Params } from '../lib/http/params.ts';
import type { Command, Entry } from '../server/commands.ts';
import { narrowing } from '../server/http/narrowing.ts';
import { Answers } from '../server/query/answers.ts';
import { nodes, serviceInstances, services } from '../server/query/catalog.ts';
import { healthOfService } from '../server/query/health.ts';
import { oneKey, tree } from '../server/query/kv.ts';
import type { Query } from '../server/query/query.ts';
import { asked } from '../server/query/query.ts';
import { Reader } from '../server/query/reader.ts';
import { Watcher } from '../server/query/watcher.ts';
import { apply } from '../server/state/apply.ts';
import { State } from '../server/state/state.ts';
import { checkNamed, kvOp, registerOn, serviceNamed } from '../spec/support/factories.ts';

const ROUNDS = 5;
const ROUND_MS = 200;
const all = narrowing(new Params(''), '', undefined);

const state = new State();
const watcher = new Watcher();
const answers = new Answers({ state: () => state, watcher, clock: systemClock });

function change(command: Command): void {
  const index = state.index + 1;
  const entry: Entry = {
    index,
    epoch: 1,
    t: index,
    id: `b/${index}`,
    hash: String(index),
    size: 0,
    command,
  };
  watcher.notify(apply(state, entry).touched);
}

let writes = 0;

function register(service: string, i: number, Port = 80): void {
  change(
    registerOn(`node-${i}`, {
      service: serviceNamed(service, { ID: `${service}-${i}`, Port, Tags: ['a', 'b'] }),
      checks: [checkNamed(`check-${service}-${i}`, { ServiceID: `${service}-${i}` })],
    }),
  );
}

for (let i = 0; i < 3; i++) register('three', i);
for (let i = 0; i < 100; i++) register('hundred', i);
for (let i = 0; i < 2000; i++) register('many', i);
for (let i = 0; i < 1000; i++) change({ type: 'kv', op: kvOp('set', `tree/${i}`) });

/** Of the processor's time: what the machine does beside it does not count. */
const cpuMs = () => {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
};

/** The best of some rounds: what else is in the caches makes rounds slower, never quicker. */
function measure(name: string, once: () => void): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const from = cpuMs();
    let times = 0;
    let took = 0;
    for (; took < ROUND_MS; took = cpuMs() - from) {
      for (let i = 0; i < 100; i++) once();
      times += 100;
    }
    best = Math.min(best, (took * 1000) / times);
  }
  process.stdout.write(`${name.padEnd(36)} ${best.toFixed(3).padStart(10)} us\n`);
}

const write = () =>
  change({ type: 'kv', op: kvOp('set', 'tree/7', { value: `${1000 + (writes++ % 1000)}` }) });

const read: readonly [string, Query, () => void][] = [
  ['health of 3', healthOfService('three', all, true), () => register('three', 0, ++writes)],
  ['health of 100', healthOfService('hundred', all, true), () => register('hundred', 0, ++writes)],
  ['health of 2,000', healthOfService('many', all, true), () => register('many', 0, ++writes)],
  ['catalog of 100', serviceInstances('hundred', all), () => register('hundred', 0, ++writes)],
  ['nodes (2,000)', nodes(all), () => register(`new-${++writes % 50}`, writes % 50)],
  ['services', services(all), () => register('three', 0, ++writes)],
  ['one key', oneKey('tree/7'), write],
  ['an absent key', oneKey('tree/none'), write],
  ['tree of 1,000', tree('tree/'), write],
];

for (const [name, query, touch] of read) {
  measure(`${name}: evaluated`, () => void query.run(new Reader(state, EVERYTHING)));
  measure(`${name}: from the answer`, () => void answers.read(asked(query, EVERYTHING)));
  measure(`${name}: changed and read`, () => {
    touch();
    answers.read(asked(query, EVERYTHING));
  });
}
