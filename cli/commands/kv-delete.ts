import { ProconsulError } from '../../lib/errors.ts';
import { encodePath } from '../api-client.ts';
import { type Command, explained, refuseArguments } from '../command.ts';
import { type FlagValues, readUint } from '../flag-values.ts';

export const command: Command = {
  synopsis: '[options] KEY_OR_PREFIX',
  details: 'A key that is not there is no error.',
  examples: ['config/web/limit', '-recurse config/web/', '-cas -modify-index=812 config/web/limit'],
  http: 'query',
  flags: new Map([
    ['cas', { kind: 'bool', help: 'Delete only if the key is still at -modify-index.' }],
    ['modify-index', { kind: 'string', help: 'For -cas: the ModifyIndex that was last seen.' }],
    ['recurse', { kind: 'bool', help: 'Delete all keys that begin with the prefix.' }],
  ]),

  async run({ flags, args, host, client }) {
    refuseArguments(args, 1);
    const recurse = flags.isSet('recurse');
    const key = (args[0] ?? '').replace(/^\//, '');
    if (key === '' && !recurse) {
      throw new ProconsulError('invalid', 'Error! Missing KEY argument');
    }
    const query = queryOf(flags);
    const what = recurse ? 'prefix' : 'key';
    const answer = await explained(
      `Error! Did not delete ${what} ${key}`,
      client().send({ method: 'DELETE', path: `/v1/kv/${encodePath(key)}`, query }),
    );
    if (answer.json === false) {
      throw new ProconsulError('rejected', `Error! Did not delete key ${key}: CAS failed`);
    }
    host.print(`Success! Deleted ${recurse ? 'keys with prefix' : 'key'}: ${key}\n`);
    return 0;
  },
};

function queryOf(flags: FlagValues): readonly (readonly [string, string])[] {
  const refuse = (why: string) => new ProconsulError('invalid', why);
  const index = readUint(flags, 'modify-index');
  const recurse = flags.isSet('recurse');
  if (!flags.isSet('cas')) {
    if (index !== 0n) throw refuse('Cannot specify -modify-index without -cas!');
    return recurse ? [['recurse', '']] : [];
  }
  if (index === 0n) throw refuse('Must specify -modify-index with -cas!');
  if (recurse) throw refuse('Cannot specify -cas with -recurse!');
  return [['cas', String(index)]];
}
