/** What a key said before, as the HTTP API tells it, for the commands that show it. */
import { ProconsulError } from '../lib/errors.ts';
import type { Uint64 } from '../lib/model.ts';
import { type ApiClient, encodePath } from './api-client.ts';
import { explained } from './command.ts';

export interface ShownRevision {
  readonly Key: string;
  readonly Revision: Uint64;
  /** Null where nobody took note. */
  readonly Time: string | null;
  readonly AccessorID: string;
  readonly Deleted: boolean;
  readonly Flags: Uint64;
  /** In base64. */
  readonly Value: string | null;
}

/** The newest first; throws where none are kept. */
export async function readHistory(
  client: ApiClient,
  key: string,
  atMost = '',
): Promise<readonly ShownRevision[]> {
  if (key === '') throw new ProconsulError('invalid', 'Error! Missing KEY argument');
  const answer = await explained(
    'Error querying Consul agent',
    client.send({
      method: 'GET',
      path: `/v1/kv/${encodePath(key)}`,
      query: [['history', atMost]],
    }),
  );
  const revisions = answer.json as readonly ShownRevision[];
  if (revisions.length > 0) return revisions;
  const why = `Error! No revisions are kept of: ${key} (see kv revisions -help)`;
  throw new ProconsulError('not-found', why);
}

export function readIndex(text: string): bigint {
  if (/^\d{1,20}$/.test(text)) return BigInt(text);
  throw new ProconsulError('invalid', `Error! Invalid revision: ${JSON.stringify(text)}`);
}
