import { ProconsulError } from '../../lib/errors.ts';
import type { Command } from '../command.ts';

/** A command of Consul's whose part is not built: it says so, and exits with 1. */
export function notBuilt(name: string): Command {
  return {
    synopsis: '',
    does: 'Not built yet.',
    http: 'none',
    flags: new Map(),
    refused: true,
    run() {
      throw new ProconsulError('rejected', `Error! proconsul ${name} is not built yet`);
    },
  };
}
