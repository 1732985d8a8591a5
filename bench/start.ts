/**
 * What a start takes of the processor until it answers, of a server with its log in files and of a client agent, beside
 * Consul's and another build's; in turns, since a machine may be busy with other things.
 *
 *   node --import tsx bench/start.ts [--consul path/to/consul] [--beside path/to/other/bin/proconsul] [--rounds 9]
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { freePorts } from '../spec/support/servers/free-ports.ts';
import { request } from './compare/http.ts';
import { median } from './compare/measure.ts';
import { type Used, usedBy } from './compare/registry.ts';

const { values: options } = parseArgs({
  options: {
    consul: { type: 'string', default: '' },
    beside: { type: 'string', default: '' },
    rounds: { type: 'string', default: '9' },
  },
});
const LOOK_MS = 5;
const US_PER_MS = 1000;
const OWN = path.resolve(import.meta.dirname, '../bin/proconsul');
const PROGRAMS: readonly (readonly [name: string, command: string])[] = [
  ['Proconsul', OWN],
  ...(options.beside === '' ? [] : [['beside', options.beside] as const]),
  ...(options.consul === '' ? [] : [['Consul', options.consul] as const]),
];
const ROLES: Readonly<Record<string, readonly string[]>> = {
  server: ['-server', '-bootstrap-expect=1'],
  'client agent': [],
};

/** Until it answers what it says of itself; whatever it does after that is none of its start. */
async function started(command: string, role: readonly string[]): Promise<Used> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-start-'));
  const [http = 0, lan, wan, server] = await freePorts(4);
  const ports = { http, serf_lan: lan, serf_wan: wan, server, dns: -1, grpc: -1 };
  const listed = Object.entries(ports).map(([name, port]) => `${name} = ${port}`);
  const args = ['agent', ...role, '-bind=127.0.0.1', '-node=bench', `-data-dir=${folder}`];
  const hcl = ['-hcl', `ports { ${listed.join('\n')} }`];
  const child = spawn(command, [...args, ...hcl], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    for (;;) {
      const answer = await request(http, 'GET', '/v1/agent/self').catch(() => undefined);
      if (answer?.status === 200) return await usedBy(child.pid as number);
      if (child.exitCode !== null) throw new Error(`${command} has ended`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  } finally {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

for (const [role, args] of Object.entries(ROLES)) {
  const taken = PROGRAMS.map((): Used[] => []);
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [i, [, command]] of PROGRAMS.entries()) taken[i]?.push(await started(command, args));
  }
  for (const [i, [name]] of PROGRAMS.entries()) {
    const of = (each: keyof Used) => (taken[i] ?? []).map((used) => used[each] / US_PER_MS);
    const all = `${median(of('all')).toFixed(0)} ms (least ${Math.min(...of('all')).toFixed(0)})`;
    const text = `${role}, ${name}: ${all}, its first thread ${median(of('firstThread')).toFixed(0)}`;
    process.stdout.write(`${text}\n`);
  }
}
