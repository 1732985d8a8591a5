/** Runs a command line in this process: reads the environment, and says how the process ends. */
import type { Environment } from '../lib/child.ts';
import { wrap } from '../lib/config/flags.ts';
import { runCommand } from './run-command.ts';

export async function run(words: readonly string[], env: Environment): Promise<void> {
  const isVersion = /^--?(v|version)$/.test(words[0] ?? '');
  // Whoever reads has seen enough, as `head` has: what is left has no use.
  process.stdout.once('error', () => process.exit(1));
  process.exitCode = await runCommand(isVersion ? ['version', ...words.slice(1)] : words, {
    env,
    print: (text) => void process.stdout.write(text),
    printError: (text) => void process.stderr.write(text),
    progress,
    hint,
    readStdin,
    // Made when it is first asked for: a command that waits for nothing else just ends.
    get signal() {
      return endSignal();
    },
  });
}

/** Beside what is printed, so that it is in no pipe. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}

function hint(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\n${wrap(text, '  ')}`);
}

async function readStdin(): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

let ending: AbortSignal | undefined;

function endSignal(): AbortSignal {
  if (ending === undefined) {
    const controller = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => controller.abort());
    }
    ending = controller.signal;
  }
  return ending;
}
