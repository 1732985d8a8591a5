/** /v1/acl/token and /v1/acl/tokens. */
import { withHash } from '../../../../lib/acl/builtin.ts';
import { ANONYMOUS_ACCESSOR_ID, type Token } from '../../../../lib/acl/model.ts';
import { tokenNotFound } from '../../../../lib/acl/refusals.ts';
import type { Reply } from '../../../../lib/http/reply.ts';
import { anyone, asks } from '../../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../../lib/http/route.ts';
import { param } from '../../../../lib/http/takes.ts';
import { canonicalId, idComplaint, isUuid } from '../../../../lib/ids.ts';
import type { Expiry, SetAclToken } from '../../../acl-commands.ts';
import * as queries from '../../../query/acl.ts';
import type { Query } from '../../../query/query.ts';
import { write } from '../../deps.ts';
import { readRoute } from '../../reads.ts';
import {
  ACL_READ,
  ACL_WRITE,
  type AclDeps,
  badRequest,
  currentAcl,
  lookupId,
  rejected,
  requiredId,
} from './deps.ts';
import {
  copied,
  expiryOf,
  type Said,
  saidExpiry,
  type TokenBody,
  tokenBody,
  toToken,
} from './token-body.ts';

export function tokenRoutes(deps: AclDeps): Route[] {
  return [...tokenReads(deps), ...tokenWrites(deps)];
}

const CLONE = 'clone';
const EXPANDED = { expanded: param.flag('also the policies and roles that it comes to, whole') };

function tokenReads(deps: AclDeps): Route[] {
  return [
    readRoute(deps, {
      right: ACL_READ,
      path: '/v1/acl/tokens',
      params: {
        policy: param.text('only those that have the policy with this id'),
        role: param.text('only those that have the role with this id'),
        authmethod: param.text('only those that a login by this auth method gave'),
      },
      does: 'lists the tokens, without their secrets; with ?policy, ?role or ?authmethod those that have it',
      query: listQuery,
    }),
    readRoute(deps, {
      right: ACL_READ,
      path: '/v1/acl/token/',
      rest: 'accessor',
      params: EXPANDED,
      does: 'shows a token, with its secret to those who may write; with ?expanded its policies too',
      query: ({ rest, params, caller: { rights } }) =>
        queries.token(
          { accessor: requiredId(rest, 'token') },
          { secret: rights.may('acl', 'write', ''), expanded: params.has('expanded') },
        ),
    }),
    {
      ...readRoute(deps, {
        right: asks(),
        path: '/v1/acl/token/self',
        params: EXPANDED,
        does: 'shows the token that the request brings',
        query: selfQuery,
      }),
      indexedErrors: 'leader',
    },
  ];
}

function listQuery({ params }: HttpRequest): Query {
  const [policy, role, authMethod] = ['policy', 'role', 'authmethod'].map((name) =>
    params.get(name),
  ) as [string, string, string];
  if ([policy, role, authMethod].filter((value) => value !== '').length > 1) {
    throw rejected('can only filter by one of policy, role, or methodName at a time');
  }
  return queries.tokens({ policy, role, authMethod });
}

/** Whoever brings none is somebody all the same, but has no token to be shown. */
function selfQuery({ caller, token, params }: HttpRequest): Query {
  const { accessorId: accessor } = caller;
  const view = { secret: true, expanded: params.has('expanded') };
  const hasNone = token === '' && accessor === ANONYMOUS_ACCESSOR_ID;
  return queries.token(accessor === '' || hasNone ? { secret: token } : { accessor }, view);
}

function tokenWrites(deps: AclDeps): Route[] {
  const right = ACL_WRITE;
  return [
    {
      method: 'PUT',
      path: '/v1/acl/token',
      body: tokenBody,
      right,
      does: 'makes a token',
      handle: async (request) => save(deps, request, await create(deps, await bodyOf(request))),
    },
    {
      method: 'PUT',
      path: '/v1/acl/token/',
      rest: 'accessor',
      ends: { [CLONE]: 'makes another token like it' },
      body: tokenBody,
      right,
      does: 'changes a token; below it, /clone makes another one like it',
      handle: async (request) => {
        const body = await bodyOf(request);
        return save(deps, request, await commandOf(deps, request.rest, body));
      },
    },
    {
      method: 'DELETE',
      path: '/v1/acl/token/',
      rest: 'accessor',
      right,
      does: 'removes a token',
      handle: (request) => remove(deps, request),
    },
    // What is not to be done to whoever one is oneself.
    ...(['PUT', 'DELETE'] as const).map((method): Route => {
      const headers = { Allow: 'OPTIONS,GET' };
      const text = `method ${method} not allowed`;
      return {
        method,
        path: '/v1/acl/token/self',
        answers: { 405: 'always' },
        right: anyone,
        does: 'refuses',
        handle: () => ({ status: 405, text, headers }),
      };
    }),
  ];
}

async function bodyOf(request: HttpRequest): Promise<TokenBody> {
  return request.json(tokenBody);
}

async function commandOf(deps: AclDeps, rest: string, body: TokenBody): Promise<SetAclToken> {
  if (rest === '') return create(deps, body);
  if (rest.endsWith(`/${CLONE}`)) return clone(deps, rest.slice(0, -CLONE.length - 1), body);
  return update(deps, rest, body);
}

async function create(deps: AclDeps, body: TokenBody): Promise<SetAclToken> {
  const said = toToken(await currentAcl(deps), body);
  if (body.AuthMethod !== '') throw rejected('AuthMethod field is disallowed outside of Login');
  const AccessorID =
    body.AccessorID === '' ? deps.random.uuid() : lookupId(body.AccessorID, LOOKING);
  const SecretID = body.SecretID === '' ? deps.random.uuid() : body.SecretID;
  if (!isUuid(SecretID)) throw rejected('Invalid Token: SecretID is not a valid UUID');
  if (isReserved(AccessorID) || isReserved(SecretID)) {
    throw rejected(`Invalid Token: UUIDs with the prefix "${RESERVED}" are reserved`);
  }
  return setToken({ AccessorID, SecretID }, said, expiryOf(body, deps.clock.now()));
}

const LOOKING = 'Failed acl token lookup by accessor: failed acl token lookup: index error: ';
const RESERVED = '00000000-0000-0000-0000-0000000000';

function isReserved(id: string): boolean {
  return id.startsWith(RESERVED);
}

function setToken(
  ids: Pick<Token, 'AccessorID' | 'SecretID'>,
  said: Said,
  expiry: Expiry,
  update = false,
): SetAclToken {
  return { type: 'set-acl-token', token: withHash({ ...ids, ...said }), expiry, update };
}

async function save(deps: AclDeps, request: HttpRequest, command: SetAclToken): Promise<Reply> {
  await write(request, deps, command);
  const { acl } = deps.state();
  const row = acl.tokenBy(command.token.AccessorID);
  if (row === undefined) throw tokenNotFound();
  return { json: queries.shownToken(acl, row, { secret: true }) };
}

async function update(deps: AclDeps, named: string, body: TokenBody): Promise<SetAclToken> {
  if (body.AccessorID !== '' && body.AccessorID !== named) {
    throw badRequest('Token Accessor ID in URL and payload do not match');
  }
  const AccessorID = lookupId(named, LOOKING);
  const acl = await currentAcl(deps);
  if (findLive(deps, AccessorID) === undefined) {
    throw rejected(`Cannot find token "${AccessorID}"`);
  }
  const ids = { AccessorID, SecretID: body.SecretID };
  return setToken(ids, toToken(acl, body), saidExpiry(body), true);
}

async function clone(deps: AclDeps, named: string, body: TokenBody): Promise<SetAclToken> {
  const accessor = lookupId(named, LOOKING);
  await currentAcl(deps);
  const row = findLive(deps, accessor);
  if (row === undefined) throw tokenNotFound();
  if (row.AuthMethod !== '') {
    throw rejected('Cannot clone a token created from an auth method');
  }
  const ids = { AccessorID: deps.random.uuid(), SecretID: deps.random.uuid() };
  return setToken(ids, copied(row, body.Description), { atMs: row.expiresAt, ttlMs: 0 });
}

/** One that has expired is gone, though the leader may not have tidied up yet. */
function findLive({ state, clock }: AclDeps, accessor: string): Token | undefined {
  const row = state().acl.tokenBy(accessor);
  const isOver = row !== undefined && row.expiresAt !== 0 && row.expiresAt <= clock.now();
  return isOver ? undefined : row;
}

async function remove(deps: AclDeps, request: HttpRequest): Promise<Reply> {
  const { rest, caller } = request;
  if (rest === '') throw badRequest('Missing token ID');
  if (idComplaint(rest) !== undefined) throw rejected('Accessor ID is missing or an invalid UUID');
  const accessor = canonicalId(rest);
  if (accessor === ANONYMOUS_ACCESSOR_ID) {
    throw rejected('Delete operation not permitted on the anonymous token');
  }
  if (accessor === caller.accessorId) {
    throw rejected("Deletion of the request's authorization token is not permitted");
  }
  const row = (await currentAcl(deps)).tokenBy(accessor);
  if (row !== undefined) {
    const { SecretID: secret } = row;
    await write(request, deps, { type: 'delete-acl-token', secret, accessor });
  }
  return { json: true };
}
