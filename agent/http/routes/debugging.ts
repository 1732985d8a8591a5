/** What helps to find out what ails an agent: its machine, its log as it is written, its version. */

import { ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { needs } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { param } from '../../../lib/http/takes.ts';
import { isLogLevel } from '../../../lib/logger.ts';
import { CONSUL_VERSION } from '../../../lib/version.ts';
import type { OwnContext, ProcessContext, RegistrationContext } from '../context.ts';
import { hostInfo } from '../host.ts';
import { LogStreams } from '../log-streams.ts';

type Context = OwnContext & Pick<RegistrationContext, 'clock'> & Pick<ProcessContext, 'logTap'>;

export function debuggingRoutes(agent: Context): readonly Route[] {
  const streams = new LogStreams(agent.logTap, agent.clock);
  return [
    {
      method: 'GET',
      path: '/v1/agent/host',
      right: needs('operator:read'),
      does: 'the machine of this agent',
      handle: async () => ({ json: await hostInfo(agent.clock.now(), agent.config.dataDir) }),
    },
    {
      method: 'GET',
      path: '/v1/agent/version',
      right: needs('agent:read', () => agent.config.nodeName),
      does: 'the Consul that this agent is like',
      handle: () => ({
        json: { SHA: '', BuildDate: '', HumanVersion: CONSUL_VERSION, FIPS: '' },
      }),
    },
    {
      method: 'GET',
      path: '/v1/agent/monitor',
      params: {
        loglevel: param.text('from this level on; info where nothing is said'),
        logjson: param.flag('each line as an object'),
      },
      right: needs('agent:read', () => agent.config.nodeName),
      does: 'the log, as it is written',
      endless: true,
      handle: (request) => monitor(agent, streams, request),
    },
  ];
}

function monitor(agent: Context, streams: LogStreams, request: HttpRequest): Reply {
  const { params, signal } = request;
  const level = params.get('loglevel') || 'info';
  if (!isLogLevel(level)) {
    throw new ProconsulError('invalid', `Bad request: Unknown log level: ${level}`);
  }
  const json = params.has('logjson');
  return {
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
    stream: streams.open({
      wanted: { level, json },
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
