import { encodeJson } from '../../lib/json.ts';
import { type Command, refuseArguments } from '../command.ts';
import { type KvPair, readPairs } from './kv-get.ts';

export const command: Command = {
  synopsis: '[options] [KEY_OR_PREFIX]',
  details: 'It goes to standard output, as `kv import` reads it.',
  examples: ['> all.json', 'config/'],
  http: 'query',
  flags: new Map([
    ['with-index', { kind: 'bool', help: 'With indexes, for `kv import -atomic` to check.' }],
  ]),

  async run({ flags, args, host, client }) {
    refuseArguments(args, 1);
    const pairs = await readPairs(
      client(),
      (args[0] ?? '').replace(/^\//, ''),
      true,
      host.progress,
    );
    const entries = pairs.map((pair) => entry(pair, flags.isSet('with-index')));
    host.print(entries.length === 0 ? '[]\n' : `[\n${entries.join(',\n')}\n]\n`);
    return 0;
  },
};

function entry({ Key, Flags, Value, ModifyIndex }: KvPair, withIndex: boolean): string {
  return [
    '\t{',
    `\t\t"key": ${encodeJson(Key)},`,
    `\t\t"flags": ${Flags},`,
    `\t\t"value": ${encodeJson(Value ?? '')}${withIndex ? ',' : ''}`,
    ...(withIndex ? [`\t\t"modify_index": ${ModifyIndex}`] : []),
    '\t}',
  ].join('\n');
}
