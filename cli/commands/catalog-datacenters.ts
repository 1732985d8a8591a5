import { type Command, explained, refuseArguments } from '../command.ts';

export const command: Command = {
  synopsis: '[options]',
  details: 'The nearest comes first.',
  examples: [''],
  http: 'query',
  flags: new Map(),

  async run({ args, host, client }) {
    refuseArguments(args);
    const answer = await explained(
      'Error listing datacenters',
      client().send({ method: 'GET', path: '/v1/catalog/datacenters' }),
    );
    for (const name of answer.json as readonly string[]) host.print(`${name}\n`);
    return 0;
  },
};
