/**
 * What an agent keeps over a restart: named values in one file of lines, each written behind the last.
 * Many changes at once cost one write. A line counts once it is whole and on the disk. When a write
 * fails, what it left behind is cut off, whoever waits for it is told, and it is tried again until it
 * succeeds: the values in here are what the file comes to, sooner or later.
 */
import { dirname } from 'node:path';
import type { Cancel, Clock } from '../../lib/clock.ts';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import { decodeOwnJson, encodeOwnJson, encodePlainJson } from '../../lib/json.ts';
import type { Logger } from '../../lib/logger.ts';
import { readsBack } from '../../lib/reads-back.ts';
import { isSealed } from '../../lib/seal/box.ts';
import { nodeFiles, type ValueFileHandle, type ValueFiles } from './value-files.ts';

/** Rewritten when it is this large and most of it is about the past. */
const MIN_COMPACTION_BYTES = 1024 * 1024;
/**
 * How far the file grows at a time: a write is on the disk sooner where the file need not grow for it. Behind the
 * lines stand zeros, which are taken for a line that was cut off.
 */
const GROWTH_BYTES = 256 * 1024;
/** So many values are written before others get their turn. */
const COMPACTED_IN_ONE_GO = 500;
/** How long a change may wait for others when nobody waits for it. */
const UNASKED_MS = 100;
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;

type Line = readonly [key: string] | readonly [key: string, value: unknown];

/** Where named values are kept; `set` and `delete` are on disk once `flush` resolves. */
export interface KeptValues {
  readonly values: ReadonlyMap<string, unknown>;
  set(key: string, value: unknown): void;
  delete(key: string): void;
  /** All that was set so far is on the disk; rejects when that failed, and is tried again. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** For an agent without a data folder: keeps nothing. */
export const nothingKept: KeptValues = {
  values: new Map(),
  set: () => undefined,
  delete: () => undefined,
  flush: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** What a line looks like on the disk, and back: one line of it too. */
export interface LineSeal {
  seal(line: string): string;
  /** Takes what is not sealed as it is. Throws where it does not open. */
  open(line: string): string;
}

/** Without a key. */
const UNSEALED: LineSeal = {
  seal: (line) => line,
  open(line) {
    if (!isSealed(line)) return line;
    throw new ProconsulError('invalid', 'it is sealed, and this agent has no key (encrypt)');
  },
};

export interface ValueFileOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly files?: ValueFiles;
  readonly seal?: LineSeal | undefined;
}

export class ValueFile implements KeptValues {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #files: ValueFiles;
  readonly #seal: LineSeal;
  readonly #values: Map<string, unknown>;
  #file: ValueFileHandle;
  /** The file is whole up to here. */
  #fileBytes: number;
  /** How far it goes. */
  #allocated: number;
  /** The disk had room for more than was to be written, since the file was made last. */
  #hasRoom = true;
  /** Something stands behind what is whole: it goes before anything is written. */
  #torn = false;
  /** Its name may not be on the disk: a crash could bring back the file before it, or none. */
  #nameDue = true;
  /** How long each value's line is, and all of them together. */
  readonly #lengths = new Map<string, number>();
  #liveBytes = 0;
  #compactAt = MIN_COMPACTION_BYTES;
  /** What the file does not say yet, by key: of many changes of one the last is enough. */
  readonly #pending = new Map<string, string>();
  #writing: Promise<void> | undefined;
  #retryMs = FIRST_RETRY_MS;
  #cancelNext: Cancel | undefined;

  private constructor(
    path: string,
    { logger, clock, files = nodeFiles, seal = UNSEALED }: ValueFileOptions,
    read: Contents,
    file: ValueFileHandle,
  ) {
    this.#path = path;
    this.#logger = logger;
    this.#clock = clock;
    this.#files = files;
    this.#seal = seal;
    this.#values = read.values;
    this.#fileBytes = read.wholeBytes;
    this.#allocated = read.wholeBytes;
    this.#torn = read.isTorn;
    this.#file = file;
    for (const entry of read.values) this.#measure(entry, Buffer.byteLength(this.#lineOf(entry)));
  }

  /** Never fails for what is in the file: a damaged line is skipped, and said. */
  static async open(path: string, options: ValueFileOptions): Promise<ValueFile> {
    const { files = nodeFiles, logger, seal = UNSEALED } = options;
    await files.makeFolder(dirname(path));
    const damaged = (line: number) =>
      logger.error(`agent: ${path}: line ${line} is damaged: what it said is lost`);
    const contents = parse(await files.read(path), seal, damaged);
    const kept = new ValueFile(path, options, contents, await files.open(path));
    // On a full disk it cannot, and need not, be shorter.
    await kept.#compact().catch((error: unknown) => kept.#complain(error));
    return kept;
  }

  get values(): ReadonlyMap<string, unknown> {
    return this.#values;
  }

  set(key: string, value: unknown): void {
    this.#values.set(key, value);
    this.#change([key, value]);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#change([key]);
  }

  async flush(): Promise<void> {
    while (this.#pending.size > 0) {
      // In a turn of its own: what comes in together goes out together.
      this.#writing ??= new Promise((resolve) => setImmediate(resolve))
        .then(() => this.#write())
        .finally(() => {
          this.#writing = undefined;
        });
      await this.#writing;
    }
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.flush().catch((error: unknown) => this.#complain(error));
    this.#cancelNext?.();
    // For whoever reads it; it can be read as it is.
    if (this.#allocated > this.#fileBytes) await this.#cut().catch(() => undefined);
    await this.#file.close();
  }

  #change(line: Line): void {
    const text = this.#lineOf(line);
    this.#measure(line, Buffer.byteLength(text));
    // Behind what was set before: a check never stands in the file without its service.
    this.#pending.delete(line[0]);
    this.#pending.set(line[0], text);
    // What nobody waits for, such as a check's status, is written all the same, many at once: each
    // write waits for the disk.
    this.#cancelNext ??= this.#clock.after(UNASKED_MS, () => this.#flushUnasked());
  }

  #flushUnasked(): void {
    this.#cancelNext = undefined;
    // It has been said by then, and is tried again.
    this.flush().catch(() => undefined);
  }

  async #write(): Promise<void> {
    const lines = [...this.#pending];
    const text = Buffer.from(lines.map(([, line]) => line).join(''));
    this.#pending.clear();
    try {
      await this.#put(text);
      await this.#syncName();
    } catch (cause) {
      // What was set in the meantime is newer.
      const newer = [...this.#pending];
      this.#pending.clear();
      for (const [key, line] of [...lines, ...newer]) this.#pending.set(key, line);
      this.#failed(cause);
      throw new ProconsulError('rejected', 'failed persisting to data_dir', { cause });
    }
    this.#torn = false;
    this.#fileBytes += text.length;
    this.#retryMs = FIRST_RETRY_MS;
    if (this.#fileBytes > Math.max(this.#compactAt, 2 * this.#liveBytes)) {
      await this.#compact().catch((error: unknown) => this.#complain(error));
    }
  }

  async #put(text: Buffer): Promise<void> {
    const bytes = this.#hasRoom && !this.#torn ? this.#withRoom(text) : text;
    if (this.#torn) await this.#cut();
    this.#torn = true;
    try {
      await this.#file.write(bytes, this.#fileBytes);
      await this.#file.sync();
    } catch (error) {
      if (bytes === text) throw error;
      // A disk that has no room for zeros may have it for what must be there.
      this.#hasRoom = false;
      await this.#put(text);
      return;
    }
    this.#allocated = Math.max(this.#allocated, this.#fileBytes + bytes.length);
  }

  /** Where the file must grow for it: with zeros behind it, in the same write. */
  #withRoom(text: Buffer): Buffer {
    const end = this.#fileBytes + text.length;
    if (end <= this.#allocated) return text;
    const allocated = Math.ceil(end / GROWTH_BYTES) * GROWTH_BYTES;
    const bytes = Buffer.alloc(allocated - this.#fileBytes);
    text.copy(bytes);
    return bytes;
  }

  async #cut(): Promise<void> {
    await this.#file.truncate(this.#fileBytes);
    this.#allocated = this.#fileBytes;
  }

  #failed(cause: unknown): void {
    this.#complain(cause);
    this.#cancelNext?.();
    this.#cancelNext = this.#clock.after(this.#retryMs, () => this.#flushUnasked());
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS);
  }

  #lineOf(line: Line): string {
    const text = readsBack(line) ? encodePlainJson(line) : encodeOwnJson(line);
    return `${this.#seal.seal(text)}\n`;
  }

  #measure([key, ...value]: Line, bytes: number): void {
    this.#liveBytes -= this.#lengths.get(key) ?? 0;
    if (value.length === 0) this.#lengths.delete(key);
    else {
      this.#lengths.set(key, bytes);
      this.#liveBytes += bytes;
    }
  }

  /**
   * Writes the values alone into a new file, which takes the place of the old one at once. If that
   * fails the old one stays as it is, and is rewritten once it has grown by as much again.
   */
  async #compact(): Promise<void> {
    this.#compactAt = this.#fileBytes + MIN_COMPACTION_BYTES;
    const next = `${this.#path}.new`;
    const file = await this.#files.create(next);
    let bytes = 0;
    try {
      // As they are now; what is set from now on is written behind them, into the new file.
      const entries = [...this.#values];
      for (let at = 0; at < entries.length; at += COMPACTED_IN_ONE_GO) {
        const lines = entries.slice(at, at + COMPACTED_IN_ONE_GO);
        const text = Buffer.from(lines.map((entry) => this.#lineOf(entry)).join(''));
        await file.write(text, bytes);
        bytes += text.length;
      }
      await file.sync();
      await this.#files.rename(next, this.#path);
    } catch (error) {
      // On a full disk it would take the room that the next line needs.
      await file.close().catch(() => undefined);
      await this.#files.remove(next).catch(() => undefined);
      throw error;
    }
    const old = this.#file;
    this.#file = file;
    this.#fileBytes = bytes;
    this.#allocated = bytes;
    this.#hasRoom = true;
    this.#torn = false;
    this.#nameDue = true;
    this.#compactAt = MIN_COMPACTION_BYTES;
    await old.close().catch((error: unknown) => this.#complain(error));
    await this.#syncName();
  }

  async #syncName(): Promise<void> {
    if (!this.#nameDue) return;
    await this.#files.syncFolder(dirname(this.#path));
    this.#nameDue = false;
  }

  #complain(error: unknown): void {
    this.#logger.error(`agent: ${this.#path}: ${describeChain(error)}`);
  }
}

interface Contents {
  readonly values: Map<string, unknown>;
  /** Up to the end of the last line; behind it may be one that was cut off. */
  readonly wholeBytes: number;
  readonly isTorn: boolean;
}

function parse(bytes: Buffer, seal: LineSeal, damaged: (line: number) => void): Contents {
  const values = new Map<string, unknown>();
  const wholeBytes = bytes.lastIndexOf('\n') + 1;
  const lines = bytes.toString('utf8', 0, wholeBytes).split('\n').slice(0, -1);
  lines.forEach((text, at) => {
    const line = parseLine(text, seal);
    if (line === undefined) damaged(at + 1);
    else if (line.length === 1) values.delete(line[0]);
    else values.set(line[0], line[1]);
  });
  return { values, wholeBytes, isTorn: wholeBytes < bytes.length };
}

function parseLine(text: string, seal: LineSeal): Line | undefined {
  try {
    const line: unknown = decodeOwnJson(seal.open(text));
    const isLine = Array.isArray(line) && typeof line[0] === 'string' && line.length <= 2;
    return isLine ? (line as unknown as Line) : undefined;
  } catch (error) {
    // Nothing is damaged: somebody has to give this agent its key.
    if (error instanceof ProconsulError && error.code === 'invalid') throw error;
    return undefined;
  }
}
