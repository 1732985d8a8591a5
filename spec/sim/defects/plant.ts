/** Puts a defect into a copy of the sources, and compiles that. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Edit } from './defect.ts';

export const TOP = join(import.meta.dirname, '..', '..', '..');
/** What the compiler takes: a room that is new is in there, or nothing of it compiles. */
const { include } = JSON.parse(readFileSync(join(TOP, 'tsconfig.json'), 'utf8')) as {
  readonly include: readonly string[];
};
const SOURCES = [...include.filter((name) => !name.includes('*')), 'package.json', 'tsconfig.json'];

const MAIN = 'spec/sim/main.ts';
/** What it comes to, in the folder of the copy. */
export const BUILT = 'main.mjs';
const OPTIONS = ['--bundle', '--packages=external', '--platform=node', '--format=esm'];

/** How often the text to replace stands in its file: once, where all is well. */
export function places({ file, from }: Edit): number {
  return readFileSync(join(TOP, file), 'utf8').split(from).length - 1;
}

/** The folder of the copy; whoever asks for it removes it. */
export function plant(edits: readonly Edit[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'sim-'));
  for (const name of SOURCES) cpSync(join(TOP, name), join(folder, name), { recursive: true });
  symlinkSync(join(TOP, 'node_modules'), join(folder, 'node_modules'));
  for (const { file, from, to } of edits) {
    const path = join(folder, file);
    // A function, so that a `$` in the text stays one.
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace(from, () => to),
    );
  }
  const esbuild = join(TOP, 'node_modules', '.bin', 'esbuild');
  const { status, stderr } = spawnSync(esbuild, [MAIN, `--outfile=${BUILT}`, ...OPTIONS], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return folder;
}
