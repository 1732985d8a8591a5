/**
 * What Node itself takes for what is asked of us, beside us and a real Consul, loaded in turns: no program that runs on
 * Node is faster than a socket of Node's that answers the same bytes to whatever comes.
 *
 *   node --import tsx bench/floor/main.ts [--consul path/to/consul] [--only pass,read,dns,memory,day] [--rounds 5] [--seconds 2]
 */
import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { median } from '../compare/measure.ts';
import { figure, times } from '../compare/table.ts';
import {
  type Contest,
  day,
  dns,
  type Found,
  memory,
  OURS,
  type Pace,
  pass,
  read,
} from './contests.ts';

const { values: options } = parseArgs({
  options: {
    consul: { type: 'string', default: '' },
    only: { type: 'string', default: 'pass,read,dns,memory' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
  },
});
const CONTESTS: Readonly<Record<string, (pace: Pace) => Promise<Contest>>> = {
  pass,
  read,
  dns,
  memory,
  day,
};
const pace: Pace = { consul: options.consul, ms: Number(options.seconds) * 1000 };

const say = (text: string) => void process.stdout.write(`${text}\n`);

// Builds, so that no server's start waits for it.
execFileSync(OURS, ['version']);
say('| | Consul | a bare socket of Node | Proconsul | Node to Consul | Proconsul to Consul |');
say('|---|---:|---:|---:|---:|---:|');
for (const name of options.only.split(',')) {
  const begin = CONTESTS[name];
  if (begin === undefined) throw new Error(`--only ${name}: there is no such row`);
  const { what, unit, better, contenders, stop } = await begin(pace);
  try {
    const found = contenders.map((): Found[] => []);
    for (let round = -1; round < Number(options.rounds); round++) {
      for (const [i, contender] of contenders.entries()) {
        const each = await contender?.measure();
        // The first round is to warm up.
        if (round >= 0 && each !== undefined) found[i]?.push(each);
      }
    }
    const middle = (of: keyof Found) => found.map((some) => median(some.map((each) => each[of])));
    const values = middle('value');
    const us = middle('us');
    const figures = values.map((value, i) =>
      Number.isNaN(value) ? '' : `${figure(value)} ${unit}${took(us[i])}`,
    );
    const [consul = Number.NaN, ...others] = values;
    const ratios = others.map((value) =>
      Number.isNaN(consul) ? '' : `${times(better === 'more' ? value / consul : consul / value)}×`,
    );
    say(`| ${[what, ...figures, ...ratios].join(' | ')} |`);
  } finally {
    await stop();
  }
}
process.exit(0);

function took(us = Number.NaN): string {
  return Number.isNaN(us) ? '' : ` (${figure(us)} µs)`;
}
