import { ProconsulError } from '../../lib/errors.ts';
import { encodePath } from '../api-client.ts';
import { type Command, explained, refuseArguments } from '../command.ts';
import { readUint } from '../flag-values.ts';
import { readIndex } from '../kv-revisions.ts';

export const command: Command = {
  synopsis: '[options] KEY REVISION',
  details:
    'Writes the value and flags that stood at REVISION, as another change; where the key was not there ' +
    'it is deleted. `kv history` lists the revisions.',
  examples: ['config/web/limit 812', '-cas -modify-index=907 config/web/limit 812'],
  http: 'query',
  flags: new Map([
    ['cas', { kind: 'bool', help: 'Write only if the key is still at -modify-index.' }],
    ['modify-index', { kind: 'string', help: 'For -cas: the ModifyIndex that was last seen.' }],
  ]),

  async run({ flags, args, host, client }) {
    refuseArguments(args, 2);
    const [name, revision] = args;
    if (name === undefined || revision === undefined) {
      throw new ProconsulError('invalid', 'Error! Missing KEY or REVISION argument');
    }
    const cas = flags.isSet('cas');
    const index = readUint(flags, 'modify-index');
    if (cas && index === 0n) {
      throw new ProconsulError('invalid', 'Must specify -modify-index with -cas!');
    }
    const key = name.replace(/^\//, '');
    const rollback = ['rollback', String(readIndex(revision))] as const;
    const answer = await explained(
      'Error! Failed rolling back',
      client().send({
        method: 'PUT',
        path: `/v1/kv/${encodePath(key)}`,
        query: cas ? [rollback, ['cas', String(index)]] : [rollback],
      }),
    );
    if (answer.json !== true) {
      throw new ProconsulError('rejected', `Error! Did not write to ${key}: CAS failed`);
    }
    host.print(`Success! ${key} is as it was at revision ${revision}\n`);
    return 0;
  },
};
