import { type Command, explained, refuseArguments } from '../command.ts';

export const command: Command = {
  synopsis: '[options]',
  details: 'It must have come from `login`.',
  examples: ['-token-file=consul.token'],
  http: 'query',
  flags: new Map(),

  async run({ args, client }) {
    refuseArguments(args);
    const logout = client().send({ method: 'POST', path: '/v1/acl/logout' });
    await explained('Error destroying token', logout);
    return 0;
  },
};
