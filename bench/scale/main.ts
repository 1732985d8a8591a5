/**
 * How far a cluster goes, by the constants that were measured: the tables of docs/scale.md.
 *
 *   node --import tsx bench/scale/main.ts [--write]
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { scalePage } from './page.ts';

const PAGE = path.resolve(import.meta.dirname, '../../docs/scale.md');

const page = scalePage(await readFile(PAGE, 'utf8'));
if (process.argv.includes('--write')) await writeFile(PAGE, page.whole);
else process.stdout.write(`${page.tables}\n`);
