/** The API of tokens before Consul 1.4: a token is its secret, and its rules are its own. */
import { tokenOf } from '../../../../lib/acl/builtin.ts';
import { ANONYMOUS_SECRET, type TokenDefinition } from '../../../../lib/acl/model.ts';
import { isRoot, PERMISSION_DENIED } from '../../../../lib/acl/refusals.ts';
import { decoder, optional } from '../../../../lib/decode.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Reply } from '../../../../lib/http/reply.ts';
import { asks } from '../../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../../lib/http/route.ts';
import * as queries from '../../../query/acl.ts';
import { required, write } from '../../deps.ts';
import { readRoute } from '../../reads.ts';
import { ACL_WRITE, type AclDeps, checkRules, currentAcl, rejected } from './deps.ts';

export function legacyRoutes(deps: AclDeps): Route[] {
  return [...legacyReads(deps), ...legacyWrites(deps)];
}

function legacyReads(deps: AclDeps): Route[] {
  return [
    {
      ...readRoute(deps, {
        right: 'acl:write',
        path: '/v1/acl/list',
        does: 'lists the tokens of the older API, with their secrets',
        query: () => queries.legacyTokens(),
      }),
      right: ACL_WRITE,
    },
    {
      ...readRoute(deps, {
        right: 'acl:read',
        path: '/v1/acl/info/',
        rest: 'secret',
        does: 'shows a token of the older API to whoever knows its secret',
        query: ({ rest }) => queries.legacyToken(required(rest, 'ACL')),
      }),
      right: asks(),
    },
  ];
}

function legacyWrites(deps: AclDeps): Route[] {
  const row = { method: 'PUT', right: ACL_WRITE } as const;
  return [
    {
      ...row,
      path: '/v1/acl/create',
      body: newBody,
      does: 'makes a token of the older API',
      handle: (request) => set(deps, request),
    },
    {
      ...row,
      path: '/v1/acl/update',
      body: legacyBody,
      does: 'changes or makes a token of the older API',
      handle: (request) => set(deps, request, 'ACL ID must be set'),
    },
    {
      ...row,
      path: '/v1/acl/clone/',
      rest: 'secret',
      does: 'makes another one like a token of the older API',
      handle: (request) => clone(deps, request),
    },
    {
      ...row,
      path: '/v1/acl/destroy/',
      rest: 'secret',
      does: 'removes a token by its secret',
      handle: (request) => destroy(deps, request),
    },
  ];
}

interface LegacyBody {
  readonly ID: string;
  readonly Name: string;
  readonly Type: string;
  readonly Rules: string;
}

const text = { type: 'string', default: '' } as const;
const legacyBody = decoder<LegacyBody>({
  type: 'object',
  properties: { ID: text, Name: text, Type: text, Rules: text },
  unheeded: ['CreateIndex', 'ModifyIndex'],
});
const newBody = optional(legacyBody);

async function set(deps: AclDeps, request: HttpRequest, withoutId = ''): Promise<Reply> {
  const body = await request.json(withoutId === '' ? newBody : legacyBody);
  if (body.ID === '' && withoutId !== '') throw new ProconsulError('invalid', withoutId);
  const Type = body.Type === '' ? 'client' : body.Type;
  if (Type !== 'client' && Type !== 'management') throw rejected('Invalid ACL Type');
  if (isRoot(body.ID)) throw refused('Cannot modify root ACL');
  const { Name: Description, Rules } = body;
  checkLegacyRules(Rules);
  const SecretID = body.ID === '' ? deps.random.uuid() : body.ID;
  return save(deps, request, tokenOf({ AccessorID: '', SecretID, Description, Type, Rules }));
}

async function save(deps: AclDeps, request: HttpRequest, token: TokenDefinition): Promise<Reply> {
  await write(request, deps, { type: 'set-legacy-token', token });
  return { json: { ID: token.SecretID } };
}

function checkLegacyRules(rules: string): void {
  try {
    checkRules(rules, 'legacy');
  } catch (error) {
    if (!(error instanceof ProconsulError) || error.code === 'invalid') throw error;
    throw rejected(`ACL rule compilation failed: ${error.message}`);
  }
}

function refused(why: string): ProconsulError {
  return new ProconsulError('forbidden', `Permission denied: ${why}`);
}

async function clone(deps: AclDeps, request: HttpRequest): Promise<Reply> {
  const secret = required(request.rest, 'ACL');
  const row = (await currentAcl(deps)).tokens.get(secret);
  const { index } = deps.state();
  const headers = {
    'X-Consul-Index': String(index),
    'X-Consul-Knownleader': 'true',
    'X-Consul-Lastcontact': '0',
  };
  if (row === undefined || row.Type === '' || row.AccessorID !== '') {
    return { status: 403, text: PERMISSION_DENIED, headers };
  }
  const { Description, Type, Rules } = row;
  const ids = { AccessorID: '', SecretID: deps.random.uuid() };
  const reply = await save(deps, request, tokenOf({ ...ids, Description, Type, Rules }));
  return { ...reply, headers };
}

async function destroy(deps: AclDeps, request: HttpRequest): Promise<Reply> {
  const secret = required(request.rest, 'ACL');
  if (secret === ANONYMOUS_SECRET) throw refused('Cannot delete anonymous token');
  const row = (await currentAcl(deps)).tokens.get(secret);
  if (row !== undefined) {
    const { AccessorID: accessor } = row;
    await write(request, deps, { type: 'delete-acl-token', secret, accessor });
  }
  return { json: true };
}
