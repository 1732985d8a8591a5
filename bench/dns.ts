/**
 * Asks Proconsul and a real Consul the same questions with dnsperf, in turns, so that whatever else
 * the machine does hits both: node --import tsx bench/dns.ts /path/to/consul
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ask, type DnsAgent, namesOf, startAgent } from './compare/dns-agent.ts';
import { median } from './compare/measure.ts';

const ROUNDS = 3;

interface Round {
  readonly what: string;
  readonly questions: readonly string[];
  readonly options: readonly string[];
}

const few = namesOf('few');
const many = namesOf('many');
const a = few.map((name) => `${name} A`);
const mix = [
  ...a,
  ...few.map((name) => `${name} AAAA`),
  ...many.flatMap((n) => [`${n} SRV`, `${n} SRV`]),
];
const ROUNDS_OF: readonly Round[] = [
  { what: 'A, 5 instances', questions: a, options: [] },
  { what: 'mix, half SRV of 100 instances', questions: mix, options: [] },
  { what: 'mix, EDNS 1,232', questions: mix, options: ['-e', '-b', '1232'] },
  { what: 'mix, EDNS 4,096', questions: mix, options: ['-e', '-b', '4096'] },
  {
    what: 'SRV of 100 instances over TCP',
    questions: many.map((n) => `${n} SRV`),
    options: ['-m', 'tcp'],
  },
];

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const [consul] = process.argv.slice(2);
if (consul === undefined) throw new Error('usage: bench/dns.ts /path/to/consul');
const folder = await mkdtemp(path.join(tmpdir(), 'bench-dns-'));
const agents: DnsAgent[] = [];
try {
  agents.push(await startAgent('consul', consul, folder));
  agents.push(await startAgent('proconsul', path.resolve('bin/proconsul'), folder));
  for (const { what, questions, options } of ROUNDS_OF) {
    const file = path.join(folder, 'questions');
    await writeFile(file, `${questions.join('\n')}\n`);
    const rates = agents.map((): number[] => []);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, agent] of agents.entries()) {
        const { perSecond, lost } = await ask(agent, file, options);
        if (lost > 1) say(`  ${agent.name} lost ${lost.toFixed(1)} %`);
        rates[i]?.push(perSecond);
      }
    }
    const [theirs = 0, ours = 0] = rates.map(median);
    const figures = agents.map(({ name }, i) => `${name} ${Math.round(median(rates[i] ?? []))}/s`);
    say(`${what}: ${figures.join(', ')}, ${(ours / theirs).toFixed(1)} times`);
  }
} finally {
  for (const agent of agents) await agent.stop();
  await rm(folder, { recursive: true, force: true });
}
