/** /v1/acl/auth-method and /v1/acl/auth-methods. */
import type { AuthMethodDefinition } from '../../../../lib/acl/model.ts';
import { decoder } from '../../../../lib/decode.ts';
import { formatDuration } from '../../../../lib/duration.ts';
import type { Reply } from '../../../../lib/http/reply.ts';
import type { HttpRequest, Route } from '../../../../lib/http/route.ts';
import type { Outbound } from '../../../acl/methods/outbound.ts';
import { METHOD_TYPES } from '../../../acl/methods/types.ts';
import * as queries from '../../../query/acl-methods.ts';
import { TYPE_STAYS } from '../../../state/method-commands.ts';
import { write } from '../../deps.ts';
import { readRoute } from '../../reads.ts';
import {
  ACL_READ,
  type AclDeps,
  badRequest,
  checkedName,
  currentAcl,
  rejected,
  writeRows,
} from './deps.ts';

export function authMethodRoutes(deps: AclDeps, outbound: Outbound): Route[] {
  return [
    readRoute(deps, {
      right: ACL_READ,
      path: '/v1/acl/auth-methods',
      does: 'lists the auth methods, without their configuration',
      query: () => queries.authMethods(),
    }),
    readRoute(deps, {
      right: ACL_READ,
      path: '/v1/acl/auth-method/',
      answers: { 404: 'there is none' },
      rest: 'name',
      does: 'shows an auth method, with its secrets to those who may write',
      query: ({ rest, caller: { rights } }) =>
        queries.authMethod(requiredName(rest), { secret: rights.may('acl', 'write', '') }),
      bareMissing: true,
    }),
    ...writeRows(deps, {
      path: '/v1/acl/auth-method',
      rest: 'name',
      body: methodBody,
      makes: 'makes an auth method (jwt, kubernetes, oidc), or changes the one with its name',
      changes: 'changes an auth method, or makes it',
      removes: 'removes an auth method, its binding rules, and the tokens that it gave',
      set: (request) => set(deps, request, outbound),
      remove: (rest) => ({ type: 'delete-auth-method', name: requiredName(rest) }),
    }),
  ];
}

function requiredName(rest: string): string {
  if (rest === '') throw badRequest('Missing auth method name');
  return rest;
}

type MethodBody = Omit<AuthMethodDefinition, 'TokenLocality'> & { readonly TokenLocality: string };

const text = { type: 'string', default: '' } as const;
const methodBody = decoder<MethodBody>(
  {
    type: 'object',
    properties: {
      Name: text,
      Type: text,
      DisplayName: text,
      Description: text,
      MaxTokenTTL: { duration: true, default: 0 },
      TokenLocality: text,
      Config: { type: 'object', free: true, default: {} },
    },
    unheeded: ['CreateIndex', 'ModifyIndex'],
  },
  'Bad request: AuthMethod decoding failed',
);

async function set(deps: AclDeps, request: HttpRequest, outbound: Outbound): Promise<Reply> {
  const { rest, signal } = request;
  const body = await request.json(methodBody);
  if (rest !== '' && body.Name !== '' && body.Name !== rest) {
    throw badRequest('AuthMethod Name in URL and payload do not match');
  }
  const Name = checkedName(body.Name === '' ? rest : body.Name, 'Auth Method');
  const before = (await currentAcl(deps)).authMethod(Name);
  const Type = body.Type === '' ? (before?.Type ?? '') : body.Type;
  if (before !== undefined && Type !== before.Type) throw rejected(TYPE_STAYS);
  const type = METHOD_TYPES.get(Type);
  if (type === undefined) {
    const known = [...METHOD_TYPES.keys()].sort().join(' ');
    throw invalid(`Type should be one of: [${known}]`);
  }
  refuseTtl(body.MaxTokenTTL);
  const method = { ...body, Name, Type, TokenLocality: checkedLocality(body.TokenLocality) };
  await type.check(method.Config, { outbound, now: () => deps.clock.now(), signal });
  await write(request, deps, { type: 'set-auth-method', method });
  const row = deps.state().acl.authMethod(Name);
  // Somebody may have removed it again by now: then what was written is all there is to say.
  const said = row ?? { ...method, CreateIndex: 0, ModifyIndex: 0 };
  return { json: queries.shownMethod(said, { secret: true }) };
}

function invalid(why: string) {
  return rejected(`Invalid Auth Method: ${why}`);
}

const MINUTE_NS = 60e9;
const DAY_NS = 24 * 60 * MINUTE_NS;

function refuseTtl(ns: number): void {
  if (ns === 0) return;
  const said = `MaxTokenTTL ${formatDuration(ns)}`;
  if (ns < MINUTE_NS) throw rejected(`${said} cannot be less than 1m0s`);
  if (ns > DAY_NS) throw rejected(`${said} cannot be more than 24h0m0s`);
}

function checkedLocality(said: string): AuthMethodDefinition['TokenLocality'] {
  if (said === '' || said === 'local' || said === 'global') return said;
  throw invalid("TokenLocality should be one of 'local' or 'global'");
}
