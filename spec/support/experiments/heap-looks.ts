/** How much is alive in the heap of a process, once its garbage is collected. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../until.ts';

interface Process {
  readonly pid: number;
  signal(signal: 'SIGUSR2'): void;
}

export class HeapLooks {
  /** Of each process that is to be looked at. */
  readonly nodeOptions: string;
  readonly #folder: string;

  /** In a folder of its own within this one. */
  constructor(folder: string) {
    this.#folder = join(folder, 'looks');
    mkdirSync(this.#folder);
    const collector = new URL('./collect-on-signal.mjs', import.meta.url);
    this.nodeOptions = `--import=${collector}?looks=${this.#folder}`;
  }

  /** In bytes, what buffers hold too. */
  async at(process: Process): Promise<number> {
    const file = join(this.#folder, `${process.pid}`);
    rmSync(file, { force: true });
    process.signal('SIGUSR2');
    const read = () => JSON.parse(readFileSync(file, 'utf8')) as { heap: number };
    await until(
      () => {
        try {
          return read().heap > 0;
        } catch {
          return false;
        }
      },
      () => 'it tells nothing of its heap',
      MAX_WAIT_MS,
    );
    return read().heap;
  }
}

/** A large heap on a machine that is busy. */
const MAX_WAIT_MS = 60_000;
