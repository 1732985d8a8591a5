import { type Command, explained, refuseArguments } from '../command.ts';

export const catalogDatacenters: Command = {
  synopsis: '[options]',
  does: 'Lists the datacenters, the nearest first.',
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
