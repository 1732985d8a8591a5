/** What agents ask for their proxies, and no one else's endpoint answers. */
import { CENTRAL_DEFAULTS_PATH, type DefaultsOf } from '../../../lib/central-defaults.ts';
import { decoder } from '../../../lib/decode.ts';
import { shows } from '../../../lib/http/right.ts';
import type { Route } from '../../../lib/http/route.ts';
import { READING } from '../../../lib/http/takes.ts';
import { MAX_UPSTREAMS } from '../../../lib/limits.ts';
import { centralDefaults } from '../../query/central-defaults.ts';
import type { ReadDeps } from '../deps.ts';
import { type Read, readRoute } from '../reads.ts';

interface Body {
  readonly Service: string;
  readonly Upstreams: readonly string[];
}

const body = decoder<Body>({
  type: 'object',
  required: ['Service'],
  properties: {
    Service: { type: 'string', minLength: 1 },
    Upstreams: {
      type: 'array',
      items: { type: 'string' },
      maxItems: MAX_UPSTREAMS,
      default: [],
    },
  },
});

/** It reads, and waits as reads do: what a proxy calls may be too much for a query string. */
export function centralDefaultsRoutes(deps: ReadDeps): Route[] {
  return [
    {
      method: 'POST',
      path: CENTRAL_DEFAULTS_PATH,
      params: READING,
      body,
      right: shows('service:read', ['service:read']),
      does: 'shows what the proxies of a service take over from config entries',
      handle: async (request) => {
        const { Service: service, Upstreams: upstreams } = await request.json(body);
        return await readRoute(deps, readOf({ service, upstreams })).handle(request);
      },
    },
  ];
}

function readOf(of: DefaultsOf): Read {
  return {
    path: CENTRAL_DEFAULTS_PATH,
    right: 'service:read',
    does: 'shows what the proxies of a service take over from config entries',
    query: () => centralDefaults(of),
  };
}
