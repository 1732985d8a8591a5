/** Compiles the simulator with a defect in it: the edits are made as the sources are read. */
import { mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { Edit } from './defect.ts';

const TOP = join(import.meta.dirname, '..', '..', '..');
/** What it comes to, in the folder of its own. */
export const BUILT = 'main.mjs';

/** How often the text to replace stands in its file: once, where all is well. */
export function places({ file, from }: Edit): number {
  return readFileSync(join(TOP, file), 'utf8').split(from).length - 1;
}

/** The folder that holds it; whoever asks for it removes it. */
export async function plant(edits: readonly Edit[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sim-'));
  // For whatever is imported when it runs.
  symlinkSync(join(TOP, 'node_modules'), join(folder, 'node_modules'));
  await build({
    absWorkingDir: TOP,
    entryPoints: ['spec/sim/main.ts'],
    outfile: join(folder, BUILT),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
    plugins: [edited(edits)],
  });
  return folder;
}

function edited(edits: readonly Edit[]): Plugin {
  return {
    name: 'edited',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const its = edits.filter(({ file }) => path === join(TOP, file));
        if (its.length === 0) return undefined;
        const source = readFileSync(path, 'utf8');
        // A function, so that a `$` in the text stays one.
        const contents = its.reduce((text, { from, to }) => text.replace(from, () => to), source);
        return { contents, loader: 'ts' };
      });
    },
  };
}
