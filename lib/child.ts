/** Programs that are run for a user: by a command, by a watch, by a notice. */
import { type ChildProcess, type SpawnOptions, type StdioOptions, spawn } from 'node:child_process';
import { PassThrough, type Readable } from 'node:stream';
import { ProconsulError } from './errors.ts';
import { OutputTail } from './output-tail.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Program {
  readonly words: readonly string[];
  /** Run the words as one line of a shell: $SHELL, or /bin/sh. */
  readonly shell: boolean;
  readonly env: Environment;
}

export interface ChildOptions extends Program {
  /**
   * What it reads; its own standard input stays closed where this is undefined. `open`: nothing, and no end of
   * it as long as this process is there.
   */
  readonly input?: string | 'inherit' | 'open';
  /** Either may tell the other something. */
  readonly isTold?: boolean;
}

/** Starts it with the output of this process. */
export function startChild({ input, isTold, ...program }: ChildOptions): ChildProcess {
  const channel = isTold === true ? (['ipc'] as const) : [];
  const child = begin(program, [stdinOf(input), 'inherit', 'inherit', ...channel]);
  if (input !== undefined && input !== 'inherit' && input !== 'open') feed(child, input);
  return child;
}

/** Another of this program, that may be told things, and lives on when this one ends. */
export function startSuccessor(words: readonly string[], env: Environment): ChildProcess {
  return begin({ words, shell: false, env }, ['inherit', 'inherit', 'inherit', 'ipc']);
}

export interface Ended {
  /** '' when all went well, else what went wrong. */
  readonly fault: string;
  readonly output: string;
  /** False where the fault is that there is no such program, or it could not be begun. */
  readonly hasRun: boolean;
}

/** A program with all that it starts, and what they say. */
export interface Group {
  /** Both outputs in one; what nobody reads keeps the program waiting. */
  readonly output: Readable;
  /** -1 after a signal, as Go says it. Rejects with ProconsulError 'rejected' where there is no such program. */
  readonly exitCode: Promise<number>;
  kill(): void;
}

/** Starts it with nothing to read. Throws for words that no program can be given. */
export function startGroup(program: Program): Group {
  const child = begin(program, ['ignore', 'pipe', 'pipe'], true);
  const output = new PassThrough();
  for (const stream of [child.stdout, child.stderr]) stream?.pipe(output, { end: false });
  const exitCode = new Promise<number>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new ProconsulError('rejected', cause.message, { cause })),
    );
    child.once('close', (code) => resolve(code ?? -1));
  });
  const end = () => void output.end();
  // Handled by whoever awaits it; here it only ends the output.
  exitCode.then(end, end);
  return { output, exitCode, kill: () => killGroup(child) };
}

export interface Quietly {
  readonly input: string;
  readonly maxOutputBytes: number;
  /** Kills it with all that it has started; without one it runs as long as it likes. */
  readonly signal?: AbortSignal;
}

/** Runs it to its end, and keeps the end of what it says. */
export async function runQuietly(
  program: Program,
  { input, maxOutputBytes, signal }: Quietly,
): Promise<Ended> {
  const tail = new OutputTail(maxOutputBytes);
  let child: ChildProcess;
  try {
    // A group of its own, so that what it started ends with it.
    child = begin(program, ['pipe', 'pipe', 'pipe'], signal !== undefined);
  } catch (error) {
    // Such as a word with a zero byte, or an environment that is too long.
    const fault = error instanceof Error ? error.message : String(error);
    return { fault, output: '', hasRun: false };
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (part: Buffer) => tail.push(part));
    stream?.on('error', () => undefined);
  }
  feed(child, input);
  const kill = () => killGroup(child);
  signal?.addEventListener('abort', kill, { once: true });
  const fault = await childFault(child);
  signal?.removeEventListener('abort', kill);
  return { fault, output: tail.captured, hasRun: child.pid !== undefined };
}

/** Resolves when it has ended: with '' when all went well, else with what went wrong. */
export function childFault(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => {
      if (signal !== null) resolve(`signal: ${signal}`);
      else resolve(code === 0 ? '' : `exit status ${code}`);
    });
  });
}

function begin(
  { words, shell, env }: Program,
  stdio: StdioOptions,
  detached = false,
): ChildProcess {
  const [program = '', ...args] = shell
    ? [env['SHELL'] || '/bin/sh', '-c', words.join(' ')]
    : words;
  const options: SpawnOptions = { env: { ...env }, stdio, detached };
  return spawn(program, args, options);
}

/** What has left the group lives on, and holds the pipes: ours are closed, or this would never end. */
function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
  child.stdout?.destroy();
  child.stderr?.destroy();
}

/** A child that does not read what it is given is no failure. */
function feed(child: ChildProcess, input: string): void {
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
}

function stdinOf(input: ChildOptions['input']): 'ignore' | 'inherit' | 'pipe' {
  if (input === undefined) return 'ignore';
  return input === 'inherit' ? 'inherit' : 'pipe';
}

/** The words that begin this program: by Node, or all of it in one file. */
export function thisProgram(): readonly string[] {
  const { argv, execPath, execArgv } = process;
  const [, script = ''] = argv;
  return script === execPath ? [execPath] : [execPath, ...execArgv, script];
}
