/** /v1/acl/oidc: logins by a browser, at a provider of OpenID Connect. */
import { tokenNotFound } from '../../../../lib/acl/refusals.ts';
import { decoder } from '../../../../lib/decode.ts';
import type { Reply } from '../../../../lib/http/reply.ts';
import { anyone } from '../../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../../lib/http/route.ts';
import type { StringMap } from '../../../../lib/model.ts';
import { authUrl, calledBack, isOidc } from '../../../acl/methods/oidc.ts';
import type { Outbound } from '../../../acl/methods/outbound.ts';
import { type AclDeps, currentAcl, rejected } from './deps.ts';
import { loggedIn, MAX_LOGIN_BYTES } from './login.ts';

export function oidcRoutes(deps: AclDeps, outbound: Outbound): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/acl/oidc/auth-url',
      body: beginBody,
      right: anyone,
      does: 'says where a browser goes to log in by an auth method of the type oidc',
      handle: (request) => begin(deps, request, outbound),
    },
    {
      method: 'POST',
      path: '/v1/acl/oidc/callback',
      body: endBody,
      right: anyone,
      does: 'gives whoever comes back from there a token, by the binding rules',
      handle: (request) => end(deps, request, outbound),
    },
  ];
}

const text = { type: 'string', default: '' } as const;
const OPENING = 'Bad request: Failed to decode request body';

interface BeginBody {
  readonly AuthMethod: string;
  readonly RedirectURI: string;
  readonly ClientNonce: string;
  readonly Meta: StringMap;
}

const beginBody = decoder<BeginBody>(
  {
    type: 'object',
    properties: {
      AuthMethod: text,
      RedirectURI: text,
      ClientNonce: text,
      Meta: { type: 'object', additionalProperties: { type: 'string' }, default: {} },
    },
  },
  OPENING,
);

/** All of it goes through the address bar of a browser. */
const MAX_BEGIN_BYTES = 2048;

async function begin(deps: AclDeps, request: HttpRequest, outbound: Outbound): Promise<Reply> {
  const body = await request.json(beginBody, MAX_BEGIN_BYTES);
  const method = (await currentAcl(deps)).authMethod(body.AuthMethod);
  if (method === undefined) throw tokenNotFound();
  refuseOthers(method.Type);
  const asked = {
    redirectUri: body.RedirectURI,
    clientNonce: body.ClientNonce,
    meta: body.Meta,
    randomId: deps.random.uuid(),
  };
  return {
    json: { AuthURL: await authUrl(method.Config, asked, asking(deps, request, outbound)) },
  };
}

interface EndBody {
  readonly AuthMethod: string;
  readonly State: string;
  readonly Code: string;
  readonly ClientNonce: string;
}

const endBody = decoder<EndBody>(
  {
    type: 'object',
    properties: { AuthMethod: text, State: text, Code: text, ClientNonce: text },
  },
  OPENING,
);

async function end(deps: AclDeps, request: HttpRequest, outbound: Outbound): Promise<Reply> {
  const body = await request.json(endBody, MAX_LOGIN_BYTES);
  const back = { state: body.State, code: body.Code, clientNonce: body.ClientNonce };
  return loggedIn(deps, {
    method: body.AuthMethod,
    identify: (_, { Type, Config }) => {
      refuseOthers(Type);
      return calledBack(Config, back, asking(deps, request, outbound));
    },
  });
}

function refuseOthers(type: string): void {
  if (!isOidc(type))
    throw rejected(`auth method type ${JSON.stringify(type)} has no browser login`);
}

function asking({ clock }: AclDeps, { signal }: HttpRequest, outbound: Outbound) {
  return { outbound, now: () => clock.now(), signal };
}
