/** Imported into a process of an experiment: SIGUSR2 collects its garbage, so that what stays can be seen. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
process.on('SIGUSR2', () => collect());
