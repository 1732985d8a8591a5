import { type Command, explained } from '../command.ts';

export const command: Command = {
  synopsis: '[options] name',
  details: 'Nobody waits for its return then. One that lives comes back.',
  examples: ['web-1', '-prune web-1'],
  http: 'agent',
  flags: new Map([['prune', { kind: 'bool', help: 'Take it out of the list of members.' }]]),

  async run({ flags, args, client, misuse }) {
    const [name] = args;
    if (name === undefined || args.length > 1) {
      throw misuse('A single node name must be specified to force leave.');
    }
    const path = `/v1/agent/force-leave/${encodeURIComponent(name)}`;
    const query = flags.isSet('prune') ? [['prune', '1'] as const] : [];
    await explained('Error force leaving', client().send({ method: 'PUT', path, query }));
    return 0;
  },
};
