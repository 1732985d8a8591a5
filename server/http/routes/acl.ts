/** /v1/acl: access control. */
import { KNOWN_PARAM, RESOLVE_PATH } from '../../../lib/acl/resolving.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { anyone } from '../../../lib/http/right.ts';
import type { Method, Route } from '../../../lib/http/route.ts';
import { param } from '../../../lib/http/takes.ts';
import { Outbound } from '../../acl/methods/outbound.ts';
import type { AclParts } from '../deps.ts';
import { authMethodRoutes } from './acl/auth-methods.ts';
import { bindingRuleRoutes } from './acl/binding-rules.ts';
import { bootstrapRoutes } from './acl/bootstrap.ts';
import type { AclDeps } from './acl/deps.ts';
import { legacyRoutes } from './acl/legacy.ts';
import { loginRoutes } from './acl/login.ts';
import { oidcRoutes } from './acl/oidc.ts';
import { policyRoutes } from './acl/policies.ts';
import { roleRoutes } from './acl/roles.ts';
import { ruleRoutes } from './acl/rules.ts';
import { tokenRoutes } from './acl/tokens.ts';

const METHODS: readonly Method[] = ['GET', 'PUT', 'POST', 'DELETE'];

export function aclRoutes(deps: AclDeps): Route[] {
  const { acl } = deps;
  if (acl === undefined) return disabled();
  const outbound = new Outbound(deps.clock);
  return [
    ...bootstrapRoutes(deps, acl.resetFile),
    ...tokenRoutes(deps),
    ...policyRoutes(deps),
    ...roleRoutes(deps),
    ...ruleRoutes(deps),
    ...authMethodRoutes(deps, outbound),
    ...bindingRuleRoutes(deps),
    ...loginRoutes(deps, outbound),
    ...oidcRoutes(deps, outbound),
    ...legacyRoutes(deps),
    resolving(acl),
  ];
}

/** What whoever asks is told is his own: no right is needed for it, but the token. */
function resolving({ resolve }: AclParts): Route {
  return {
    method: 'GET',
    path: RESOLVE_PATH,
    right: anyone,
    params: { [KNOWN_PARAM]: param.text('the digest of the rules that the agent has') },
    does: "says to an agent what a token may do (Proconsul's own)",
    handle: async ({ token, params }) => ({ json: await resolve(token, params.get(KNOWN_PARAM)) }),
  };
}

/** Without access control they all say so, whatever the path. */
function disabled(): Route[] {
  return ['/v1/acl/', '/v1/internal/acl/'].flatMap((path) =>
    METHODS.map((method) => ({
      method,
      path,
      right: anyone,
      does: 'refuses: there is no access control',
      anyDatacenter: true,
      handle: () => {
        throw new ProconsulError('unauthorized', 'ACL support disabled');
      },
    })),
  );
}
