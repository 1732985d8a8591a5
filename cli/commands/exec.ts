import { ProconsulError } from '../../lib/errors.ts';
import type { Command } from '../command.ts';

/** Consul itself has it turned off by default, since whoever may write a key could run anything. */
export const command: Command = {
  synopsis: '[options] [-|command...]',
  http: 'none',
  flags: new Map(),
  refused: true,
  run() {
    const why = 'agents here run no commands that others send (disable_remote_exec)';
    throw new ProconsulError('rejected', `Error! proconsul exec is refused: ${why}`);
  },
};
