/** The HTTP listeners of a process: for local clients, for agents, for those that join. */

import { type Introducer, introductionRoutes } from '../../agent/http/introduction.ts';
import type { Config, ListenAddress } from '../../lib/config/config.ts';
import { createApp } from '../../lib/http/app.ts';
import { FastPath } from '../../lib/http/fast/fast-path.ts';
import { Listener } from '../../lib/http/listener.ts';
import type { Handler, Route } from '../../lib/http/route.ts';
import type { Logger } from '../../lib/logger.ts';
import { restrict } from './restrict.ts';

export interface ListenersOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly routes: readonly Route[];
  readonly fallback?: Handler;
  readonly introducer: Introducer;
}

/** Those of the configuration; not yet started. */
export function createListeners(options: ListenersOptions): readonly Listener[] {
  const { config, routes, introducer } = options;
  const introductions = introductionRoutes(introducer);
  // An agent may be pointed at any of the ports, so each of them introduces.
  const fastPath = new FastPath();
  const rows = routes.map((row) => ({ ...row, handle: restrict(row.handle, config.http) }));
  const app = appOf(options, [...rows, ...introductions], fastPath);
  const forClients = config.limits.httpMaxConnsPerClient;
  const listen = (at: ListenAddress, listener = app, maxConnectionsPerAddress = forClients) =>
    new Listener({
      listener,
      at,
      maxConnectionsPerAddress,
      // Rights change without a topic: until a row says so in `Shared`, they are asked each time.
      ...(listener === app && !config.acl.enabled && { fastPath }),
    });
  const { fallback: _, ...own } = options;
  const lan = appOf(own, introductions);
  return [
    ...config.listen.http.map((at) => listen(at)),
    ...config.listen.serfLan.map((at) => listen(at, lan)),
    // An agent keeps a connection for each query that waits: it is not to be counted as a client.
    ...serverAddresses(config).map((at) => listen(at, app, 0)),
  ];
}

/** Where a server answers agents. */
function serverAddresses({ server, address, ports }: Config): readonly ListenAddress[] {
  return server && ports.server > 0 ? [{ host: address.bind, port: ports.server }] : [];
}

function appOf(
  { config, logger, fallback }: ListenersOptions,
  routes: readonly Route[],
  fastPath?: FastPath,
) {
  return createApp({
    routes,
    responseHeaders: config.http.responseHeaders,
    anyPath: config.http.disableUnprintableCharFilter,
    logger,
    ...(fallback && { fallback: restrict(fallback, config.http) }),
    ...(fastPath && { fastPath }),
  });
}
