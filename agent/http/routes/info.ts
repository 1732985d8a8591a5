/** What an agent says of itself and its machine, and what it is told to do. */

import type { Caller } from '../../../lib/acl/rights.ts';
import { debugConfig } from '../../../lib/config/debug-config.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { anyone, needs } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { byName } from '../../../lib/key-order.ts';
import { isLogLevel } from '../../../lib/logger.ts';
import { CONSUL_VERSION } from '../../../lib/version.ts';
import type { OwnContext, ProcessContext, RegistrationContext } from '../context.ts';
import { hostInfo } from '../host.ts';
import { metrics } from '../metrics.ts';

type Context = OwnContext & RegistrationContext & ProcessContext;

/** Lines for a client that reads too slowly to keep up; older ones are dropped. */
const MAX_WAITING_LINES = 512;

export function infoRoutes(agent: Context): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/agent/self',
      right: needs('agent:read', () => agent.config.nodeName),
      does: 'the configuration and figures of this agent',
      handle: ({ caller }) => selfReply(agent, caller),
    },
    {
      method: 'GET',
      path: '/v1/agent/host',
      right: needs('operator:read'),
      does: 'the machine of this agent',
      handle: () => ({ json: hostInfo(agent.clock.now()) }),
    },
    {
      method: 'GET',
      path: '/v1/agent/metrics',
      right: needs('agent:read', () => agent.config.nodeName),
      does: 'figures of this process',
      handle: () => ({ json: metrics(agent) }),
    },
    {
      method: 'GET',
      path: '/v1/agent/monitor',
      right: needs('agent:read', () => agent.config.nodeName),
      does: 'the log, as it is written',
      endless: true,
      handle: (request) => monitor(agent, request),
    },
    {
      method: 'PUT',
      path: '/v1/agent/reload',
      right: needs('agent:write', () => agent.config.nodeName),
      does: 'reads the configuration files again',
      handle: () => reload(agent),
    },
    ...connectRoutes(),
  ];
}

/** There is no mesh; these are the words of an agent that has it turned off. */
function connectRoutes(): readonly Route[] {
  const off = () => {
    throw new ProconsulError('rejected', 'Connect must be enabled in order to use this endpoint');
  };
  const does = 'refused: there is no mesh';
  return [
    { method: 'GET', path: '/v1/agent/connect/ca/roots', right: anyone, does, handle: off },
    { method: 'GET', path: '/v1/agent/connect/ca/leaf/', right: anyone, does, handle: off },
    { method: 'POST', path: '/v1/agent/connect/authorize', right: anyone, does, handle: off },
  ];
}

/** Whatever is wrong with the files, the request was not: as Consul says it. */
async function reload(agent: ProcessContext): Promise<Reply> {
  await agent.reload().catch((error: unknown) => {
    if (!(error instanceof ProconsulError)) throw error;
    throw new ProconsulError('rejected', error.message, { cause: error.cause });
  });
  return {};
}

function selfReply(agent: Context, caller: Caller): Reply {
  const { config } = agent;
  const said = moving(agent);
  const stands = () => caller.stands() && agent.config === config && moving(agent) === said;
  const shared = { bytes: 2 * said.length, ready: () => undefined, stands };
  return { json: self(agent), shared };
}

/** What may change at any time; quick to look at, where the whole is not. */
function moving(agent: Context): string {
  return JSON.stringify([agent.self(), agent.stats()]);
}

function self(agent: Context): object {
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
    DebugConfig: debugConfig(config, nodeId),
    Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 0.00001 },
    Member: agent.self(),
    Stats: agent.stats(),
    Meta: byName(Object.entries({ ...config.nodeMeta, 'consul-network-segment': '' })),
  };
}

function monitor(agent: Context, request: HttpRequest): Reply {
  const { params, signal } = request;
  const level = params.get('loglevel') || 'info';
  if (!isLogLevel(level)) {
    throw new ProconsulError('invalid', `Bad request: Unknown log level: ${level}`);
  }
  return {
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
    stream: lines({
      tap: (listen) => agent.logTap(level, listen),
      signal,
      mayGoOn: () => mayListen(agent, request),
    }),
  };
}

/** Its token may be revoked while it listens, for days. */
async function mayListen({ config }: Context, request: HttpRequest): Promise<boolean> {
  if (request.caller.stands()) return true;
  try {
    const { rights } = await request.callerNow();
    return rights.may('agent', 'read', config.nodeName);
  } catch {
    return false;
  }
}

interface Listening {
  readonly tap: (listen: (line: string) => void) => () => void;
  readonly signal: AbortSignal;
  readonly mayGoOn: () => Promise<boolean>;
}

async function* lines({ tap, signal, mayGoOn }: Listening): AsyncIterable<string> {
  const waiting: string[] = [];
  let wake: () => void = () => undefined;
  const release = () => wake();
  const untap = tap((line) => {
    if (waiting.length >= MAX_WAITING_LINES) waiting.shift();
    waiting.push(line);
    wake();
  });
  signal.addEventListener('abort', release, { once: true });
  try {
    while (!signal.aborted) {
      const line = waiting.shift();
      if (line !== undefined) {
        if (!(await mayGoOn())) return;
        yield `${line}\n`;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    untap();
  }
}
