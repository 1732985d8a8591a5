import { ProconsulError } from '../../lib/errors.ts';
import { type Command, explained } from '../command.ts';

export const command: Command = {
  synopsis: '[options]',
  examples: [''],
  http: 'agent',
  flags: new Map(),

  async run({ args, host, client }) {
    if (args.length > 0) {
      throw new ProconsulError('invalid', `Error found unexpected args: [${args.join(' ')}]`);
    }
    await explained('Error leaving', client().send({ method: 'PUT', path: '/v1/agent/leave' }));
    host.print('Graceful leave complete\n');
    return 0;
  },
};
