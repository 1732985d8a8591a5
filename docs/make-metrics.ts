/** Writes the tables of docs/monitoring/metrics.md anew, below what is written by hand: `npm run metrics`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { METRICS_BEGIN, metricsTable } from './metrics-table.ts';

const file = new URL('monitoring/metrics.md', import.meta.url);
const [byHand = ''] = readFileSync(file, 'utf8').split(METRICS_BEGIN);
writeFileSync(file, byHand + metricsTable());
