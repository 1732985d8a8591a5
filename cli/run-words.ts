/** Runs a command line in this process: reads the environment, and says how the process ends. */
import { fstatSync, writeSync } from 'node:fs';
import type { Environment } from '../lib/child.ts';
import { wrap } from '../lib/config/flags.ts';
import { ProconsulError } from '../lib/errors.ts';
import { goFileError } from '../lib/go-error.ts';
import { outlivesOutput, unwritten } from '../lib/standard-output.ts';
import { runCommand } from './run-command.ts';
import { failing, shownOn, type Terminal } from './terminal.ts';

const DEFAULT_COLUMNS = 80;
const STDIN = 0;
const STDERR = 2;

export async function run(words: readonly string[], env: Environment): Promise<void> {
  const isVersion = /^--?(v|version)$/.test(words[0] ?? '');
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (outlivesOutput()) return;
    // Whoever reads has seen enough, as `head` has: what is left has no use.
    if (code !== 'EPIPE') writeSync(STDERR, `Error writing the output: ${message}\n`);
    process.exit(1);
  });
  process.exitCode = await runCommand(isVersion ? ['version', ...words.slice(1)] : words, {
    env,
    print: (text) => void process.stdout.write(as(terminalOf(process.stdout, env), text)),
    unread: () => process.stdout.writableLength,
    unwritten,
    printError: (text) => void process.stderr.write(as(terminalOf(process.stderr, env), text)),
    fail: (text) => {
      const terminal = terminalOf(process.stderr, env);
      process.stderr.write(as(terminal, terminal === undefined ? text : failing(text)));
    },
    // Each stream is opened when it is first used, which takes milliseconds.
    get terminal() {
      return terminalOf(process.stdout, env);
    },
    progress,
    hint,
    readStdin,
    // Made when it is first asked for: a command that waits for nothing else just ends.
    get signal() {
      return endSignal();
    },
    onRenewal: (tell) => void process.on('SIGUSR2', tell),
  });
}

function terminalOf(stream: NodeJS.WriteStream, env: Environment): Terminal | undefined {
  if (!stream.isTTY) return undefined;
  return {
    // Some say that they have none, as one whose size nobody has set.
    columns: stream.columns || DEFAULT_COLUMNS,
    hasColours: !env['NO_COLOR'] && env['TERM'] !== 'dumb',
  };
}

let decoder: InstanceType<typeof TextDecoder> | undefined;

/** What a pipe is given as it is, and a terminal as it may have it. */
function as(terminal: Terminal | undefined, text: string | Buffer): string | Buffer {
  if (terminal === undefined) return text;
  return shownOn(terminal, typeof text === 'string' ? text : decoded(text));
}

/** A value's bytes may come in parts. */
function decoded(bytes: Buffer): string {
  // Made when it is needed: in a pipe none is.
  decoder ??= new TextDecoder();
  return decoder.decode(bytes, { stream: true });
}

/** Beside what is printed, so that it is in no pipe; in one row, for only that is taken away again. */
function progress(line: string): void {
  const { isTTY, columns } = process.stderr;
  if (isTTY) process.stderr.write(`\r\x1b[K${line.slice(0, (columns || DEFAULT_COLUMNS) - 1)}`);
}

function hint(text: string): void {
  const { isTTY, columns } = process.stderr;
  if (isTTY) process.stderr.write(`\n${wrap(text, '  ', (columns || DEFAULT_COLUMNS) - 1)}`);
}

/** One that cannot be read is not taken for an empty one, which would then be written. */
async function readStdin(signal?: AbortSignal): Promise<Buffer> {
  const parts: Buffer[] = [];
  signal?.addEventListener('abort', () => process.stdin.destroy(), { once: true });
  try {
    if (fstatSync(STDIN).isDirectory()) throw new Error('read: is a directory');
    for await (const part of process.stdin as AsyncIterable<Buffer>) parts.push(part);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const why = `Error! Failed to read stdin: ${goFileError(cause)}`;
    throw new ProconsulError('invalid', why, { cause });
  }
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
