/** The HTTP listeners of a process: for local clients, for agents, for those that join. */

import type { RequestListener } from 'node:http';
import { type Introducer, introductionRoutes } from '../../agent/http/introduction.ts';
import type { Config, ListenAddress } from '../../lib/config/config.ts';
import { createApp } from '../../lib/http/app.ts';
import { FastPath } from '../../lib/http/fast/fast-path.ts';
import { Listener } from '../../lib/http/listener.ts';
import type { Guard, Handler, Route } from '../../lib/http/route.ts';
import type { Logger } from '../../lib/logger.ts';
import { guardOf } from './restrict.ts';

export interface ListenersOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly routes: readonly Route[];
  readonly fallback?: Handler;
  readonly introducer: Introducer;
  /** limits.http_max_conns_per_client, which a reload may change. */
  readonly maxConnections: () => number;
}

/** Those of the configuration; not yet started. */
export function createListeners(options: ListenersOptions): readonly Listener[] {
  const { config, introducer, maxConnections } = options;
  const introductions = introductionRoutes(introducer);
  // An agent may be pointed at any of the ports, so each of them introduces.
  const all = { ...options, routes: [...options.routes, ...introductions] };
  const forClients = surface(all, guardOf(config.http));
  // What is forbidden to clients is not forbidden to agents, who bring what those are allowed.
  const forAgents = surface(all);
  const forJoining = surface({ config, logger: options.logger, routes: introductions });
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
}

/** Each has a fast path of its own: what one may answer the other may have to refuse. */
function surface(
  { config, logger, routes, fallback }: Omit<ListenersOptions, 'introducer' | 'maxConnections'>,
  guard?: Guard,
): Surface {
  // Rights change without a topic: until a row says so in `Shared`, they are asked each time.
  const fastPath = config.http.fastPath && !config.acl.enabled ? new FastPath() : undefined;
  const listener = createApp({
    routes,
    responseHeaders: config.http.responseHeaders,
    anyPath: config.http.disableUnprintableCharFilter,
    logger,
    ...(fallback && { fallback }),
    ...(guard && { guard }),
    ...(fastPath && { fastPath }),
  });
  return { listener, fastPath };
}

function listen(
  at: ListenAddress,
  { listener, fastPath: shortcut }: Surface,
  maxConnectionsPerAddress: () => number,
  whom: string,
): Listener {
  return new Listener({ at, listener, shortcut, maxConnectionsPerAddress, whom });
}
