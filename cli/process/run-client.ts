/** Joins an agent without a server: what it does not know itself it asks servers for. */

import { askOverHttp } from '../../agent/acl/http-resolving.ts';
import { RemoteAccess } from '../../agent/acl/remote-access.ts';
import { Agent } from '../../agent/agent.ts';
import { Containers } from '../../agent/containers/containers.ts';
import { noCoordinates } from '../../agent/http/routes/no-coordinates.ts';
import { ringRoutes } from '../../agent/http/routes/ring.ts';
import { Forwarder } from '../../agent/servers/forwarder.ts';
import { Heartbeat } from '../../agent/servers/heartbeat.ts';
import { httpAuthority } from '../../agent/servers/http-authority.ts';
import { httpCatalog } from '../../agent/servers/http-catalog.ts';
import { httpMembership } from '../../agent/servers/http-membership.ts';
import { Joiner, type JoinSettings } from '../../agent/servers/joiner.ts';
import { OwnPlace } from '../../agent/servers/own-place.ts';
import { ServerList } from '../../agent/servers/server-list.ts';
import { tellLoad } from '../../agent/servers/tell-load.ts';
import { Upstream } from '../../agent/servers/upstream.ts';
import { nodeIdOf } from '../../agent/state/node-id.ts';
import { ownBeat, ownMember } from '../../agent/state/own-entry.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config/config.ts';
import type { Route } from '../../lib/http/route.ts';
import { MAX_JSON_BODY_BYTES } from '../../lib/limits.ts';
import { tapLog } from '../../lib/log-tap.ts';
import { systemRandom } from '../../lib/random.ts';
import { systemOf } from '../../lib/system.ts';
import type { Identities } from '../../lib/tls/identities.ts';
import { clientLookups } from './client-lookups.ts';
import { createDnsServer } from './dns-role.ts';
import { joinAddresses } from './join-addresses.ts';
import { Listeners } from './listeners.ts';
import { OwnWork } from './own-work.ts';
import { openSeal } from './process-seal.ts';
import { ProcessTelemetry } from './process-telemetry.ts';
import { loadsOf, type Running, type RunOptions } from './run-server.ts';
import { holdDataDir } from './start-up.ts';
import { identitiesOf, takeOverTls } from './tls-role.ts';
import type { XdsReadiness } from './xds-role.ts';

/** Of the half second that a listener gives what it has begun to answer. */
const LAST_ANSWERS_MS = 300;

export async function runClient(options: RunOptions): Promise<Running> {
  const { config, logger } = options;
  const identities = identitiesOf(config, logger);
  const unlock = await holdDataDir(config.dataDir, logger);
  const nodeId = await nodeIdOf(config, systemRandom);
  options.introduce({ nodeId, log: 'of the servers' });
  let current = config;
  const telemetry = new ProcessTelemetry(config, logger);
  const parts = connect({ ...options, identities, telemetry }, nodeId, (now) => {
    takeOverTls({ identities }, now);
    current = now;
    telemetry.shown.takeOver(now.telemetry);
    dns.takeOver(now.dns, lookups);
    ownWork.takeOver(now);
  });
  const { agent, containers, loads, heartbeat, joiner, forwarder, upstream, servers } = parts;
  const listeners = new Listeners({
    config,
    logger,
    limits: () => current.limits,
    identities,
    introducer: introducer(options, nodeId, servers),
    readiness: passedOn(() => servers.size > 0),
  });
  const lookups = clientLookups({
    upstream,
    clock: systemClock,
    dns: () => current.dns,
    token: () => agent.dnsToken,
  });
  const dns = createDnsServer(config, lookups, logger);
  const ownWork = new OwnWork(listeners, options, () => agent.ownToken);
  await listeners.bind();
  await dns.start();
  await agent.start();
  await containers.start(agent);
  listeners.open({
    defaultToken: () => agent.userToken,
    routes: [],
    ownRoutes: ownRoutesOf(config, agent, servers),
    access: agent.access,
    fallback: forwarder.handle,
  });
  telemetry.start([agent, upstream, servers, forwarder, listeners, dns]);
  await joiner.join(...config.join.start);
  joiner.start();
  heartbeat.start();
  ownWork.takeOver(config);
  return {
    reload: () => agent.reload(),
    leave: () => agent.leave(),
    async stop() {
      ownWork.stop();
      joiner.stop();
      heartbeat.stop();
      loads.stop();
      telemetry.stop();
      forwarder.stop();
      const closed = Promise.all([dns.stop(), listeners.stop()]);
      await containers.stop();
      await lastAnswers(closed, upstream);
      await agent.stop();
      await unlock();
    },
  };
}

function ownRoutesOf(config: Config, agent: Agent, servers: ServerList): readonly Route[] {
  const ring = ringRoutes(config.nodeName, () => servers);
  return [...agent.routes(), ...ring, ...(config.measuresPlaces ? [] : noCoordinates())];
}

/** What is asked here is passed on: there is nothing to catch up with. */
function passedOn(knowsServer: () => boolean): XdsReadiness {
  return {
    get begun() {
      return knowsServer();
    },
    caughtUp: async () => true,
  };
}

/** What clients have asked for is still under way, and a server that hangs keeps no agent from ending. */
async function lastAnswers(closed: Promise<unknown>, upstream: Upstream): Promise<void> {
  const cancel = systemClock.after(LAST_ANSWERS_MS, () => upstream.stop());
  await closed;
  cancel();
  upstream.stop();
}

interface Connecting extends RunOptions {
  readonly identities: Identities;
  readonly telemetry: ProcessTelemetry;
}

/** Everything that speaks to servers, and the agent on top of it. */
function connect(options: Connecting, nodeId: string, onReloaded: (config: Config) => void) {
  const { config, logger, identities, telemetry } = options;
  const system = systemOf(logger);
  const { clock, random } = system;
  const servers = new ServerList(clock, random);
  const tls = () => identities.servers;
  const security = { tls, domain: config.dns.domain };
  const upstream = new Upstream({ servers, clock, node: config.nodeName, security });
  const token = () => agent.ownToken;
  const body = ownBeat(config, nodeId);
  const place = config.measuresPlaces ? new OwnPlace({ servers, clock, random }) : undefined;
  const heartbeat = new Heartbeat({
    upstream,
    servers,
    clock,
    logger,
    place,
    beat: () => ({ body, token: token() }),
    on: {
      unknown: () => agent.unknown(),
      back: () => agent.resume(),
      lost: () => joiner.start(),
      wantsLoad: (isWanted) => loads.want(isWanted),
    },
  });
  const joiner = new Joiner({
    servers,
    beat: () => heartbeat.beatNow(),
    isHeard: () => heartbeat.isHeard,
    clock,
    random,
    logger,
    settings: { ...joinSettings(options), tls },
  });
  const self = () => ({ member: ownMember(config, nodeId), nodeId, token: token() });
  const membership = httpMembership({ upstream, joiner, heartbeat, servers, self, logger });
  const containers = new Containers({ config, dockerHost: options.dockerHost, system });
  const agent: Agent = new Agent({
    config,
    nodeId,
    servers: {
      catalog: httpCatalog({ upstream, node: config.nodeName, heartbeat }),
      authority: httpAuthority(upstream, config.nodeName),
      membership,
      ...(config.acl.enabled && { access: remoteAccess(config, upstream) }),
      scale: () => heartbeat.scale,
      coordinate: () => place?.coordinate,
    },
    process: {
      logTap: (wanted, listen) => tapLog(logger, wanted, listen),
      telemetry: telemetry.shown,
      stats: () => clientStats(config, servers),
      readConfig: options.readConfig,
      onReloaded,
      onLeft: options.onLeft,
    },
    machine: { containerProbe: containers.probe, seal: openSeal(config, logger)?.data },
    system,
  });
  const forwarder = forwarderOf(config, upstream, () => agent.userToken);
  const node = { ID: nodeId, Node: config.nodeName };
  const loads = loadsOf(config, agent, (Instances) =>
    tellLoad(upstream, { ...node, Instances }, token()),
  );
  return { loads, servers, upstream, heartbeat, joiner, membership, containers, agent, forwarder };
}

function joinSettings({ config, env, onFatal }: RunOptions): Omit<JoinSettings, 'tls'> {
  const { datacenter, ports, join } = config;
  return {
    datacenter,
    lanPort: ports.serfLan,
    addresses: join.retry,
    expand: joinAddresses(env, systemClock),
    intervalMs: join.retryIntervalMs,
    maxAttempts: join.retryMax,
    onGivenUp: () => onFatal(new Error('no server could be joined (retry_max)')),
  };
}

/** The figures of /v1/agent/self that only a client has. */
function clientStats({ acl }: Config, servers: ServerList) {
  return {
    consul: {
      acl: acl.enabled ? 'enabled' : 'disabled',
      known_servers: String(servers.size),
      server: 'false',
    },
  };
}

function remoteAccess({ acl, nodeName }: Config, upstream: Upstream): RemoteAccess {
  const { defaultPolicy, downPolicy, ttlMs, reportsFiltered } = acl;
  const access = new RemoteAccess({
    ask: askOverHttp(upstream, nodeName),
    clock: systemClock,
    policy: { defaultPolicy, downPolicy, ttlMs, reportsFiltered },
  });
  upstream.onUnknown((token) => access.doubt(token));
  return access;
}

function forwarderOf(config: Config, upstream: Upstream, token: () => string): Forwarder {
  const { limits, nodeName: node } = config;
  return new Forwarder({
    upstream,
    node,
    clock: systemClock,
    token,
    rate: limits.rpcRate,
    maxBodyBytes: Math.max(MAX_JSON_BODY_BYTES, limits.kvMaxValueSize, limits.txnMaxReqLen),
  });
}

function introducer({ config }: RunOptions, ID: string, servers: ServerList) {
  const { nodeName: Node, datacenter: Datacenter } = config;
  return { ID, Node, Datacenter, servers: () => servers.all };
}
