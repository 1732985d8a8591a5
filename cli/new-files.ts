/** Files that a command makes: none is ever written over, and a key is for its owner's eyes. */
import { existsSync, writeFileSync } from 'node:fs';
import { messageOf, ProconsulError } from '../lib/errors.ts';

export interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly isSecret: boolean;
}

/** Throws, before anything is written, where one of them is there already. */
export function writeNewFiles(files: readonly NewFile[]): void {
  refuseExisting(files.map(({ path }) => path));
  for (const { path, text, isSecret } of files) {
    try {
      writeFileSync(path, text, { flag: 'wx', mode: isSecret ? 0o600 : 0o644 });
    } catch (cause) {
      const why = messageOf(cause);
      throw new ProconsulError('invalid', why, { cause });
    }
  }
}

export function refuseExisting(paths: readonly string[]): void {
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) throw new ProconsulError('invalid', `${found} already exists.`);
}
