import { RE2JS } from 're2js';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { type Command, explained } from '../command.ts';
import type { FlagValues } from '../flag-values.ts';

const FILTERS = ['node', 'service', 'tag'] as const;

export const command: Command = {
  synopsis: '[options] [payload]',
  details: 'It reaches all nodes, or those that the patterns name.',
  examples: ['-name=deploy 1609030', '-name=deploy -service=web -tag=v2'],
  http: 'agent',
  flags: new Map([
    ['name', { kind: 'string', help: 'Name of the event.' }],
    ['node', { kind: 'string', help: 'Pattern of the names of nodes.' }],
    ['service', { kind: 'string', help: 'Pattern of the names of services.' }],
    ['tag', { kind: 'string', help: 'Pattern of tags; with -service.' }],
  ]),

  async run({ flags, args, host, client, misuse }) {
    const name = flags.text('name');
    if (name === '') throw misuse('Event name must be specified');
    if (args.length > 1) throw misuse('Too many command line arguments.');
    refuseBadFilters(flags);
    const given = FILTERS.filter((filter) => flags.text(filter) !== '');
    const answer = await explained(
      'Error firing event',
      client().send({
        method: 'PUT',
        path: `/v1/event/fire/${encodeURIComponent(name)}`,
        query: given.map((filter) => [filter, flags.text(filter)] as const),
        body: args[0] ?? '',
      }),
    );
    host.print(`Event ID: ${(answer.json as { readonly ID: string }).ID}\n`);
    return 0;
  },
};

function refuseBadFilters(flags: FlagValues): void {
  if (flags.text('tag') !== '' && flags.text('service') === '') {
    throw new ProconsulError('invalid', 'Cannot provide tag filter without service filter.');
  }
  for (const filter of FILTERS) {
    try {
      RE2JS.compile(flags.text(filter));
    } catch (cause) {
      const why = messageOf(cause);
      throw new ProconsulError('invalid', `Failed to compile ${filter} filter regexp: ${why}`, {
        cause,
      });
    }
  }
}
