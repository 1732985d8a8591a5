import { encodeJson } from '../../lib/json.ts';
import { type Command, columns, refuseArguments } from '../command.ts';
import { readUint } from '../flag-values.ts';
import { FORMAT, wantsJson } from '../format.ts';
import { readHistory, type ShownRevision } from '../kv-revisions.ts';

export const command: Command = {
  synopsis: '[options] KEY',
  details:
    'The newest first: what stands now, and what did before. Revisions are kept of keys under the ' +
    'prefixes that `kv revisions` names.',
  examples: ['config/web/limit', '-limit=5 -format=json config/web/limit'],
  http: 'query',
  flags: new Map([FORMAT, ['limit', { kind: 'string', help: 'Show so many; all by default.' }]]),

  async run({ flags, args, host, client }) {
    refuseArguments(args, 1);
    const asJson = wantsJson(flags);
    const limit = readUint(flags, 'limit');
    const key = (args[0] ?? '').replace(/^\//, '');
    const revisions = await readHistory(client(), key, limit === 0n ? '' : String(limit));
    host.print(asJson ? `${encodeJson(revisions, true)}\n` : table(revisions));
    return 0;
  },
};

function table(revisions: readonly ShownRevision[]): string {
  return columns([
    ['Revision', 'Time', 'AccessorID', 'Size'],
    ...revisions.map(({ Revision, Time, AccessorID, Deleted, Value }) => [
      String(Revision),
      Time ?? '-',
      AccessorID || '-',
      Deleted ? 'deleted' : String(Buffer.byteLength(Value ?? '', 'base64')),
    ]),
  ]);
}
