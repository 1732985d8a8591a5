/** The few file operations that the log makes. Specs put in their own, to fail any one of them. */
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises';
import { makeFolder } from '../../../lib/make-folder.ts';

export interface File {
  size(): Promise<number>;
  /** Fills `bytes` in part or whole; says how much. 0 is the end of the file. */
  read(bytes: Buffer, position: number): Promise<number>;
  /** Writes `bytes` in part or whole; says how much. */
  write(bytes: Buffer, position: number): Promise<number>;
  truncate(size: number): Promise<void>;
  /** Returns when all that was written is on the disk, with what is needed to read it again. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileSystem {
  /** Makes it with all folders above it, unless it is there. */
  makeFolder(path: string): Promise<void>;
  list(folder: string): Promise<string[]>;
  /** An empty file; one that was there is emptied. */
  create(path: string): Promise<File>;
  /** An existing file, to read and write. */
  open(path: string): Promise<File>;
  /** The same, and each write returns only when it is on the disk, as if a sync had followed. */
  openDurable(path: string): Promise<File>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Returns when the names in the folder are on the disk. */
  syncFolder(path: string): Promise<void>;
}

/**
 * One call in place of write and fdatasync: on a busy process each of them costs a turn of the event
 * loop and a thread's wake-up. macOS has the flag too, but keeps the data in the drive's cache.
 */
const ONE_CALL = process.platform === 'linux';
const DURABLE = constants.O_RDWR | constants.O_DSYNC;

export const nodeFileSystem: FileSystem = {
  makeFolder: (path) => makeFolder(path, 0o750),
  list: (folder) => readdir(folder),
  create: (path) => openFile(path, 'w+'),
  open: (path) => openFile(path, 'r+'),
  openDurable: ONE_CALL ? (path) => openFile(path, DURABLE) : openSyncing,
  rename,
  remove: unlink,
  async syncFolder(path) {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};

/** Tokens and values are in there: not for everybody's eyes. */
const FILE_MODE = 0o640;

async function openFile(path: string, flags: string | number): Promise<File> {
  return fileOf(await open(path, flags, FILE_MODE));
}

/** `openDurable` in two calls. */
export async function openSyncing(path: string): Promise<File> {
  return syncing(await openFile(path, 'r+'));
}

/** Each write of it is followed by a sync. */
export function syncing(file: File): File {
  return {
    ...file,
    async write(bytes, position) {
      const written = await file.write(bytes, position);
      await file.sync();
      return written;
    },
  };
}

function fileOf(file: FileHandle): File {
  return {
    size: async () => (await file.stat()).size,
    read: async (bytes, position) => (await file.read(bytes, 0, bytes.length, position)).bytesRead,
    write: async (bytes, position) =>
      (await file.write(bytes, 0, bytes.length, position)).bytesWritten,
    truncate: (size) => file.truncate(size),
    sync: () => file.datasync(),
    close: () => file.close(),
  };
}
