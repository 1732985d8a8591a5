import { ProconsulError } from '../../lib/errors.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  synopsis: '[options]',
  details: 'A server that is gone leaves by itself.',
  http: 'none',
  flags: new Map(),
  refused: true,

  run() {
    const why = 'there is no Raft here, and a server that is gone leaves by itself';
    throw new ProconsulError('rejected', `Error removing peer: ${why}`);
  },
};
