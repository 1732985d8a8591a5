/** The file that the log goes to beside the console, in pieces that are named as Consul's are. */
import { type FileHandle, open, readdir, unlink } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { Writable } from 'node:stream';
import type { Clock } from './clock.ts';
import { ProconsulError } from './errors.ts';
import { makeFolder } from './make-folder.ts';

const DEFAULT_NAME = 'proconsul';
const DEFAULT_MAX_AGE_MS = 24 * 3_600_000;
/** Whoever may read the log sees what the agent does, so not everybody may. */
const MODE = 0o640;
/** A disk that stands still must not fill the memory: lines beyond it are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;

export interface LoggerFileOptions {
  /** As `log_file`: a folder with a slash at its end, or a file whose name gets the time put in. */
  readonly path: string;
  /** 0: however large. */
  readonly maxBytes: number;
  /** 0: a day. */
  readonly maxAgeMs: number;
  /** How many older pieces are kept: 0 for all, -1 for none. */
  readonly maxFiles: number;
  readonly clock: Clock;
}

export class LoggerFile extends Writable {
  readonly #options: LoggerFileOptions;
  readonly #folder: string;
  readonly #name: string;
  readonly #extension: string;
  #piece: { handle: FileHandle; bytes: number; beganMs: number } | undefined;

  private constructor(options: LoggerFileOptions) {
    super({ decodeStrings: true });
    const isFolder = options.path.endsWith('/');
    const { dir, name, ext } = parse(options.path);
    this.#options = options;
    this.#folder = isFolder ? options.path : dir;
    this.#name = isFolder ? DEFAULT_NAME : name;
    this.#extension = isFolder ? '.log' : ext || '.log';
  }

  /** Rejects where the first piece cannot be opened: a log that is not there helps nobody. */
  static async open(options: LoggerFileOptions): Promise<LoggerFile> {
    const file = new LoggerFile(options);
    try {
      await file.#next();
    } catch (cause) {
      throw new ProconsulError('invalid', `log_file ${options.path} cannot be written`, { cause });
    }
    return file;
  }

  override _write(line: Buffer, _encoding: string, done: () => void): void {
    if (this.writableLength > MAX_WAITING_BYTES) {
      done();
      return;
    }
    // The console has the line too: a full disk is no reason to end.
    this.#append(line).then(done, () => done());
  }

  override _final(done: () => void): void {
    const closed = this.#piece?.handle.close() ?? Promise.resolve();
    closed.then(done, () => done());
  }

  async #append(line: Buffer): Promise<void> {
    const { clock, maxBytes, maxAgeMs } = this.#options;
    const piece = this.#piece;
    const isOld =
      piece !== undefined && clock.now() - piece.beganMs >= (maxAgeMs || DEFAULT_MAX_AGE_MS);
    const isFull = piece !== undefined && maxBytes > 0 && piece.bytes >= maxBytes;
    if (isOld || isFull) await this.#next();
    if (this.#piece === undefined) return;
    await this.#piece.handle.write(line);
    this.#piece.bytes += line.length;
  }

  async #next(): Promise<void> {
    const beganMs = this.#options.clock.now();
    if (this.#folder !== '') await makeFolder(this.#folder);
    // Nanoseconds, as in Consul's names: those sort by age.
    const name = `${this.#name}-${beganMs}000000${this.#extension}`;
    const handle = await open(join(this.#folder, name), 'a', MODE);
    await this.#piece?.handle.close();
    this.#piece = { handle, bytes: (await handle.stat()).size, beganMs };
    await this.#prune(name);
  }

  async #prune(current: string): Promise<void> {
    const { maxFiles } = this.#options;
    if (maxFiles === 0) return;
    const isPiece = (name: string) => {
      const number = name.slice(this.#name.length + 1, name.length - this.#extension.length);
      return (
        name.startsWith(`${this.#name}-`) && name.endsWith(this.#extension) && /^\d+$/.test(number)
      );
    };
    const names = (await readdir(this.#folder || '.')).filter(isPiece).sort();
    const older = names.filter((name) => name !== current);
    const surplus = older.slice(0, Math.max(0, older.length - Math.max(0, maxFiles)));
    for (const name of surplus) await unlink(join(this.#folder, name));
  }
}
