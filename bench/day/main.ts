/**
 * An ordinary day, beside a real Consul: 200 services of 20 instances, 2,000 watchers, 100 changes and
 * 2,000 reads a second, each at its time. It is what a user feels.
 *
 *   CONSUL=path/to/consul bin/bench --day [--seconds 20] [--rounds 5] [--agents] [--during snapshot|restart|failover]
 *     [--beside path/to/other/bin/proconsul] [--share 0.5]
 *
 * --agents: everything goes through two client agents. --during: that happens at the half; failover is the end of
 * whatever orders the writes of three servers, Consul's leader and the master of our Redis, by SIGKILL. --beside: another
 * build of Proconsul in Consul's place. --share: so much of it, where the machine is busy with other things.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { median } from '../compare/measure.ts';
import { figure } from '../compare/table.ts';
import type { Day, Latencies } from './load.ts';
import { type MeasuredDay, measureDay } from './measure.ts';

const { values: options } = parseArgs({
  options: {
    day: { type: 'boolean' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '5' },
    agents: { type: 'boolean', default: false },
    during: { type: 'string', default: '' },
    beside: { type: 'string', default: '' },
    share: { type: 'string', default: '1' },
  },
});
if (!['', 'snapshot', 'restart', 'failover'].includes(options.during)) {
  throw new Error(`--during ${options.during}: snapshot, restart or failover`);
}
if (options.agents && options.during === 'failover') {
  throw new Error('--during failover: without --agents');
}
const consul = process.env['CONSUL'] ?? 'consul';
const forMs = Number(options.seconds) * 1000;
const share = Number(options.share);
const say = (text: string) => void process.stdout.write(`${text}\n`);

const other = options.beside === '' ? 'Consul' : 'beside';
const PROGRAMS: Readonly<Record<string, string | undefined>> = {
  [other]: options.beside || consul,
  Proconsul: undefined,
};

type Row = readonly [name: string, unit: string, of: (measured: MeasuredDay) => number];

const latencies = (name: string, of: (day: Day) => Latencies): Row[] => [
  [`${name}, p50`, 'ms', (m) => of(m).p50],
  [`${name}, p99`, 'ms', (m) => of(m).p99],
  [`${name}, p99.9`, 'ms', (m) => of(m).p999],
];

const ofAgents: Row = ['processor, agents', 's', (m) => m.agentsS];

const ROWS: readonly Row[] = [
  ...latencies('a read', (day) => day.reads),
  ...latencies('a change', (day) => day.writes),
  ...latencies('from a change to a watcher', (day) => day.wakes),
  ['processor, server', 's', (m) => m.serverS],
  ...(options.agents ? [ofAgents] : []),
  ['answers that watchers got', '', (m) => m.wakes.count],
  ['refused, and asked again', '', (m) => m.failed],
  ['late: the client itself', 'ms', (m) => m.lateMs],
];

const all = new Map<string, MeasuredDay[]>(Object.keys(PROGRAMS).map((name) => [name, []]));
for (let round = 1; round <= Number(options.rounds); round++) {
  for (const [name, program] of Object.entries(PROGRAMS)) {
    const measured = await measureDay(program, {
      ...{ ...options, forMs, share },
      isConsul: name === 'Consul',
    });
    all.get(name)?.push(measured);
    const { reads, wakes, serverS, agentsS, failed } = measured;
    const took = `${figure(serverS)} s${options.agents ? `, agents ${figure(agentsS)} s` : ''}`;
    say(
      `round ${round}, ${name}: reads p99 ${figure(reads.p99)} ms, wake-ups p99 ${figure(wakes.p99)} ms, ${took}, ${failed} refused`,
    );
  }
}
say(`\n| | ${other} | Proconsul | |\n|---|---:|---:|---:|`);
for (const [name, unit, of] of ROWS) {
  const [theirs = Number.NaN, ours = Number.NaN] = [...all.values()].map((some) =>
    median(some.map(of)),
  );
  const ratio = unit === '' || name.startsWith('late') ? '' : `${figure(theirs / ours)}×`;
  say(`| ${name} | ${figure(theirs)} ${unit} | ${figure(ours)} ${unit} | ${ratio} |`);
}
