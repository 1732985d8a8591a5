/** A folder of archives that are named by when they were saved; what else is in there is left alone. */
import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { messageOf, ProconsulError } from '../lib/errors.ts';

/** As Consul's names: nanoseconds since 1970. */
const NAME = /^consul-(\d{16,20})\.snap$/;
const NS_PER_MS = 1_000_000n;

export class SnapshotFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  fileOf(ms: number): string {
    return join(this.#path, `consul-${BigInt(Math.round(ms)) * NS_PER_MS}.snap`);
  }

  /** Milliseconds since 1970; 0 where there is none. Throws for a folder that cannot be read. */
  newestAt(): number {
    const newest = this.#names().at(-1);
    const [, ns = '0'] = NAME.exec(newest ?? '') ?? [];
    return Number(BigInt(ns) / NS_PER_MS);
  }

  /**
   * Keeps the newest so many of those up to the file, 0 all; resolves with how many went. Those of a time
   * to come, which a clock that was wrong left, stay: counted, they would have each new one removed.
   */
  async keep(count: number, file: string): Promise<number> {
    const known = this.#names();
    const upTo = known.slice(0, known.indexOf(basename(file)) + 1);
    const old = count === 0 ? [] : upTo.slice(0, -count);
    try {
      // Another agent that keeps the same folder in order may have been here first.
      for (const name of old) await rm(join(this.#path, name), { force: true });
    } catch (cause) {
      throw new ProconsulError('invalid', `Error removing what is old: ${messageOf(cause)}`, {
        cause,
      });
    }
    return old.length;
  }

  /** The oldest first. */
  #names(): readonly string[] {
    try {
      const entries = readdirSync(this.#path, { withFileTypes: true });
      const names = entries
        .filter((entry) => entry.isFile() && NAME.test(entry.name))
        .map(({ name }) => name);
      return names.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
    } catch (cause) {
      throw new ProconsulError('invalid', `Error reading ${this.#path}: ${messageOf(cause)}`, {
        cause,
      });
    }
  }
}
