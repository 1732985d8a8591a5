/** Builds what runs and what is packed: `npm run build`. */
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundle, licences } from './bundle.ts';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));

rmSync(DIST, { recursive: true, force: true });
writeFileSync(`${DIST}/LICENSES.txt`, licences(await bundle(DIST)));
