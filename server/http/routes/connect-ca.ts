/** /v1/connect/ca: the mesh's certificate authority. */

import { CONNECT_OFF, SIGN_PATH } from '../../../lib/connect/model.ts';
import { decoder } from '../../../lib/decode.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { parseBool } from '../../../lib/go-literals.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { anyone, asks, needs, refuseHopeless } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { CONSISTENCY, param } from '../../../lib/http/takes.ts';
import type { CaOrder } from '../../connect/authority.ts';
import { withoutSecrets } from '../../connect/ca-settings.ts';
import { caRoots, caRootsAsPem } from '../../query/authority.ts';
import {
  type ConnectParts,
  type ConnectSwitch,
  type ReadDeps,
  type WriteDeps,
  write,
  writeAs,
} from '../deps.ts';
import { fresh, readRoute } from '../reads.ts';

type Deps = ReadDeps & WriteDeps & ConnectSwitch;

const MAY_SIGN = asks('service:write', ['service:write']);

export function connectCaRoutes(deps: Deps): Route[] {
  return [
    readRoute(deps, {
      path: '/v1/connect/ca/roots',
      params: { pem: param.boolean('only the certificates, one behind the other') },
      right: anyone,
      neverSaysLeader: true,
      does: 'shows the roots by which the certificates of services can be verified',
      query: ({ params }) => {
        on(deps);
        return parseBool(params.get('pem')) === true ? caRootsAsPem() : caRoots();
      },
    }),
    {
      method: 'GET',
      path: '/v1/connect/ca/configuration',
      params: CONSISTENCY,
      right: needs('operator:read'),
      does: 'shows what the certificate authority was told; its private key only to operator:write',
      handle: async (request) => {
        on(deps);
        return await fresh(deps, request, () => showConfig(deps, request));
      },
    },
    {
      method: 'PUT',
      path: '/v1/connect/ca/configuration',
      right: needs('operator:write'),
      body: configBody,
      does: 'tells the certificate authority what it is to be; another key makes another root',
      handle: async (request) => {
        const order = await request.json(configBody);
        await on(deps).authority.configure(order, (command) => write(request, deps, command));
        return {};
      },
    },
    {
      method: 'PUT',
      path: SIGN_PATH,
      right: MAY_SIGN,
      body: signBody,
      does: "signs a service's certificate for an agent (Proconsul's own)",
      handle: (request) => sign(deps, request),
    },
  ];
}

function on({ connect }: ConnectSwitch): ConnectParts {
  if (connect === undefined) throw new ProconsulError('rejected', CONNECT_OFF);
  return connect;
}

function showConfig(deps: Deps, { caller }: HttpRequest): Reply {
  const { config } = deps.state().authority;
  if (config === undefined) return { json: null };
  const { ClusterID: _, ...shown } = config;
  const seesKey = caller.rights.all || caller.rights.may('operator', 'write', '');
  return { json: seesKey ? shown : { ...shown, Config: withoutSecrets(shown.Config) } };
}

const configBody = decoder<CaOrder>(
  {
    type: 'object',
    properties: {
      Provider: { type: 'string', default: '' },
      Config: { type: ['object', 'null'], free: true, default: null },
      ForceWithoutCrossSigning: { type: 'boolean', default: false },
    },
    // Clients send back what they have read.
    unheeded: ['State', 'ClusterID', 'CreateIndex', 'ModifyIndex'],
  },
  'Bad request: Request decode failed',
);

/** Of the largest key that anybody uses, RSA's of 16,384 bits, it takes less. */
const MAX_CSR = 8 * 1024;

const signBody = decoder<{ readonly CSR: string; readonly ForIngress: boolean }>({
  type: 'object',
  required: ['CSR'],
  properties: {
    CSR: { type: 'string', maxLength: MAX_CSR },
    ForIngress: { type: 'boolean', default: false },
  },
});

async function sign(deps: Deps, request: HttpRequest): Promise<Reply> {
  const { signer } = on(deps);
  // To read what he sends takes time of everybody else's.
  refuseHopeless(MAY_SIGN, request.caller);
  const { CSR: csr, ForIngress: forIngress } = await request.json(signBody);
  const leaf = await signer.sign({ csr, forIngress }, (service) =>
    writeAs(request, deps, { type: 'take-serial', service }),
  );
  return { json: leaf };
}
