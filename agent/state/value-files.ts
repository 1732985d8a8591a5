/** The few file operations that a ValueFile makes. Specs put in their own, to fail any one of them. */
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rename, unlink } from 'node:fs/promises';
import { ProconsulError } from '../../lib/errors.ts';
import { makeFolder } from '../../lib/make-folder.ts';

export interface ValueFileHandle {
  /** Writes all of it there. */
  write(bytes: Buffer, position: number): Promise<void>;
  truncate(bytes: number): Promise<void>;
  /** Resolves when all that was written is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface ValueFiles {
  makeFolder(path: string): Promise<void>;
  /** Empty when there is no such file. */
  read(path: string): Promise<Buffer>;
  /** To write to it; made when it is not there. */
  open(path: string): Promise<ValueFileHandle>;
  /** The same of an empty file. */
  create(path: string): Promise<ValueFileHandle>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Resolves when the names in the folder are on the disk. */
  syncFolder(path: string): Promise<void>;
}

/** Tokens are in there. */
const MODE = 0o600;

/**
 * What is written is on the disk when the call returns: a second call for it costs a turn of the loop and a
 * thread's wake-up. macOS has the flag too, but keeps the data in the drive's cache.
 */
const ONE_CALL = process.platform === 'linux';
const { O_WRONLY, O_CREAT, O_DSYNC } = constants;
const WRITING = O_WRONLY | O_CREAT | (ONE_CALL ? O_DSYNC : 0);

export const nodeFiles: ValueFiles = {
  makeFolder,
  read: (path) =>
    readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      // Node's own message does not say of which file.
      throw new ProconsulError('invalid', `${path} cannot be read`, { cause: error });
    }),
  open: async (path) => handleOf(await open(path, WRITING, MODE)),
  async create(path) {
    const file = await open(path, WRITING, MODE);
    await file.truncate(0);
    return handleOf(file);
  },
  rename: (from, to) => rename(from, to),
  remove: (path) => unlink(path),
  async syncFolder(path) {
    const folder = await open(path, 'r');
    await folder.sync().finally(() => folder.close());
  },
};

function handleOf(file: FileHandle): ValueFileHandle {
  return {
    async write(bytes, position) {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
        at += bytesWritten;
      }
    },
    truncate: (bytes) => file.truncate(bytes),
    sync: () => (ONE_CALL ? Promise.resolve() : file.datasync()),
    close: () => file.close(),
  };
}
