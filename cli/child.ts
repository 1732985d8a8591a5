/** Programs that a command runs for its user. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type { CommandHost } from './command.ts';

export interface ChildOptions {
  readonly words: readonly string[];
  /** Run the words as one line of a shell: $SHELL, or /bin/sh. */
  readonly shell: boolean;
  /** What it reads; its own standard input stays closed where this is undefined. */
  readonly input?: string | 'inherit';
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts it with the output of this process. */
export function startChild(host: CommandHost, { words, shell, input, env }: ChildOptions) {
  const [program = '', ...args] = shell
    ? [host.env['SHELL'] || '/bin/sh', '-c', words.join(' ')]
    : words;
  const options: SpawnOptions = {
    env: { ...host.env, ...env },
    stdio: [stdinOf(input), 'inherit', 'inherit'],
  };
  const child = spawn(program, args, options);
  // A child that does not read what it is given is no failure.
  child.stdin?.on('error', () => undefined);
  if (input !== undefined && input !== 'inherit') child.stdin?.end(input);
  return child;
}

function stdinOf(input: ChildOptions['input']): 'ignore' | 'inherit' | 'pipe' {
  if (input === undefined) return 'ignore';
  return input === 'inherit' ? 'inherit' : 'pipe';
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
