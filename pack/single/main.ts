/**
 * Makes dist/single/proconsul: one file with Node and all of Proconsul in it, for machines that have no Node
 * (`npm run single`). It runs where the Node runs that makes it: it is that program, with the bundle beside
 * its own code.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'postject';
import { bundleWhole } from '../bundle.ts';
import { buildPage } from '../page.ts';

const FOLDER = fileURLToPath(new URL('../../dist/single', import.meta.url));
/** By which Node knows that it has a program in it. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

const at = (name: string) => join(FOLDER, name);
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const { files } = await buildPage();
await bundleWhole(at('proconsul.cjs'), files);
const config = {
  main: at('proconsul.cjs'),
  output: at('proconsul.blob'),
  disableExperimentalSEAWarning: true,
  useCodeCache: true,
  // As bin/proconsul says it. A Node before 24.6 passes over it.
  execArgv: ['--max-semi-space-size=32'],
};
writeFileSync(at('config.json'), JSON.stringify(config));
execFileSync(process.execPath, ['--experimental-sea-config', at('config.json')]);
copyFileSync(process.execPath, at('proconsul'));
chmodSync(at('proconsul'), 0o755);
await inject(at('proconsul'), 'NODE_SEA_BLOB', readFileSync(at('proconsul.blob')), {
  sentinelFuse: FUSE,
});
for (const name of ['proconsul.cjs', 'proconsul.blob', 'config.json']) rmSync(at(name));
