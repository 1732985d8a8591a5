/** Joins an agent without a server: what it does not know itself it asks servers for. */
import { systemClock } from '../../lib/clock.ts';
import { createApp } from '../../lib/http/app.ts';
import { Listener } from '../../lib/http/listener.ts';
import type { Route } from '../../lib/http/route.ts';
import { tapLog } from '../../lib/log-tap.ts';
import type { Beat } from '../../lib/membership.ts';
import { systemRandom } from '../../lib/random.ts';
import { Agent } from '../agent.ts';
import { Forwarder } from '../client/forwarder.ts';
import { Heartbeat } from '../client/heartbeat.ts';
import { httpCatalog } from '../client/http-catalog.ts';
import { httpMembership } from '../client/http-membership.ts';
import { Joiner } from '../client/joiner.ts';
import { ServerList } from '../client/server-list.ts';
import { Upstream } from '../client/upstream.ts';
import { Containers } from '../containers.ts';
import { introductionRoutes } from '../http/introduction.ts';
import { ringRoutes } from '../http/routes/ring.ts';
import { nodeIdOf } from '../node-id.ts';
import { ownMember, ownTags } from '../own-entry.ts';
import type { Running, RunOptions } from './run-server.ts';

export async function runClient(options: RunOptions): Promise<Running> {
  const { config } = options;
  const nodeId = await nodeIdOf(config, systemRandom);
  const parts = connect(options, nodeId);
  const { agent, containers, heartbeat, joiner, forwarder, upstream, servers } = parts;
  await agent.start();
  await containers.start(agent);
  const listeners = [
    ...config.listen.http.map((at) =>
      listener(options, at, [...agent.routes(), ...ringRoutes(servers)], forwarder),
    ),
    ...config.listen.serfLan.map((at) =>
      listener(options, at, introductionRoutes(introducer(options, nodeId, servers))),
    ),
  ];
  for (const each of listeners) await each.start();
  for (const address of config.join.start) await joiner.join(address);
  joiner.start();
  heartbeat.start();
  return {
    reload: () => agent.reload(),
    leave: () => parts.membership.leave(),
    async stop() {
      joiner.stop();
      forwarder.stop();
      const closed = Promise.all(listeners.map((each) => each.stop()));
      await containers.stop();
      await agent.stop();
      upstream.stop();
      await closed;
    },
  };
}

/** Everything that speaks to servers, and the agent on top of it. */
function connect(options: RunOptions, nodeId: string) {
  const { config, logger } = options;
  const clock = systemClock;
  const random = systemRandom;
  const servers = new ServerList(clock, random);
  const upstream = new Upstream({ servers, clock });
  const token = () => config.acl.tokens.agent || config.acl.tokens.default;
  const heartbeat = new Heartbeat({
    upstream,
    servers,
    clock,
    logger,
    token,
    beat: () => beatOf(options, nodeId),
    onUnknown: () => agent.syncSoon(),
    onLost: () => joiner.start(),
  });
  const joiner = new Joiner({
    servers,
    heartbeat,
    clock,
    random,
    logger,
    lanPort: config.ports.serfLan,
    addresses: config.join.retry,
    intervalMs: config.join.retryIntervalMs,
    maxAttempts: config.join.retryMax,
    onGivenUp: () => options.onFatal(new Error('no server could be joined (retry_max)')),
  });
  const self = () => ownMember(config, nodeId);
  const membership = httpMembership({ upstream, joiner, self, nodeId, token });
  const containers = new Containers({ ...options, clock });
  const agent: Agent = new Agent({
    ...options,
    containerProbe: containers.probe,
    nodeId,
    catalog: httpCatalog(upstream, config.nodeName),
    membership,
    clock,
    random,
    logTap: (level, listen) => tapLog(logger, level, listen),
    scale: () => heartbeat.scale,
  });
  const forwarder = new Forwarder({
    upstream,
    clock,
    node: config.nodeName,
    token: () => agent.userToken,
  });
  return { servers, upstream, heartbeat, joiner, membership, containers, agent, forwarder };
}

function beatOf({ config }: RunOptions, nodeId: string): Beat {
  return {
    ID: nodeId,
    Node: config.nodeName,
    Address: config.address.advertise,
    Datacenter: config.datacenter,
    LanPort: config.ports.serfLan,
    Tags: ownTags(config, nodeId),
  };
}

function introducer({ config }: RunOptions, ID: string, servers: ServerList) {
  const { nodeName: Node, datacenter: Datacenter } = config;
  return { ID, Node, Datacenter, servers: () => servers.all };
}

function listener(
  { config, logger }: RunOptions,
  at: RunOptions['config']['listen']['http'][number],
  routes: readonly Route[],
  forwarder?: Forwarder,
): Listener {
  const app = createApp({
    routes,
    responseHeaders: config.http.responseHeaders,
    logger,
    ...(forwarder !== undefined && { fallback: forwarder.handle }),
  });
  const maxConnectionsPerAddress = config.limits.httpMaxConnsPerClient;
  return new Listener({ listener: app, at, maxConnectionsPerAddress });
}
