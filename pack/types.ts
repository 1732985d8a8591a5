/** What a program's compiler reads of what it imports. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TOP = fileURLToPath(new URL('..', import.meta.url));
const OURS = /(from '\.[^']*)\.ts'/g;

/** Writes the declarations of `client/`, and of all that they name, into the folder. */
export function writeTypes(folder: string): void {
  const tsc = join(TOP, 'node_modules/.bin/tsc');
  execFileSync(tsc, ['-p', join(TOP, 'pack/types.json'), '--outDir', folder]);
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.d.ts')) continue;
    // Sources name each other as they are here; every compiler finds what is named as it will be.
    const text = readFileSync(join(folder, path), 'utf8').replace(OURS, "$1.js'");
    writeFileSync(join(folder, path), text);
  }
}
