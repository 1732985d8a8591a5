import { encodeJson } from '../../lib/json.ts';
import { type Command, explained } from '../command.ts';

export const command: Command = {
  synopsis: '[options]',
  details: 'The private key is shown to those alone who may change it.',
  examples: [''],
  http: 'query',
  flags: new Map(),

  async run({ host, client }) {
    const { json } = await explained(
      'Error querying CA configuration',
      client().send({ method: 'GET', path: '/v1/connect/ca/configuration' }),
    );
    const { ForceWithoutCrossSigning: isForced, ...config } = json as Record<string, unknown>;
    // As Consul's client, which leaves it out where it is false.
    const shown = isForced === true ? { ...config, ForceWithoutCrossSigning: true } : config;
    host.print(
      encodeJson(shown, true).replace(/^ +/gm, (spaces) => '\t'.repeat(spaces.length / 4)),
    );
    host.print('\n');
    return 0;
  },
};
