import { ProconsulError } from '../../lib/errors.ts';
import type { Command } from '../command.ts';

/** A command of Consul's whose part is not built: it says so, and exits with 1. */
export const command: Command = {
  synopsis: '',
  http: 'none',
  flags: new Map(),
  refused: true,
  run({ name }) {
    throw new ProconsulError('rejected', `Error! proconsul ${name} is not built yet`);
  },
};
