/**
 * What is aimed for beside a real Consul, in one run and one table: some 20 minutes.
 *
 *   CONSUL=path/to/consul bin/bench --aims [--only warm,redis,cold,day,agents,dns,large] [--rounds 5] [--write]
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { AIMS, machine, writeBetween } from '../compare/report.ts';
import { HEAD, lineOf, type Met, tableOf } from './aim.ts';
import { PARTS } from './parts.ts';

const { values: options } = parseArgs({
  options: {
    aims: { type: 'boolean' },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    write: { type: 'boolean', default: false },
  },
});
const say = (text: string) => void process.stdout.write(`${text}\n`);
const consul = process.env['CONSUL'] ?? 'consul';
const rounds = Number(options.rounds);
const chosen = options.only === '' ? PARTS.map(({ name }) => name) : options.only.split(',');
const unknown = chosen.find((name) => PARTS.every((part) => part.name !== name));
if (unknown !== undefined) throw new Error(`--only ${unknown}: there is no such part`);

const from = performance.now();
const found: Met[] = [];
say(HEAD);
for (const part of PARTS.filter(({ name }) => chosen.includes(name))) {
  for (const each of await part.measure({ consul, rounds })) {
    say(lineOf(each));
    found.push(each);
  }
}
const minutes = Math.ceil((performance.now() - from) / 60_000);
const text = `On ${machine()}, medians of ${rounds} rounds, in ${minutes} minutes.`;
say(`\n${text}`);
// A part of it would take the place of the whole.
if (options.write && options.only === '')
  await writeBetween(AIMS, `${text}\n\n${tableOf(found)}\n\n`);
