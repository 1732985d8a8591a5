import { type Command, explained } from '../command.ts';

export const command: Command = {
  synopsis: '[options]',
  examples: [''],
  http: 'agent',
  flags: new Map(),

  async run({ host, client }) {
    const request = client().send({ method: 'PUT', path: '/v1/agent/reload' });
    await explained('Error reloading', request);
    host.print('Configuration reload triggered\n');
    return 0;
  },
};
