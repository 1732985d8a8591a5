/** Writes the tables of docs/configuration.md anew, below what is written by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import { configurationTables, TABLES_BEGIN } from './configuration-table.ts';

const file = new URL('configuration.md', import.meta.url);
const [byHand = ''] = readFileSync(file, 'utf8').split(TABLES_BEGIN);
writeFileSync(file, byHand + configurationTables());
