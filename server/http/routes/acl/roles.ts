/** /v1/acl/role and /v1/acl/roles. */
import { withHash } from '../../../../lib/acl/builtin.ts';
import { decoder } from '../../../../lib/decode.ts';
import type { Reply } from '../../../../lib/http/reply.ts';
import type { HttpRequest, Route } from '../../../../lib/http/route.ts';
import { param } from '../../../../lib/http/takes.ts';
import { canonicalId, isUuid } from '../../../../lib/ids.ts';
import * as queries from '../../../query/acl.ts';
import { write } from '../../deps.ts';
import { readRoute } from '../../reads.ts';
import {
  ACL_READ,
  type AclDeps,
  badRequest,
  checkedName,
  currentAcl,
  rejected,
  requiredId,
  writeRows,
} from './deps.ts';
import { type GrantsBody, grantsSchema, toGrants } from './grants.ts';
import { requiredName } from './policies.ts';

export function roleRoutes(deps: AclDeps): Route[] {
  return [
    readRoute(deps, {
      right: ACL_READ,
      path: '/v1/acl/roles',
      params: { policy: param.text('only those that have the policy with this id') },
      does: 'lists the roles; with ?policy those that have it',
      query: ({ params }) => queries.roles(params.get('policy')),
    }),
    readRoute(deps, {
      right: ACL_READ,
      path: '/v1/acl/role/',
      answers: { 404: 'there is none' },
      rest: 'id',
      does: 'shows a role',
      bareMissing: true,
      query: ({ rest }) => queries.role(requiredId(rest, 'role')),
    }),
    readRoute(deps, {
      right: ACL_READ,
      path: '/v1/acl/role/name/',
      answers: { 404: 'there is none' },
      rest: 'name',
      does: 'shows the role with that name',
      bareMissing: true,
      query: ({ rest }) => queries.roleNamed(requiredName(rest, 'role')),
    }),
    ...writeRows(deps, {
      path: '/v1/acl/role',
      rest: 'id',
      body: roleBody,
      makes: 'makes a role',
      changes: 'changes a role',
      removes: 'removes a role',
      set: (request) => set(deps, request),
      remove: (rest) => ({ type: 'delete-acl-role', id: requiredId(rest, 'role') }),
    }),
  ];
}

interface RoleBody extends GrantsBody {
  readonly ID: string;
  readonly Name: string;
  readonly Description: string;
}

const text = { type: 'string', default: '' } as const;
const roleBody = decoder<RoleBody>(
  {
    type: 'object',
    properties: { ID: text, Name: text, Description: text, ...grantsSchema },
    unheeded: ['CreateIndex', 'Hash', 'ModifyIndex'],
  },
  'Bad request: Role decoding failed',
);

async function set(deps: AclDeps, request: HttpRequest): Promise<Reply> {
  const { rest: named } = request;
  const body = await request.json(roleBody);
  if (body.ID !== '' && body.ID !== named) {
    throw badRequest('Role ID in URL and payload do not match');
  }
  const update = named !== '';
  if (update && !isUuid(named)) throw rejected('Role ID invalid UUID');
  const said = { Name: checkedName(body.Name, 'Role'), Description: body.Description };
  const grants = toGrants(await currentAcl(deps), body, 'role', false);
  const ID = update ? canonicalId(named) : deps.random.uuid();
  const role = withHash({ ID, ...said, ...grants });
  await write(request, deps, { type: 'set-acl-role', role, update });
  const { acl } = deps.state();
  const row = acl.roles.get(ID);
  return { json: row === undefined ? { ID, ...said } : queries.shownRole(acl, row) };
}
