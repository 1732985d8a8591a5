/** The folder that a log lives in, and its files: each failure says which operation on what failed. */
import { join } from 'node:path';
import { ProconsulError } from '../../../lib/errors.ts';
import type { File, FileSystem } from './file-system.ts';

const TEMPORARY = '.tmp';

export interface LogFolderDeps {
  readonly path: string;
  readonly fileSystem: FileSystem;
  /**
   * Linux marks the pages of a failed fsync clean: what they held is lost, and the next fsync says
   * nothing of it. So none may be tried after this.
   */
  readonly onSyncFailure: (error: ProconsulError) => void;
}

export class LogFolder {
  readonly path: string;
  readonly #fileSystem: FileSystem;
  readonly #onSyncFailure: (error: ProconsulError) => void;

  constructor({ path, fileSystem, onSyncFailure }: LogFolderDeps) {
    this.path = path;
    this.#fileSystem = fileSystem;
    this.#onSyncFailure = onSyncFailure;
  }

  /** The names of its files, the alphabet's first one first. */
  async list(): Promise<string[]> {
    const names = await attempt(`list ${this.path}`, () => this.#fileSystem.list(this.path));
    return names.sort();
  }

  open(name: string): Promise<LogFile> {
    return this.#file(name, 'open', (path) => this.#fileSystem.open(path));
  }

  /** A file of which each write is durable when it returns. One that failed is as a failed sync. */
  openDurable(name: string): Promise<LogFile> {
    return this.#file(name, 'open', (path) => this.#fileSystem.openDurable(path));
  }

  /** A file that only gets its name once it is whole, by `publish`. */
  createTemporary(name: string): Promise<LogFile> {
    return this.#file(`${name}${TEMPORARY}`, 'create', (path) => this.#fileSystem.create(path));
  }

  /** Gives a temporary file its name, for good. It is synced already. */
  async publish(name: string): Promise<void> {
    const path = join(this.path, name);
    await attempt(`rename ${name}`, () => this.#fileSystem.rename(`${path}${TEMPORARY}`, path));
    await this.sync();
  }

  async remove(name: string): Promise<void> {
    await attempt(`remove ${name}`, () => this.#fileSystem.remove(join(this.path, name)));
  }

  /** Removes what a crash left unfinished. */
  async removeTemporaries(): Promise<void> {
    for (const name of await this.list()) if (name.endsWith(TEMPORARY)) await this.remove(name);
  }

  async removeTemporary(name: string): Promise<void> {
    await this.remove(`${name}${TEMPORARY}`);
  }

  async sync(): Promise<void> {
    const sync = () => this.#fileSystem.syncFolder(this.path);
    await attempt(`sync ${this.path}`, sync).catch(this.#reportSync);
  }

  readonly #reportSync = (error: ProconsulError): never => {
    this.#onSyncFailure(error);
    throw error;
  };

  async #file(name: string, op: string, open: (path: string) => Promise<File>): Promise<LogFile> {
    const file = await attempt(`${op} ${name}`, () => open(join(this.path, name)));
    return new LogFile(name, file, this.#reportSync);
  }
}

/** An open file of the folder. */
export class LogFile {
  readonly name: string;
  readonly #file: File;
  readonly #reportSync: (error: ProconsulError) => never;

  constructor(name: string, file: File, reportSync: (error: ProconsulError) => never) {
    this.name = name;
    this.#file = file;
    this.#reportSync = reportSync;
  }

  size(): Promise<number> {
    return this.#attempt('size of', () => this.#file.size());
  }

  /** What stands at `position`, `length` bytes of it or up to the end of the file; in `room`, where there is one. */
  async read(position: number, length: number, room?: Buffer): Promise<Buffer> {
    const bytes = room?.subarray(0, length) ?? Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const rest = bytes.subarray(done);
      const read = await this.#attempt('read', () => this.#file.read(rest, position + done));
      if (read === 0) break;
      done += read;
    }
    return bytes.subarray(0, done);
  }

  async write(bytes: Buffer, position: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const rest = done === 0 ? bytes : bytes.subarray(done);
      const written = await this.#attempt('write', () => this.#file.write(rest, position + done));
      // A full disk may take less than it is given, and at last nothing.
      if (written === 0) throw noRoom(`write ${this.name}`);
      done += written;
    }
  }

  truncate(size: number): Promise<void> {
    return this.#attempt('truncate', () => this.#file.truncate(size));
  }

  async sync(): Promise<void> {
    await this.#attempt('sync', () => this.#file.sync()).catch((error: ProconsulError) => {
      // Whatever had no room is thrown away, or cut off, by whoever meets this.
      if (isNoRoom(error)) throw error;
      this.#reportSync(error);
    });
  }

  close(): Promise<void> {
    return this.#attempt('close', () => this.#file.close());
  }

  #attempt<T>(op: string, run: () => Promise<T>): Promise<T> {
    return attempt(`${op} ${this.name}`, run);
  }
}

async function attempt<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw new ProconsulError('unavailable', what, { cause });
  }
}

const NO_ROOM = new Set(['ENOSPC', 'EDQUOT']);

/** Whether the disk is full, or all of it that we may have: a matter of time, unlike other failures. */
export function isNoRoom(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (NO_ROOM.has(String((at as { code?: unknown }).code))) return true;
  }
  return false;
}

function noRoom(what: string): ProconsulError {
  const cause = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  return new ProconsulError('unavailable', what, { cause });
}

/** What is on the disk is not what was written. Nothing is skipped: someone must look at it. */
export function damaged(name: string, offset: number, what: string): ProconsulError {
  return new ProconsulError(
    'internal',
    `the log is damaged: ${name}, offset ${offset}: ${what}. Nothing was changed; restore the folder from a backup`,
  );
}
