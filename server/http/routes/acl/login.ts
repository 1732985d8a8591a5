/** /v1/acl/login and /v1/acl/logout. */
import { permissionDenied, tokenNotFound } from '../../../../lib/acl/refusals.ts';
import { decoder } from '../../../../lib/decode.ts';
import type { Reply } from '../../../../lib/http/reply.ts';
import { anyone, asks } from '../../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../../lib/http/route.ts';
import type { StringMap } from '../../../../lib/model.ts';
import { type LoginRequest, logIn } from '../../../acl/methods/logins.ts';
import type { Outbound } from '../../../acl/methods/outbound.ts';
import * as queries from '../../../query/acl.ts';
import { write } from '../../deps.ts';
import { type AclDeps, currentAcl } from './deps.ts';

/** Tokens of others have some kilobytes at most, and anybody may send some. */
export const MAX_LOGIN_BYTES = 64 * 1024;

export function loginRoutes(deps: AclDeps, outbound: Outbound): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/acl/login',
      body: loginBody,
      answers: { 403: 'no such auth method, or no rule that gives anything' },
      right: anyone,
      does: 'gives whoever an auth method knows a token, by its binding rules',
      handle: (request) => login(deps, request, outbound),
    },
    {
      method: 'POST',
      path: '/v1/acl/logout',
      right: asks(),
      does: 'ends the token that the request brings, if a login gave it',
      handle: (request) => logout(deps, request),
    },
  ];
}

interface LoginBody {
  readonly AuthMethod: string;
  readonly BearerToken: string;
  readonly Meta: StringMap;
}

const text = { type: 'string', default: '' } as const;
const loginBody = decoder<LoginBody>(
  {
    type: 'object',
    properties: {
      AuthMethod: text,
      BearerToken: text,
      Meta: { type: 'object', additionalProperties: { type: 'string' }, default: {} },
    },
  },
  'Bad request: Failed to decode request body',
);

async function login(deps: AclDeps, request: HttpRequest, outbound: Outbound): Promise<Reply> {
  const { AuthMethod, BearerToken, Meta } = await request.json(loginBody, MAX_LOGIN_BYTES);
  const asking = { outbound, now: () => deps.clock.now(), signal: request.signal };
  return loggedIn(deps, {
    method: AuthMethod,
    identify: async (type, { Config }) => {
      return { identity: await type.login(Config, BearerToken, asking), meta: Meta };
    },
  });
}

/** The token of whoever it is. */
export async function loggedIn(deps: AclDeps, request: LoginRequest): Promise<Reply> {
  const current = async () => {
    await currentAcl(deps);
    return deps.state();
  };
  const accessor = await logIn({ ...deps, current }, request);
  const { acl } = deps.state();
  const row = acl.tokenBy(accessor);
  // Its method was removed at once.
  if (row === undefined) throw tokenNotFound();
  return { json: queries.shownToken(acl, row, { secret: true }) };
}

async function logout(deps: AclDeps, request: HttpRequest): Promise<Reply> {
  const { token, caller } = request;
  if (token === '') throw tokenNotFound();
  const row = (await currentAcl(deps)).tokens.get(token);
  if (row === undefined) throw tokenNotFound();
  if (row.AuthMethod === '' || row.AccessorID !== caller.accessorId) throw permissionDenied();
  const command = { type: 'delete-acl-token', secret: token, accessor: row.AccessorID } as const;
  await write(request, deps, command);
  return { json: true };
}
