/** Writes the table of docs/compat.md anew, below what is written by hand: `npm run compat`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { compatTable, TABLE_BEGINS } from './compat-table.ts';

const file = new URL('compat.md', import.meta.url);
const [byHand = ''] = readFileSync(file, 'utf8').split(TABLE_BEGINS);
writeFileSync(file, byHand + (await compatTable()));
