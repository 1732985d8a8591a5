import { type Command, explained } from '../command.ts';
import { FILTER_FLAGS, fireEvent, refuseBadFilters } from '../event-filters.ts';

export const command: Command = {
  synopsis: '[options] [payload]',
  details: 'It reaches all nodes, or those that the patterns name.',
  examples: ['-name=deploy 1609030', '-name=deploy -service=web -tag=v2'],
  http: 'agent',
  flags: new Map([...FILTER_FLAGS, ['name', { kind: 'string', help: 'Name of the event.' }]]),

  async run({ flags, args, host, client, misuse }) {
    const name = flags.text('name');
    if (name === '') throw misuse('Event name must be specified');
    if (args.length > 1) throw misuse('Too many command line arguments.');
    refuseBadFilters(flags);
    const fired = fireEvent(client(), flags, { name, body: args[0] ?? '' });
    host.print(`Event ID: ${await explained('Error firing event', fired)}\n`);
    return 0;
  },
};
