/**
 * Node's own calls for files, on the disk of the machine whose code makes them: what the product keeps
 * beside its log. Whatever else there is of them throws: nobody has used it so far.
 */
import { constants } from 'node:fs';
import { type File, syncing } from '../../../server/log/file/file-system.ts';
import { diskOf, type SimDisk } from './disk.ts';
import type { World } from './world.ts';

const { O_CREAT, O_DSYNC } = constants;
const READ_BYTES = 64 * 1024;

type Path = string;
/** What of node:fs/promises is put in the place of its own. */
export type FileCalls = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

/** On a machine without a disk they throw, as where a file system is gone. */
export function fileCallsOf(world: World): FileCalls {
  const disk = (): SimDisk => {
    const { machine } = world.here;
    const found = diskOf(machine);
    if (found !== undefined) return found;
    // Nor is it one to whom something real has answered: all that comes of it would outlive every machine.
    const error = new Error(`${machine.name} has no disk in this world`);
    world.fail(error);
    throw error;
  };
  return {
    open: async (path: Path, flags: string | number = 'r') => await opened(disk(), path, flags),
    readFile: async (path: Path, encoding?: string) => {
      const file = await disk().open(path);
      const bytes = await whole(file);
      await file.close();
      return encoding === undefined ? bytes : bytes.toString('utf8');
    },
    writeFile: async (path: Path, text: string) => {
      const file = await disk().create(path);
      await append(file, text);
      await file.close();
    },
    mkdir: async (path: Path) => await disk().makeFolder(path),
    stat: async () => ({ isDirectory: () => true }),
    readdir: async (path: Path) => await disk().list(path),
    rename: async (from: Path, to: Path) => await disk().rename(from, to),
    unlink: async (path: Path) => await disk().remove(path),
    link: async () => {
      throw Object.assign(new Error('ENOTSUP link'), { code: 'ENOTSUP' });
    },
  };
}

async function opened(disk: SimDisk, path: Path, flags: string | number): Promise<unknown> {
  if (flags === 'r') {
    // A folder, as far as anybody opens one: to sync the names in it.
    const isFile = await disk.has(path);
    if (!isFile) return { sync: () => disk.syncFolder(path), close: async () => undefined };
    return handleOf(await disk.open(path));
  }
  if (flags === 'w' || flags === 'w+') return handleOf(await disk.create(path));
  if (flags === 'r+') return handleOf(await disk.open(path));
  if (typeof flags === 'string') throw new Error(`no file is opened with ${flags} in this world`);
  const makes = (flags & O_CREAT) !== 0 && !(await disk.has(path));
  const file = await (makes ? disk.create(path) : disk.open(path));
  return handleOf((flags & O_DSYNC) === 0 ? file : syncing(file));
}

function handleOf(file: File): object {
  return {
    appendFile: async (text: string) => await append(file, text),
    writeFile: async (text: string) => await append(file, text),
    write: async (bytes: Uint8Array, from: number, length: number, at: number) => {
      const bytesWritten = await file.write(Buffer.from(bytes.subarray(from, from + length)), at);
      return { bytesWritten };
    },
    truncate: async (bytes = 0) => await file.truncate(bytes),
    sync: async () => await file.sync(),
    datasync: async () => await file.sync(),
    close: async () => await file.close(),
  };
}

async function append(file: File, text: string): Promise<void> {
  await file.write(Buffer.from(text), await file.size());
}

async function whole(file: File): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const part = Buffer.alloc(READ_BYTES);
    const bytes = await file.read(part, at);
    if (bytes === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, bytes));
    at += bytes;
  }
}
