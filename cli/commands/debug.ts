import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { packFolder } from '../../lib/archive/files.ts';
import { systemClock } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import { type Command, explained, type Invocation } from '../command.ts';
import { DebugCapture, TARGETS, type Target } from '../debug-capture.ts';
import type { FlagValues } from '../flag-values.ts';

const DEFAULT_DURATION = '2m';
const DEFAULT_INTERVAL = '30s';
const MIN_DURATION_S = 10;
const MIN_INTERVAL_S = 5;
/** Of index.json. */
const VERSION = 1;

export const command: Command = {
  synopsis: '[options]',
  details:
    'An archive for whoever is asked for help: the machine, the agent, the members, how much there ' +
    'is, and for each interval metrics, the log at debug, and profiles. There is no token and no key in it.',
  examples: ['', '-duration=10s -interval=5s -output=trouble', '-capture=logs -capture=metrics'],
  http: 'agent',
  flags: new Map([
    ['archive', { kind: 'bool', help: 'Pack it as .tar.gz; the default.' }],
    ['capture', { kind: 'strings', help: `One of ${TARGETS.join(', ')}; may be repeated.` }],
    ['duration', { kind: 'string', help: `For how long; ${DEFAULT_DURATION}.` }],
    ['interval', { kind: 'string', help: `How often something is taken; ${DEFAULT_INTERVAL}.` }],
    ['output', { kind: 'string', help: 'The name of the archive, or of the folder.' }],
  ]),

  async run(invocation) {
    const { flags, args } = invocation;
    if (args.length > 0) throw misused(`debug: Too many arguments provided, expected 0`);
    const wanted = wantedOf(flags);
    const self = await explained(
      'error querying target agent',
      invocation.client().send({ method: 'GET', path: '/v1/agent/self' }),
    );
    return await capture(invocation, wanted, self.json as AgentSelf);
  },
};

interface AgentSelf {
  readonly Config: { readonly Version: string };
  readonly DebugConfig: { readonly EnableDebug?: boolean };
}

interface Wanted {
  readonly targets: readonly Target[];
  readonly duration: string;
  readonly interval: string;
  readonly intervalMs: number;
  readonly count: number;
  readonly output: string;
  readonly archive: boolean;
}

function wantedOf(flags: FlagValues): Wanted {
  const duration = flags.text('duration') || DEFAULT_DURATION;
  const interval = flags.text('interval') || DEFAULT_INTERVAL;
  const durationMs = atLeast(duration, MIN_DURATION_S, 'duration');
  const intervalMs = atLeast(interval, MIN_INTERVAL_S, 'interval');
  if (durationMs < intervalMs) throw invalid('duration must be longer than the interval');
  const targets = flags.all('capture').map((name) => {
    const known = TARGETS.find((each) => each === name);
    if (known === undefined) throw invalid(`target not found: ${name}`);
    return known;
  });
  const output = flags.text('output') || `proconsul-debug-${Math.floor(systemClock.now() / 1000)}`;
  const archive = !flags.has('archive') || flags.isSet('archive');
  for (const path of archive ? [output, `${output}.tar.gz`] : [output]) {
    if (existsSync(path)) throw invalid(`output already exists: ${path}`);
  }
  const count = Math.max(1, Math.floor(durationMs / intervalMs));
  const all = targets.length === 0 ? TARGETS : targets;
  return { targets: all, duration, interval, intervalMs, count, output, archive };
}

function atLeast(text: string, seconds: number, name: string): number {
  const ns = parseDuration(text);
  if (ns === undefined) throw invalid(`${name} is no duration: ${text}`);
  if (ns < seconds * 1e9) throw invalid(`${name} must be longer than ${seconds}s`);
  return ns / 1e6;
}

function invalid(why: string): ProconsulError {
  return misused(`Capture validation failed: ${why}`);
}

function misused(why: string): ProconsulError {
  return new ProconsulError('invalid', `==> ${why}`);
}

async function capture(invocation: Invocation, wanted: Wanted, self: AgentSelf): Promise<number> {
  const { host, client } = invocation;
  const { signal } = host;
  const targets = profilable(wanted, self, host.print);
  const { output: folder, intervalMs, archive } = wanted;
  const where = archive ? `${folder}.tar.gz` : folder;
  const taking = new DebugCapture({
    client,
    folder,
    targets,
    intervalMs,
    clock: systemClock,
    signal,
  });
  host.print(opening({ ...wanted, targets }, self, where));
  try {
    await taking.once();
    for (let n = 1; n <= wanted.count && !signal.aborted; n++) {
      await taking.interval(`${Math.floor(systemClock.now() / 1000)}-${n}`);
      host.print(`==> Capture ${signal.aborted ? 'interrupted' : 'successful'} (${n})\n`);
    }
    await writeFile(join(folder, 'index.json'), indexOf({ ...wanted, targets }, self, taking), {
      mode: 0o600,
    });
    if (archive) {
      await packFolder(folder, basename(folder), where);
      await rm(folder, { recursive: true });
    }
  } catch (cause) {
    if (cause instanceof ProconsulError) throw cause;
    throw misused(`Capture failed: ${describeChain(cause)}`);
  }
  for (const failure of taking.failures) host.printError(`    Not captured: ${failure}\n`);
  host.print(`    Saved debug archive: ${where}\n`);
  return 0;
}

/** Without profiles, where the agent gives none. */
function profilable(
  { targets }: Wanted,
  { DebugConfig }: AgentSelf,
  print: (text: string) => void,
): readonly Target[] {
  if (!targets.includes('pprof') || DebugConfig.EnableDebug === true) return targets;
  print('==> Unable to capture pprof. Set enable_debug to true on target agent to enable it.\n');
  return targets.filter((target) => target !== 'pprof');
}

function opening(wanted: Wanted, { Config }: AgentSelf, where: string): string {
  const rows = [
    ['Agent Version', Config.Version],
    ['Interval', wanted.interval],
    ['Duration', wanted.duration],
    ['Output', where],
    ['Capture', wanted.targets.join(', ')],
  ];
  const lines = rows.map(([name = '', value]) => `${name.padStart(18)}: '${value}'\n`);
  return `==> Starting debugger and capturing static information...\n${lines.join('')}`;
}

function indexOf(wanted: Wanted, { Config }: AgentSelf, { failures }: DebugCapture): string {
  const index = {
    Version: VERSION,
    AgentVersion: Config.Version,
    Interval: wanted.interval,
    Duration: wanted.duration,
    Targets: wanted.targets,
    ...(failures.length > 0 && { NotCaptured: failures }),
  };
  return `${JSON.stringify(index, undefined, 2)}\n`;
}
