/** Files that a command is given: they may be anything that a path can lead to. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { goFileError } from './go-error.ts';

const PART_BYTES = 1024 * 1024;

/**
 * All of a file, or of a pipe. Throws what node:fs does, in Go's words, and where it is a device or a folder, or
 * there is more of it than the command could use: /dev/zero never ends.
 */
export function readWhole(path: string, maxBytes: number): Buffer {
  const file = opened(path);
  try {
    refuseKind(path, file);
    const parts: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const part = Buffer.allocUnsafe(PART_BYTES);
      const read = readSync(file, part);
      if (read === 0) return Buffer.concat(parts);
      bytes += read;
      if (bytes > maxBytes) throw new Error(`${path} has more than ${maxBytes} bytes`);
      parts.push(part.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
}

function opened(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw Object.assign(new Error(goFileError(cause), { cause }), { code });
  }
}

function refuseKind(path: string, file: number): void {
  const found = fstatSync(file);
  if (found.isDirectory()) throw new Error(`read ${path}: is a directory`);
  if (!found.isFile() && !found.isFIFO()) throw new Error(`${path} is no file`);
}
