/**
 * Imported into a process of an experiment: SIGUSR2 collects its garbage, and writes down what is
 * alive then, in the file of this process in the folder that `?looks=` names.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const folder = new URL(import.meta.url).searchParams.get('looks');
process.on('SIGUSR2', () => {
  collect();
  if (folder === null) return;
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const file = join(folder, `${process.pid}`);
  writeFileSync(`${file}.new`, JSON.stringify({ heap: heapUsed + arrayBuffers, rss }));
  renameSync(`${file}.new`, file);
});
