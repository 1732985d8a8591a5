import type { Terminal } from '../../../cli/terminal.ts';

/** The command line without a process: what it printed and its exit code. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What a person would be told beside. */
  /** Where there are any: on a terminal alone. */
  readonly hints?: readonly string[];
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  /** Undefined for a pipe. */
  readonly terminal?: Terminal;
}

export async function runWords(
  words: readonly string[],
  { env = {}, stdin = '', signal = new AbortController().signal, terminal }: Surroundings = {},
): Promise<Ran> {
  // Loaded as the commands are, by `import()`: mocha's own way of loading would make a second copy
  // of every module, and of the class that errors are known by.
  const { runCommand } = await import('../../../cli/run-command.ts');
  const out: Buffer[] = [];
  const err: string[] = [];
  const hints: string[] = [];
  const code = await runCommand(words, {
    env,
    print: (text) => void out.push(Buffer.from(text)),
    unread: () => 0,
    unwritten: () => 0,
    printError: (text) => void err.push(text),
    fail: (text) => void err.push(text),
    terminal,
    progress: () => undefined,
    hint: (text) => void hints.push(text),
    onRenewal: () => undefined,
    readStdin: async () => Buffer.from(stdin),
    signal,
  });
  return {
    code,
    out: Buffer.concat(out).toString(),
    err: err.join(''),
    ...(hints.length > 0 && { hints }),
  };
}

/** Against the agent or server on this port of this machine. */
export function commandLineOf(port: number) {
  const env = { CONSUL_HTTP_ADDR: `127.0.0.1:${port}` };
  return (words: string, { stdin = '', ...more }: Surroundings = {}) =>
    runWords(words.split(' '), { stdin, ...more, env: { ...env, ...more.env } });
}
