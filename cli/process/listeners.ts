/** The HTTP listeners of a process: for local clients, for agents, for those that join. */

import type { RequestListener } from 'node:http';
import { hostname } from 'node:os';
import { type Introducer, introductionRoutes } from '../../agent/http/introduction.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Config, ListenAddress } from '../../lib/config/config.ts';
import { createApp } from '../../lib/http/app.ts';
import { FastPath } from '../../lib/http/fast/fast-path.ts';
import { Listener } from '../../lib/http/listener.ts';
import type { Guard, Handler, Route } from '../../lib/http/route.ts';
import type { Logger } from '../../lib/logger.ts';
import { RequestLimits } from './request-limits.ts';
import { guardsOf } from './restrict.ts';
import { strangersGuard } from './strangers.ts';

export interface ListenersOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly routes: readonly Route[];
  readonly fallback?: Handler;
  readonly introducer: Introducer;
  /** Which a reload may change. */
  readonly limits: () => Config['limits'];
}

/** Those of the configuration; not yet started. */
export function createListeners(options: ListenersOptions): readonly Listener[] {
  const { config, introducer, limits, logger } = options;
  const maxConnections = () => limits().httpMaxConnsPerClient;
  const introductions = introductionRoutes(introducer);
  // An agent may be pointed at any of the ports, so each of them introduces.
  const all = { ...options, routes: [...options.routes, ...introductions] };
  const rates = new RequestLimits({
    limits: () => limits().requests,
    clock: systemClock,
    logger,
  });
  const byRate: Policy = config.server
    ? { guards: [rates.admit], admitsRead: rates.admitRead }
    : { guards: [] };
  const domains = [config.dns.domain, config.dns.altDomain];
  const policy = [
    strangersGuard(config.http, { hostname: hostname(), domains }),
    ...guardsOf(config.http),
  ];
  const forClients = surface(all, { ...byRate, guards: [...policy, ...byRate.guards] });
  // What is forbidden to clients is not forbidden to agents, who bring what those are allowed.
  const forAgents = surface(all, byRate);
  const forJoining = surface({ config, logger, routes: introductions }, { guards: [] });
  return [
    ...config.listen.http.map((at) => listen(at, forClients, maxConnections, 'clients')),
    ...config.listen.serfLan.map((at) => listen(at, forJoining, maxConnections, 'those that join')),
    // An agent keeps a connection for each query that waits: it is not to be counted as a client.
    ...serverAddresses(config).map((at) => listen(at, forAgents, () => 0, 'agents')),
  ];
}

/** One after another, so that the log says which of them could not. */
export async function startAll(listeners: readonly Listener[], logger: Logger): Promise<void> {
  for (const listener of listeners) {
    await listener.start();
    logger.info(`http: listens at ${listener.where}`);
  }
}

/** Where a server answers agents. */
function serverAddresses({ server, address, ports }: Config): readonly ListenAddress[] {
  return server && ports.server > 0 ? [{ host: address.bind, port: ports.server }] : [];
}

interface Surface {
  readonly listener: RequestListener;
  readonly fastPath: FastPath | undefined;
  readonly maxHeaderBytes: number;
}

/** What is refused before any row is asked, and before the fast path answers in its stead. */
interface Policy {
  readonly guards: readonly Guard[];
  readonly admitsRead?: () => boolean;
}

/** Each has a fast path of its own: what one may answer the other may have to refuse. */
function surface(
  { config, logger, routes, fallback }: Omit<ListenersOptions, 'introducer' | 'limits'>,
  { guards, admitsRead }: Policy,
): Surface {
  const { fastPath: isOn, responseHeaders, maxHeaderBytes } = config.http;

  // Rights change without a topic: until a row says so in `Shared`, they are asked each time.
  const fastPath = isOn && !config.acl.enabled ? new FastPath({ admits: admitsRead }) : undefined;
  const listener = createApp({
    routes,
    responseHeaders,
    anyPath: config.http.disableUnprintableCharFilter,
    logger,
    ...(fallback && { fallback }),
    guards,
    ...(fastPath && { fastPath }),
  });
  return { listener, fastPath, maxHeaderBytes };
}

function listen(
  at: ListenAddress,
  { listener, fastPath: shortcut, maxHeaderBytes }: Surface,
  maxConnectionsPerAddress: () => number,
  whom: string,
): Listener {
  return new Listener({ at, listener, shortcut, maxHeaderBytes, maxConnectionsPerAddress, whom });
}
