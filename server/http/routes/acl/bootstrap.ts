/** /v1/acl/bootstrap: the first token, and what says how access control stands. */
import { managementToken } from '../../../../lib/acl/builtin.ts';
import type { Token } from '../../../../lib/acl/model.ts';
import { tokenNotFound } from '../../../../lib/acl/refusals.ts';
import { decoder, optional } from '../../../../lib/decode.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Reply } from '../../../../lib/http/reply.ts';
import { anyone } from '../../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../../lib/http/route.ts';
import { isUuid } from '../../../../lib/ids.ts';
import { Slots } from '../../../../lib/slots.ts';
import * as queries from '../../../query/acl.ts';
import { type ResetFile, write } from '../../deps.ts';
import { type AclDeps, badRequest, currentAcl, rejected } from './deps.ts';

/** As Go writes a time that was never set. */
const NO_TIME = '0001-01-01T00:00:00Z';

export function bootstrapRoutes(deps: AclDeps, resetFile: ResetFile): Route[] {
  // The file of one that is under way would be taken for another's, with the wrong index in it.
  const oneAtATime = new Slots(1);
  return [
    {
      method: 'PUT',
      path: '/v1/acl/bootstrap',
      right: anyone,
      body: bootstrapBody,
      answers: { 403: 'it has been done before' },
      does: 'makes the first token that may do anything: once, or again by the reset file',
      handle: async (request) => {
        const secret = await secretIn(request);
        const ids = { AccessorID: deps.random.uuid(), SecretID: secret || deps.random.uuid() };
        return oneAtATime.run(() => bootstrap(deps, request, resetFile, ids));
      },
    },
    {
      method: 'GET',
      path: '/v1/acl/replication',
      right: anyone,
      does: 'says that nothing is copied: there is one data centre',
      handle: () => ({ json: NOT_REPLICATED }),
    },
  ];
}

const NOT_REPLICATED = {
  Enabled: false,
  Running: false,
  SourceDatacenter: '',
  ReplicationType: '',
  ReplicatedIndex: 0,
  ReplicatedRoleIndex: 0,
  ReplicatedTokenIndex: 0,
  LastSuccess: NO_TIME,
  LastError: NO_TIME,
};

/** From anyone: a secret, and what else an older client may say. */
const MAX_BOOTSTRAP_BYTES = 4096;

const bootstrapBody = optional(
  decoder<{ readonly BootstrapSecret: string }>(
    { type: 'object', properties: { BootstrapSecret: { type: 'string', default: '' } } },
    'Bad request: Request decoding failed',
  ),
);

/** '' where the server is to make one. */
async function secretIn(request: HttpRequest): Promise<string> {
  const { BootstrapSecret: secret } = await request.json(bootstrapBody, MAX_BOOTSTRAP_BYTES);
  if (secret !== '' && !isUuid(secret)) throw badRequest('BootstrapSecret must be a UUID');
  return secret;
}

async function bootstrap(
  deps: AclDeps,
  request: HttpRequest,
  resetFile: ResetFile,
  ids: Pick<Token, 'AccessorID' | 'SecretID'>,
): Promise<Reply> {
  const resetIndex = await allowedReset(deps, resetFile);
  const token = managementToken(ids, 'Bootstrap Token (Global Management)');
  const { applied } = await write(request, deps, { type: 'bootstrap-acl', token, resetIndex });
  if (!applied) throw notAgain(deps.state().acl.bootstrapIndex);
  if (resetIndex !== 0) await resetFile.remove();
  const { acl } = deps.state();
  const row = acl.tokenBy(ids.AccessorID);
  if (row === undefined) throw tokenNotFound();
  return { json: { ID: row.SecretID, ...queries.shownToken(acl, row, { secret: true }) } };
}

/** 0 for the first time; else the index that the reset file names, if it is the right one. */
async function allowedReset(deps: AclDeps, resetFile: ResetFile): Promise<number> {
  const { bootstrapIndex } = await currentAcl(deps);
  if (bootstrapIndex === 0) return 0;
  const named = await resetFile.read();
  if (named === 0) throw notAgain(bootstrapIndex);
  if (named === bootstrapIndex) return named;
  throw rejected(
    `Invalid bootstrap reset index (specified ${named}, reset index: ${bootstrapIndex})`,
  );
}

function notAgain(index: number): ProconsulError {
  const why = `ACL bootstrap no longer allowed (reset index: ${index})`;
  return new ProconsulError('forbidden', `Permission denied: ${why}`);
}
