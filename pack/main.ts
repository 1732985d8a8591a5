/**
 * Builds what runs and what is packed: `npm run build`. An agent that runs loads some chunks only when it
 * needs them, so those of builds before stay for a day; with `--clean` nothing stays, as in a package.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle, licences } from './bundle.ts';
import { manPage } from './man-page.ts';
import { buildPage, writePage } from './page.ts';
import { writeTypes } from './types.ts';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const CHUNKS = join(DIST, 'large');
const KEPT_MS = 24 * 3600_000;

const isClean = process.argv.includes('--clean');
if (isClean) rmSync(DIST, { recursive: true, force: true });
for (const name of existsSync(CHUNKS) ? readdirSync(CHUNKS) : []) {
  const path = join(CHUNKS, name);
  if (Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path);
}
const page = await buildPage();
writePage(join(DIST, 'web'), page);
writeFileSync(`${DIST}/LICENSES.txt`, licences(await bundle(DIST), page.inputs));
// Whoever runs it from here imports nothing of it.
if (isClean) writeTypes(`${DIST}/types`);
const { version } = JSON.parse(readFileSync(join(DIST, '../package.json'), 'utf8'));
writeFileSync(`${DIST}/proconsul.1`, await manPage(version));
