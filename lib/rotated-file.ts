/** A file of lines that begins anew when it is full or old; its pieces are named as Consul's are. */
import { type FileHandle, open, readdir, unlink } from 'node:fs/promises';
import { join, parse } from 'node:path';
import type { Clock } from './clock.ts';
import { makeFolder } from './make-folder.ts';

export interface RotatedFileOptions {
  /** The file, whose name gets the time put in where there are pieces. */
  readonly path: string;
  /** A piece is full then; 0: never. */
  readonly maxBytes: number;
  /** A piece is old then; 0: never. Where it is never full either there are no pieces. */
  readonly maxAgeMs: number;
  /** How many older pieces are kept: 0 for all, -1 for none. */
  readonly maxFiles: number;
  readonly mode: number;
  readonly clock: Clock;
}

export class RotatedFile {
  readonly #options: RotatedFileOptions;
  readonly #name: { readonly folder: string; readonly stem: string; readonly extension: string };
  #piece: { handle: FileHandle; bytes: number; beganMs: number } | undefined;

  private constructor(options: RotatedFileOptions) {
    const { dir, name, ext } = parse(options.path);
    this.#options = options;
    this.#name = { folder: dir, stem: name, extension: ext || '.log' };
  }

  /** Rejects where the first piece cannot be opened. */
  static async open(options: RotatedFileOptions): Promise<RotatedFile> {
    const file = new RotatedFile(options);
    await file.#next();
    return file;
  }

  /**
   * Writes all of them, in as many pieces as it takes; one call at a time. Where it rejects, as with
   * a full disk, no part of a line stays behind, and the next call tries anew.
   */
  async append(lines: readonly Buffer[]): Promise<void> {
    let at = 0;
    while (at < lines.length) {
      const piece = await this.#due();
      const { maxBytes } = this.#options;
      const from = at;
      let bytes = 0;
      do bytes += lines[at++]?.length ?? 0;
      while (at < lines.length && (maxBytes === 0 || piece.bytes + bytes < maxBytes));
      await this.#write(piece, Buffer.concat(lines.slice(from, at), bytes));
    }
  }

  async close(): Promise<void> {
    const piece = this.#piece;
    this.#piece = undefined;
    await piece?.handle.close();
  }

  async #write(piece: { handle: FileHandle; bytes: number }, bytes: Buffer): Promise<void> {
    try {
      // Unlike `write`, it does not leave off in the middle without a word.
      await piece.handle.appendFile(bytes);
      piece.bytes += bytes.length;
    } catch (error) {
      // What is no file cannot be cut, and what went out to it is gone.
      await piece.handle.truncate(piece.bytes).catch(() => undefined);
      throw error;
    }
  }

  /** The piece that the next line goes to. */
  async #due() {
    const { clock, maxBytes, maxAgeMs } = this.#options;
    const piece = this.#piece;
    if (piece === undefined) return await this.#next();
    const isOld = maxAgeMs > 0 && clock.now() - piece.beganMs >= maxAgeMs;
    const isFull = maxBytes > 0 && piece.bytes >= maxBytes;
    return isOld || isFull ? await this.#next() : piece;
  }

  async #next() {
    const { path, clock, maxBytes, maxAgeMs, mode } = this.#options;
    const { folder, stem, extension } = this.#name;
    const beganMs = clock.now();
    if (folder !== '') await makeFolder(folder);
    const hasPieces = maxBytes > 0 || maxAgeMs > 0;
    // Nanoseconds, as in Consul's names: those sort by age.
    const name = `${stem}-${beganMs}000000${extension}`;
    const handle = await open(hasPieces ? join(folder, name) : path, 'a', mode);
    const bytes = (await handle.stat()).size;
    await this.#piece?.handle.close();
    this.#piece = { handle, bytes, beganMs };
    if (hasPieces) await this.#prune(name);
    return this.#piece;
  }

  async #prune(current: string): Promise<void> {
    const { maxFiles } = this.#options;
    const { folder, stem, extension } = this.#name;
    if (maxFiles === 0) return;
    const isPiece = (name: string) => {
      const number = name.slice(stem.length + 1, name.length - extension.length);
      return name.startsWith(`${stem}-`) && name.endsWith(extension) && /^\d+$/.test(number);
    };
    const names = (await readdir(folder || '.')).filter(isPiece).sort();
    const older = names.filter((name) => name !== current);
    const surplus = older.slice(0, Math.max(0, older.length - Math.max(0, maxFiles)));
    for (const name of surplus) await unlink(join(folder, name));
  }
}
