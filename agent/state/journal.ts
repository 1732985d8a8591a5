/**
 * What an agent remembers over a restart: named values in one file of lines, each written at its
 * end. Many changes at once cost one write. A line counts once it is whole, so a crash in the
 * middle of one loses just that one, which nobody was told of.
 */
import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';

/** Rewritten when it is this large and most of it is about the past. */
const MIN_COMPACTION_CHARS = 1024 * 1024;
/** So many values are written before others get their turn. */
const COMPACTED_IN_ONE_GO = 500;
const MODE = 0o600;

type Line = readonly [key: string] | readonly [key: string, value: unknown];

/** Where named values are kept; `set` and `delete` are on disk once `flush` resolves. */
export interface Memory {
  readonly values: ReadonlyMap<string, unknown>;
  set(key: string, value: unknown): void;
  delete(key: string): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** For an agent without a data folder: remembers nothing. */
export const noMemory: Memory = {
  values: new Map(),
  set: () => undefined,
  delete: () => undefined,
  flush: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

export class Journal implements Memory {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #values: Map<string, unknown>;
  #file: FileHandle;
  /** How long each value's line is, and all of them together; and how long the file is. */
  readonly #lengths = new Map<string, number>();
  #liveChars = 0;
  #fileChars = 0;
  #pending = '';
  #writing: Promise<void> | undefined;

  private constructor(
    path: string,
    logger: Logger,
    values: Map<string, unknown>,
    file: FileHandle,
  ) {
    this.#path = path;
    this.#logger = logger;
    this.#values = values;
    this.#file = file;
  }

  static async open(path: string, logger: Logger): Promise<Journal> {
    await mkdir(dirname(path), { recursive: true });
    const values = await read(path, logger);
    const journal = new Journal(path, logger, values, await open(path, 'a', MODE));
    await journal.#compact();
    return journal;
  }

  get values(): ReadonlyMap<string, unknown> {
    return this.#values;
  }

  set(key: string, value: unknown): void {
    this.#values.set(key, value);
    this.#append([key, value]);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#append([key]);
  }

  /** All that was set so far is written; rejects when that failed. */
  async flush(): Promise<void> {
    while (this.#pending !== '') {
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined;
      });
      await this.#writing;
    }
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.flush().catch((error: unknown) => this.#complain(error));
    await this.#file.sync().catch((error: unknown) => this.#complain(error));
    await this.#file.close();
  }

  #append(line: Line): void {
    const idle = this.#pending === '' && this.#writing === undefined;
    const text = `${JSON.stringify(line)}\n`;
    this.#measure(line, text.length);
    this.#pending += text;
    // What nobody waits for, such as a check's status, is written all the same.
    if (idle) setImmediate(() => void this.flush().catch((e: unknown) => this.#complain(e)));
  }

  async #write(): Promise<void> {
    const lines = this.#pending;
    this.#pending = '';
    try {
      await this.#file.appendFile(lines);
    } catch (cause) {
      throw new ProconsulError('rejected', 'failed persisting to data_dir', { cause });
    }
    this.#fileChars += lines.length;
    if (this.#fileChars > Math.max(MIN_COMPACTION_CHARS, 2 * this.#liveChars)) {
      await this.#compact();
    }
  }

  #measure([key, ...value]: Line, chars: number): void {
    this.#liveChars -= this.#lengths.get(key) ?? 0;
    if (value.length === 0) this.#lengths.delete(key);
    else {
      this.#lengths.set(key, chars);
      this.#liveChars += chars;
    }
  }

  /** Writes the values alone into a new file, which takes the place of the old one at once. */
  async #compact(): Promise<void> {
    const next = `${this.#path}.new`;
    const file = await open(next, 'w', MODE);
    // As they are now; what is set from now on is written behind them, into the new file.
    const entries = [...this.#values];
    let chars = 0;
    for (let at = 0; at < entries.length; at += COMPACTED_IN_ONE_GO) {
      const lines = entries.slice(at, at + COMPACTED_IN_ONE_GO).map((entry) => {
        const line = `${JSON.stringify(entry)}\n`;
        if (!this.#lengths.has(entry[0])) this.#measure(entry, line.length);
        return line;
      });
      const text = lines.join('');
      chars += text.length;
      await file.appendFile(text);
    }
    await file.sync();
    await rename(next, this.#path);
    await this.#file.close();
    this.#file = file;
    this.#fileChars = chars;
  }

  #complain(error: unknown): void {
    this.#logger.error(`agent: ${this.#path}: ${describeChain(error)}`);
  }
}

async function read(path: string, logger: Logger): Promise<Map<string, unknown>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const values = new Map<string, unknown>();
  const lines = text.split('\n');
  // After the last line's end nothing comes; if something does, its write was cut off.
  if (lines.pop() !== '') logger.warn(`agent: ${path}: dropped a line that was cut off`);
  for (const line of lines) {
    const [key, ...value] = JSON.parse(line) as Line;
    if (value.length === 0) values.delete(key);
    else values.set(key, value[0]);
  }
  return values;
}
