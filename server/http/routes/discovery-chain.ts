/** /v1/discovery-chain: what calls to a service come to, as config entries say. */
import { decodeSome } from '../../../lib/config-entries/decode.ts';
import { duration, struct, type Table, text } from '../../../lib/config-entries/fields.ts';
import { decoder, refined } from '../../../lib/decode.ts';
import { messageOf, ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { shows } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { param, READING } from '../../../lib/http/takes.ts';
import { NO_OVERRIDES, type Overrides } from '../../chain/chain.ts';
import { discoveryChain } from '../../query/chain.ts';
import type { PlaceDeps, ReadDeps, ServerDeps } from '../deps.ts';
import { type Read, readRoute } from '../reads.ts';

type Deps = ReadDeps & PlaceDeps & Pick<ServerDeps, 'connect'>;

export function discoveryChainRoutes(deps: Deps): Route[] {
  const read = chainRead(deps, NO_OVERRIDES);
  const { handle, ...row } = readRoute(deps, read);
  return [
    { ...row, handle: (request) => nameless(request) ?? handle(request) },
    {
      method: 'POST',
      path: read.path,
      rest: 'service',
      params: { ...read.params, ...READING },
      body: overridesBody,
      right: shows('service:read', ['service:read']),
      does: 'compiles the chain with some of what entries say overridden',
      handle: async (request) => {
        const overrides = await request.json(overridesBody);
        const compiled = readRoute(deps, chainRead(deps, overrides));
        return nameless(request) ?? (await compiled.handle(request));
      },
    },
  ];
}

function chainRead({ datacenter: here, connect }: Deps, overrides: Overrides): Read {
  return {
    path: '/v1/discovery-chain/',
    rest: 'service',
    params: { 'compile-dc': param.text('as if it were in this data centre') },
    right: 'service:read',
    does: 'shows what calls to a service come to',
    saysConsistency: true,
    query: ({ rest: service, params }) => {
      if (connect === undefined) {
        const why = 'Connect must be enabled in order to use this endpoint';
        throw new ProconsulError('rejected', why);
      }
      const datacenter = params.get('compile-dc') || here;
      return discoveryChain({ service, datacenter, here, overrides });
    },
  };
}

function nameless({ rest }: HttpRequest): Reply | undefined {
  return rest === '' ? { status: 400, text: 'Bad request: Missing chain name' } : undefined;
}

const OPENING = 'Bad request: Request decoding failed';
const OVERRIDES: Table = {
  OverrideProtocol: text,
  OverrideConnectTimeout: duration,
  OverrideMeshGateway: struct({ Mode: text }),
};
const NAMES = Object.fromEntries(Object.keys(OVERRIDES).map((name) => [name, {}]));
const MODES: ReadonlySet<string> = new Set(['', 'none', 'local', 'remote']);

interface Said {
  readonly OverrideProtocol?: string;
  readonly OverrideConnectTimeout?: number;
  readonly OverrideMeshGateway: { readonly Mode?: string };
}

const overridesBody = refined(
  decoder<object>({ type: 'object', free: true, properties: NAMES }, OPENING),
  (body): Overrides => {
    const said = saidIn(body);
    const meshGateway = said.OverrideMeshGateway.Mode ?? '';
    if (!MODES.has(meshGateway)) {
      throw new ProconsulError('invalid', 'Invalid OverrideMeshGateway.Mode parameter');
    }
    return {
      protocol: said.OverrideProtocol ?? '',
      meshGateway,
      connectTimeout: said.OverrideConnectTimeout ?? 0,
    };
  },
);

function saidIn(body: object): Said {
  try {
    return decodeSome(OVERRIDES, { ...body }, 'open') as unknown as Said;
  } catch (error) {
    throw new ProconsulError('invalid', `${OPENING}: ${messageOf(error)}`);
  }
}
