/** What an agent says of itself and its machine, and what it is told to do. */

import type { Caller } from '../../../lib/acl/rights.ts';
import { debugConfig } from '../../../lib/config/debug-config.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { needs } from '../../../lib/http/right.ts';
import type { Route } from '../../../lib/http/route.ts';
import { param } from '../../../lib/http/takes.ts';
import { Tellings } from '../../../lib/http/tellings.ts';
import { byName } from '../../../lib/key-order.ts';
import { EXPOSITION_TYPE } from '../../../lib/metrics/exposition.ts';
import { CONSUL_VERSION } from '../../../lib/version.ts';
import type { Figures, OwnContext, ProcessContext, RegistrationContext } from '../context.ts';

type Context = OwnContext & RegistrationContext & ProcessContext;

export function infoRoutes(agent: Context): readonly Route[] {
  const configShown = shownConfig(agent);
  const right = needs('agent:read', () => agent.config.nodeName);
  const tellings = new Tellings(agent.clock);
  return [
    {
      method: 'GET',
      path: '/v1/agent/self',
      right: needs('agent:read', () => agent.config.nodeName),
      does: 'the configuration and figures of this agent',
      handle: ({ caller }) => selfReply(agent, configShown(), caller),
    },
    {
      method: 'GET',
      path: '/v1/agent/metrics',
      answers: { 415: 'prometheus is asked for, and not set up' },
      params: { format: param.text('prometheus: as Prometheus reads them') },
      right: needs('agent:read', () => agent.config.nodeName),
      does: 'metrics of this process, for people and for Prometheus',
      handle: ({ params }) => metricsReply(agent, params.get('format')),
    },
    {
      method: 'GET',
      path: '/v1/agent/metrics/stream',
      right,
      does: 'the same as a stream: a line at once, and each time that they are others',
      endless: true,
      handle: (request) => {
        const look = () => agent.telemetry.json();
        return tellings.open(request, { right, look, isForAll: true });
      },
    },
    {
      method: 'PUT',
      path: '/v1/agent/reload',
      right: needs('agent:write', () => agent.config.nodeName),
      does: 'reads the configuration files again',
      handle: () => reload(agent),
    },
  ];
}

function metricsReply({ telemetry }: ProcessContext, format: string): Reply {
  // As in Consul, any other format is its own.
  if (format !== 'prometheus') return { json: telemetry.json() };
  const text = telemetry.prometheus();
  if (text !== undefined) return { text, headers: { 'Content-Type': EXPOSITION_TYPE } };
  return { status: 415, text: NO_RETENTION };
}

const NO_RETENTION = 'Prometheus is not enabled since its retention time is not positive';

/** Whatever is wrong with the files, the request was not: as Consul says it. */
async function reload(agent: ProcessContext): Promise<Reply> {
  await agent.reload().catch((error: unknown) => {
    if (!(error instanceof ProconsulError)) throw error;
    throw new ProconsulError('rejected', error.message, { cause: error.cause });
  });
  return {};
}

/** Hundreds of names, of which nothing changes but by a reload: made anew they were most of what an answer takes. */
function shownConfig(agent: Context): () => object {
  const made = new WeakMap<object, object>();
  return () => {
    const { config, nodeId } = agent;
    const shown = made.get(config) ?? debugConfig(config, nodeId);
    made.set(config, shown);
    return shown;
  };
}

function selfReply(agent: Context, configured: object, caller: Caller): Reply {
  const { config } = agent;
  const stats = agent.stats();
  // All else is of the configuration. It is asked each time: as long as nothing has changed that must
  // cost next to nothing.
  const at = agent.coordinate()?.Vec;
  const stands = () =>
    caller.stands() &&
    agent.config === config &&
    agent.coordinate()?.Vec === at &&
    sameFigures(agent.stats(), stats);
  const shared = { bytes: SELF_BYTES, ready: () => undefined, stands };
  return { json: self(agent, configured, stats), shared };
}

/** Of its figures, which it keeps alive beside its body. */
const SELF_BYTES = 4096;

function sameFigures(a: Figures, b: Figures): boolean {
  for (const group in a) if (!sameTexts(a[group], b[group])) return false;
  return Object.keys(a).length === Object.keys(b).length;
}

function sameTexts(a: Figures[string] = {}, b: Figures[string] = {}): boolean {
  if (a === b) return true;
  for (const name in a) if (a[name] !== b[name]) return false;
  return Object.keys(a).length === Object.keys(b).length;
}

function self(agent: Context, DebugConfig: object, stats: Figures): object {
  const { config, nodeId } = agent;
  return {
    Config: {
      Datacenter: config.datacenter,
      NodeName: config.nodeName,
      NodeID: nodeId,
      Revision: '',
      Server: config.server,
      Version: CONSUL_VERSION,
    },
    DebugConfig,
    Coord: agent.coordinate() ?? null,
    Member: agent.self(),
    Stats: stats,
    Meta: byName(Object.entries({ ...config.nodeMeta, 'consul-network-segment': '' })),
  };
}
