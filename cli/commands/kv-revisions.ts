import { ProconsulError } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import { type Command, explained, refuseArguments } from '../command.ts';
import { type FlagValues, readUint } from '../flag-values.ts';
import { FORMAT, wantsJson } from '../format.ts';

const PATH = '/v1/operator/kv-revisions';

interface Settings {
  readonly Prefixes: readonly string[];
  readonly Count: number;
  readonly MaxAge: string;
  readonly MaxBytes: number;
  readonly ModifyIndex: number;
}

export const command: Command = {
  synopsis: '[options]',
  details:
    'Shows of which keys what they said before is kept, and how much of it; with other flags it changes ' +
    'that. Values that were written under such a prefix stay readable for whoever may read the key.',
  examples: ['', '-prefix=config/ -count=50 -max-age=720h', '-off'],
  http: 'query',
  flags: new Map([
    FORMAT,
    ['prefix', { kind: 'strings', help: 'Keep those of the keys below it; may be given again.' }],
    ['count', { kind: 'string', help: 'So many of each key, with what stands now.' }],
    ['max-age', { kind: 'string', help: 'For so long after they stood; 0s: while there is room.' }],
    ['max-bytes', { kind: 'string', help: 'So much of all keys together that no longer stands.' }],
    ['off', { kind: 'bool', help: 'Forget all, and keep none.' }],
  ]),

  async run({ flags, args, host, client }) {
    refuseArguments(args);
    const asJson = wantsJson(flags);
    const changes = changesOf(flags);
    const api = client();
    const read = async () => {
      const answer = await explained(
        'Error querying the settings of revisions',
        api.send({ method: 'GET', path: PATH }),
      );
      return answer.json as Settings;
    };
    const before = await read();
    if (Object.keys(changes).length > 0) {
      const set = await explained(
        'Error changing the settings of revisions',
        api.send({
          method: 'PUT',
          path: PATH,
          query: [['cas', String(before.ModifyIndex)]],
          body: encodeJson({ ...before, ...changes }),
        }),
      );
      if (set.json !== true) {
        throw new ProconsulError('rejected', 'Somebody else has changed them: please try again');
      }
    }
    const settings = Object.keys(changes).length > 0 ? await read() : before;
    host.print(asJson ? `${encodeJson(settings, true)}\n` : pretty(settings));
    return 0;
  },
};

function changesOf(flags: FlagValues): Partial<Settings> {
  if (flags.isSet('off')) return { Prefixes: [] };
  return {
    ...(flags.has('prefix') && { Prefixes: flags.all('prefix') }),
    ...(flags.has('count') && { Count: Number(readUint(flags, 'count')) }),
    ...(flags.has('max-age') && { MaxAge: flags.text('max-age') }),
    ...(flags.has('max-bytes') && { MaxBytes: Number(readUint(flags, 'max-bytes')) }),
  };
}

function pretty({ Prefixes, Count, MaxAge, MaxBytes }: Settings): string {
  const rows: readonly (readonly [string, unknown])[] = [
    ['Prefixes', Prefixes.map((prefix) => JSON.stringify(prefix)).join(' ') || 'none'],
    ['Count', Count],
    ['MaxAge', MaxAge],
    ['MaxBytes', MaxBytes],
  ];
  return rows.map(([name, value]) => `${name} = ${value}\n`).join('');
}
