import { encodeJson } from '../../lib/json.ts';
import { type Command, refuseArguments } from '../command.ts';
import { type KvPair, readPairs } from './kv-get.ts';

export const command: Command = {
  synopsis: '[options] [KEY_OR_PREFIX]',
  details: 'It goes to standard output, as `kv import` reads it.',
  examples: ['> all.json', 'config/'],
  http: 'query',
  flags: new Map(),

  async run({ args, host, client }) {
    refuseArguments(args, 1);
    const pairs = await readPairs(client(), (args[0] ?? '').replace(/^\//, ''), true);
    host.print(pairs.length === 0 ? '[]\n' : `[\n${pairs.map(entry).join(',\n')}\n]\n`);
    return 0;
  },
};

function entry({ Key, Flags, Value }: KvPair): string {
  return [
    '\t{',
    `\t\t"key": ${encodeJson(Key)},`,
    `\t\t"flags": ${Flags},`,
    `\t\t"value": ${encodeJson(Value ?? '')}`,
    '\t}',
  ].join('\n');
}
