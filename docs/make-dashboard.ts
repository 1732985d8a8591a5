/** Writes docs/monitoring/grafana.json anew: `npm run dashboard`. */
import { writeFileSync } from 'node:fs';
import { dashboardText } from './dashboard.ts';

writeFileSync(new URL('monitoring/grafana.json', import.meta.url), dashboardText());
