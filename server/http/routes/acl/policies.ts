/** /v1/acl/policy and /v1/acl/policies. */
import { withHash } from '../../../../lib/acl/builtin.ts';
import { decoder } from '../../../../lib/decode.ts';
import type { Reply } from '../../../../lib/http/reply.ts';
import type { HttpRequest, Route } from '../../../../lib/http/route.ts';
import { canonicalId, isUuid } from '../../../../lib/ids.ts';
import * as queries from '../../../query/acl.ts';
import { write } from '../../deps.ts';
import { readRoute } from '../../reads.ts';
import {
  ACL_READ,
  type AclDeps,
  badRequest,
  checkedName,
  checkRules,
  rejected,
  requiredId,
  writeRows,
} from './deps.ts';

export function policyRoutes(deps: AclDeps): Route[] {
  return [
    readRoute(deps, {
      right: ACL_READ,
      path: '/v1/acl/policies',
      does: 'lists the policies',
      query: () => queries.policies(),
    }),
    readRoute(deps, {
      right: ACL_READ,
      path: '/v1/acl/policy/',
      rest: 'id',
      does: 'shows a policy',
      query: ({ rest }) => queries.policy(requiredId(rest, 'policy')),
    }),
    readRoute(deps, {
      right: ACL_READ,
      path: '/v1/acl/policy/name/',
      rest: 'name',
      does: 'shows the policy with that name',
      query: ({ rest }) => queries.policyNamed(requiredName(rest, 'policy')),
    }),
    ...writeRows(deps, {
      path: '/v1/acl/policy',
      rest: 'id',
      body: policyBody,
      makes: 'makes a policy',
      changes: 'changes a policy',
      removes: 'removes a policy',
      set: (request) => set(deps, request),
      remove: (rest) => ({ type: 'delete-acl-policy', id: requiredId(rest, 'policy') }),
    }),
  ];
}

export function requiredName(rest: string, what: 'policy' | 'role'): string {
  if (rest === '') throw badRequest(`Missing ${what} Name`);
  return rest;
}

interface PolicyBody {
  readonly ID: string;
  readonly Name: string;
  readonly Description: string;
  readonly Rules: string;
  readonly Datacenters: readonly string[] | null;
}

const text = { type: 'string', default: '' } as const;
const policyBody = decoder<PolicyBody>(
  {
    type: 'object',
    properties: {
      ID: text,
      Name: text,
      Description: text,
      Rules: text,
      Datacenters: { type: 'array', items: { type: 'string' }, default: null, nullable: true },
    },
    unheeded: ['CreateIndex', 'Hash', 'ModifyIndex', 'Syntax'],
  },
  'Bad request: Policy decoding failed',
);

async function set(deps: AclDeps, request: HttpRequest): Promise<Reply> {
  const { rest: named } = request;
  const body = await request.json(policyBody);
  const update = named !== '';
  if (!update && body.ID !== '') {
    throw badRequest('Cannot specify the ID when creating a new policy');
  }
  if (update && body.ID !== '' && body.ID !== named) {
    throw badRequest('Policy ID in URL and payload do not match');
  }
  if (update && !isUuid(named)) throw rejected('Policy ID invalid UUID');
  const { Description, Rules, Datacenters } = body;
  const said = { Name: checkedName(body.Name, 'Policy'), Description, Rules, Datacenters };
  checkRules(Rules);
  const ID = update ? canonicalId(named) : deps.random.uuid();
  await write(request, deps, { type: 'set-acl-policy', policy: withHash({ ID, ...said }), update });
  const row = deps.state().acl.policies.get(ID);
  // Somebody may have removed it again by now: then what was written is all there is to say.
  return { json: row === undefined ? { ID, ...said } : queries.shownPolicy(row) };
}
