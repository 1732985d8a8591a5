/** Files that a command makes: none is ever written over, and a key is for its owner's eyes. */
import { closeSync, existsSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { messageOf, ProconsulError } from '../lib/errors.ts';

export interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly isSecret: boolean;
}

/** Throws, before anything is written, where one of them is there already; and leaves none where one cannot be written. */
export function writeNewFiles(files: readonly NewFile[]): void {
  refuseExisting(files.map(({ path }) => path));
  const made: string[] = [];
  try {
    for (const { path, text, isSecret } of files) {
      const file = openSync(path, 'wx', isSecret ? 0o600 : 0o644);
      made.push(path);
      try {
        writeFileSync(file, text);
      } finally {
        closeSync(file);
      }
    }
  } catch (cause) {
    // Else the next attempt would find half of them, and refuse.
    for (const path of made) rmSync(path, { force: true });
    const why = messageOf(cause);
    throw new ProconsulError('invalid', why, { cause });
  }
}

export function refuseExisting(paths: readonly string[]): void {
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) throw new ProconsulError('invalid', `${found} already exists.`);
}
