/** /v1/agent/connect: what a sidecar, or a program that is its own, asks of its agent. */
import { permissionDenied } from '../../../lib/acl/refusals.ts';
import { authorizationOf, callerNamed } from '../../../lib/connect/authorization.ts';
import { decoder } from '../../../lib/decode.ts';
import { NS_PER_MS } from '../../../lib/duration.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Params } from '../../../lib/http/params.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { anyone, asks } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { param, READING } from '../../../lib/http/takes.ts';
import { DEFAULT_WAIT_MS, MAX_WAIT_MS } from '../../../lib/limits.ts';
import type { ConnectContext, OwnContext } from '../context.ts';

type Context = ConnectContext & Pick<OwnContext, 'config'>;

const FOR_INGRESS =
  'with the names of DNS that the entry of an ingress gateway says: another text, another certificate';
/** It is kept with the certificate. */
const MAX_INGRESS_TEXT = 64;

const WAITING = { index: READING.index, wait: READING.wait };

export function connectRoutes(agent: Context): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/agent/connect/ca/roots',
      params: WAITING,
      right: anyone,
      does: 'the roots by which services are verified, from what this agent keeps fresh',
      handle: (request) => roots(agent, request),
    },
    {
      method: 'GET',
      path: '/v1/agent/connect/ca/leaf/',
      rest: 'service',
      params: { ...WAITING, ingress: param.text(FOR_INGRESS) },
      right: asks('service:write'),
      does: 'a certificate that says who a service is, with its key',
      handle: (request) => leaf(agent, request),
    },
    {
      method: 'POST',
      path: '/v1/agent/connect/authorize',
      body: authorizeBody,
      right: asks('service:write', ['service:write']),
      does: 'says whether the holder of a certificate may speak to a service',
      handle: (request) => authorize(agent, request),
    },
  ];
}

async function roots(agent: Context, { params, signal }: HttpRequest): Promise<Reply> {
  refuseElsewhere(agent, params);
  const { seenIndex, waitMs } = waitOf(params);
  const { known, ...how } =
    seenIndex === 0 ? await agent.roots.get() : await agent.roots.after(seenIndex, waitMs, signal);
  return {
    json: known.roots,
    headers: {
      'X-Consul-Index': String(known.index),
      // As Consul says them there, where it never knows.
      'X-Consul-Knownleader': 'false',
      'X-Consul-Lastcontact': '0',
      ...cacheHeaders(how),
    },
  };
}

async function leaf(agent: Context, request: HttpRequest): Promise<Reply> {
  const { rest: service, params, signal, token } = request;
  refuseElsewhere(agent, params);
  const { seenIndex, waitMs } = waitOf(params);
  if (service === '') throw new ProconsulError('rejected', 'URI must be either service or agent');
  const refuse = async () => {
    const { rights } = await request.callerNow();
    if (!rights.may('service', 'write', service)) throw permissionDenied();
  };
  await refuse();
  const ingress = params.get('ingress');
  if (ingress.length > MAX_INGRESS_TEXT) throw new ProconsulError('invalid', 'Invalid ingress');
  const whose = { service, token: token || agent.userToken(), ingress };
  const found =
    seenIndex === 0
      ? await agent.leaves.get(whose)
      : await agent.leaves.after(whose, seenIndex, waitMs, signal);
  // Whoever has waited may have lost his right meanwhile.
  if (seenIndex > 0) await refuse();
  const { leaf: json, ...how } = found;
  return {
    json,
    headers: { 'X-Consul-Index': String(json.ModifyIndex), ...cacheHeaders(how) },
  };
}

interface Authorize {
  readonly Target: string;
  readonly ClientCertURI: string;
}

const authorizeBody = decoder<Authorize>(
  {
    type: 'object',
    properties: {
      Target: { type: 'string', default: '' },
      ClientCertURI: { type: 'string', default: '' },
    },
    // Nobody is cut off by the number of his certificate, here as in Consul.
    unheeded: ['ClientCertSerial'],
  },
  'Bad request: Request decode failed',
);

async function authorize(agent: Context, request: HttpRequest): Promise<Reply> {
  const { Target, ClientCertURI } = await request.json(authorizeBody);
  if (Target === '') {
    throw new ProconsulError('invalid', 'Bad request: Target service must be specified');
  }
  const caller = callerNamed(ClientCertURI);
  const { rights } = request.caller;
  if (!rights.may('service', 'write', Target)) throw permissionDenied();
  const token = request.token || agent.userToken();
  const { intentions, isHit } = await agent.authority.intentionsOn(Target, token);
  const { acl } = agent.config;
  // Of who asks it says nothing: a proxy whose token may do anything lets in nobody for that.
  const isAllowed = acl.defaultPolicy === 'allow';
  return {
    json: authorizationOf(caller, intentions, { isAllowed, hasAcl: acl.enabled }),
    headers: { 'X-Cache': isHit ? 'HIT' : 'MISS' },
  };
}

function cacheHeaders({ isHit, ageMs }: { readonly isHit: boolean; readonly ageMs: number }) {
  if (!isHit) return { 'X-Cache': 'MISS' };
  return { 'X-Cache': 'HIT', Age: String(Math.floor(ageMs / 1000)) };
}

function waitOf(params: Params) {
  const seenIndex = Number(params.uint64('index') ?? 0n);
  if (params.get('index') !== '' && params.uint64('index') === undefined) {
    throw new ProconsulError('invalid', 'Invalid index');
  }
  const waitNs = params.duration('wait', 'Invalid wait time') ?? 0;
  const waitMs = Math.min(waitNs > 0 ? waitNs / NS_PER_MS : DEFAULT_WAIT_MS, MAX_WAIT_MS);
  return { seenIndex, waitMs };
}

function refuseElsewhere({ config }: Context, params: Params): void {
  const datacenter = params.get('dc');
  if (datacenter === '' || datacenter === config.datacenter) return;
  throw new ProconsulError('rejected', 'No path to datacenter');
}
