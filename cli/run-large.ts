/** Runs an agent, or one of the commands that a built program does not have in its first file. */
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Environment } from '../lib/child.ts';
import { ProconsulError } from '../lib/errors.ts';
import { run as runWords } from './run-words.ts';

/** What is run is dist/proconsul.cjs; what a user types is beside that folder, or is all of it in one file. */
const [, SCRIPT = ''] = process.argv;
const PROGRAM = SCRIPT === process.execPath ? SCRIPT : join(dirname(SCRIPT), '../bin/proconsul');

export async function run(words: readonly string[], env: Environment): Promise<void> {
  const [command, ...argv] = words;
  const line = env['COMP_LINE'];
  if (line !== undefined) await showCandidates(line, Number(env['COMP_POINT'] ?? line.length));
  else if (command === 'agent') await runAgent(argv, env);
  else if (/^-autocomplete-(un)?install$/.test(command ?? ''))
    await completeFrom(command === '-autocomplete-install');
  else await runWords(words, env);
}

/** As bash asks: the whole line, and where in it the cursor is. */
async function showCandidates(line: string, point: number): Promise<void> {
  const { candidates } = await import('./completion/candidates.ts');
  const found = await candidates(line.slice(0, point));
  process.stdout.write(found.map((each) => `${each}\n`).join(''));
}

async function completeFrom(installs: boolean): Promise<void> {
  const { install, uninstall } = await import('./completion/install.ts');
  try {
    const files = (installs ? install : uninstall)(homedir(), PROGRAM);
    const what = installs ? 'completes commands from a new shell on' : 'taken out of';
    process.stdout.write(
      files.length === 0 ? 'nothing to change\n' : `${what}: ${files.join(', ')}\n`,
    );
  } catch (error) {
    if (!(error instanceof ProconsulError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

async function runAgent(argv: readonly string[], env: Environment): Promise<void> {
  const { shownWords } = await import('./shown-words.ts');
  const shown = shownWords(['proconsul', 'agent', ...argv]);
  if (shown !== undefined) process.title = shown;
  // Only here: the other commands start in a fraction of the time without it.
  const { agentCommand } = await import('./commands/agent.ts');
  await agentCommand(argv, {
    redisUrl: env['PROCONSUL_REDIS_URL'],
    dockerHost: env['DOCKER_HOST'],
    env,
    idleVariables: [
      'CONSUL_LOCAL_CONFIG',
      'CONSUL_BIND_INTERFACE',
      'CONSUL_CLIENT_INTERFACE',
      'CONSUL_CONFIG_DIR',
      'CONSUL_DATA_DIR',
    ].filter((name) => env[name]),
    print: (text) => void process.stdout.write(text),
    exit: (code) => process.exit(code),
    onSignal: (signal, act) => void process.on(signal, act),
  });
}
