import { ProconsulError } from '../../lib/errors.ts';
import { decodeJson, encodeJson } from '../../lib/json.ts';
import { type Command, explained, readInput } from '../command.ts';

export const command: Command = {
  synopsis: '-config-file FILE [options]',
  details:
    'Another private key makes another root, which the old one vouches for until nothing that it has ' +
    'signed is valid any more.',
  examples: ['-config-file=ca.json'],
  http: 'query',
  flags: new Map([
    ['config-file', { kind: 'string', help: 'The configuration, as the HTTP API takes it.' }],
    [
      'force-without-cross-signing',
      { kind: 'bool', help: 'Change the root, whoever trusts the old one alone.' },
    ],
  ]),

  async run({ host, client, flags, misuse }) {
    const file = flags.text('config-file');
    if (file === '') throw misuse('The -config-file flag is required');
    const text = await readInput(`@${file}`, host, 'Error reading config file: ');
    const config = decoded(text);
    const isForced = flags.has('force-without-cross-signing');
    const body = isForced ? { ...config, ForceWithoutCrossSigning: true } : config;
    await explained(
      'Error setting CA configuration',
      client().send({
        method: 'PUT',
        path: '/v1/connect/ca/configuration',
        body: Buffer.from(encodeJson(body)),
      }),
    );
    host.print('Configuration updated!\n');
    return 0;
  },
};

function decoded(text: Buffer): object {
  try {
    return decodeJson(text.toString()) as object;
  } catch (cause) {
    throw new ProconsulError('invalid', 'Error parsing config file: it is no JSON', { cause });
  }
}
