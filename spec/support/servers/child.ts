/** Processes of a spec's own, each of which is ended with the spec that started it. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export interface ChildOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A command that the process is run under, with its arguments: strace. */
  readonly under?: readonly string[];
}

/** A script of spec/support, run by itself, and the lines that it says. */
export class Child {
  /** All that it has said so far, line by line. */
  readonly lines: string[] = [];
  /** Resolves with its exit code, or null after a signal, when all that it said has come. */
  readonly ended: Promise<number | null>;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #isUnder: boolean;
  #onLine: (line: string) => void = () => undefined;

  constructor(script: URL, { args = [], env = {}, under = [] }: ChildOptions = {}) {
    this.#isUnder = under.length > 0;
    const path = fileURLToPath(script);
    const command = [...under, process.execPath, '--import', 'tsx', path, ...args];
    this.#process = spawn(command[0] ?? '', command.slice(1), {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: '/usr/bin:/bin', ...env },
      detached: this.#isUnder,
    });
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      this.lines.push(line);
      this.#onLine(line);
    });
    this.ended = new Promise((resolve) => {
      this.#process.on('close', (code) => resolve(code));
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    // What strace runs outlives strace: it gets the signal too, as one of its group.
    if (this.#isUnder && this.#process.exitCode === null) process.kill(-this.pid, signal);
    else this.#process.kill(signal);
  }

  /** Calls `fn` with each line that it says from now on. */
  onLine(fn: (line: string) => void): void {
    this.#onLine = fn;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}

let children: Child[] = [];

/** Starts a script of spec/support; it is killed when the spec ends. */
export function startChild(script: URL, options?: ChildOptions): Child {
  const child = new Child(script, options);
  children.push(child);
  return child;
}

if (typeof afterEach === 'function') {
  afterEach(async () => {
    const left = children;
    children = [];
    await Promise.all(left.map((child) => child.kill()));
  });
}
