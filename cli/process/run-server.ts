/** Joins a registry server and the agent of its node in one process. */
import type { Logger as LogWriter } from 'winston';
import { Agent, keptOutputBytes } from '../../agent/agent.ts';
import { Outlook } from '../../agent/checks/outlook.ts';
import { Containers } from '../../agent/containers/containers.ts';
import type { DnsServer } from '../../agent/dns/server.ts';
import { ringRoutes } from '../../agent/http/routes/ring.ts';
import { cgroupsUnder } from '../../agent/loads/cgroups.ts';
import { Loads, type LoadsDeps } from '../../agent/loads/loads.ts';
import { ServerList } from '../../agent/servers/server-list.ts';
import { nodeIdOf } from '../../agent/state/node-id.ts';
import { ownBeat, ownServer } from '../../agent/state/own-entry.ts';
import type { Environment } from '../../lib/child.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config/config.ts';
import type { Route } from '../../lib/http/route.ts';
import { tapLog } from '../../lib/log-tap.ts';
import type { Beat, ServerInfo } from '../../lib/membership.ts';
import { systemRandom } from '../../lib/random.ts';
import { systemOf } from '../../lib/system.ts';
import { AclAgreement } from '../../server/cluster/acl-agreement.ts';
import { LocalLookups } from '../../server/dns-lookups.ts';
import type { Unlock } from '../../server/log/file/folder-lock.ts';
import { describeRedis } from '../../server/log/redis/link/options.ts';
import type { Server } from '../../server/server.ts';
import { createDnsServer } from './dns-role.ts';
import { Listeners, type Served } from './listeners.ts';
import { OwnBeat, type OwnBeatDeps } from './own-beat.ts';
import { OwnWork } from './own-work.ts';
import { openSeal } from './process-seal.ts';
import { ProcessTelemetry } from './process-telemetry.ts';
import type { RedisReach } from './redis-options.ts';
import { serverAuthority } from './server-authority.ts';
import { serverCatalog } from './server-catalog.ts';
import { serverFigures } from './server-figures.ts';
import { serverMembership } from './server-membership.ts';
import { createServer } from './server-role.ts';
import type { Self } from './start-block.ts';
import { holdDataDir } from './start-up.ts';
import { takeOverTls, tlsUsersOf } from './tls-role.ts';
import { WarmUp } from './warm-up.ts';

export interface RunOptions {
  readonly config: Config;
  readonly logger: LogWriter;
  readonly readConfig: () => Config;
  /** DOCKER_HOST, if it is set. */
  readonly dockerHost: string | undefined;
  /** What programs are run with. */
  readonly env: Environment;
  /** Something is broken for good: the process must end at once. */
  readonly onFatal: (error: unknown) => void;
  /** Called once, before anything is begun. */
  readonly introduce: (self: Self) => void;
  /** The node has left the cluster: the process is to end in order. */
  readonly onLeft: () => void;
  /** A server is to take its first writes as it takes those that follow. */
  readonly warmsUp?: boolean;
}

/** What a process does once it runs. */
export interface Running {
  reload(): Promise<void>;
  /** Takes the node out of the catalog; the process goes on until it is stopped. */
  leave(): Promise<void>;
  stop(): Promise<void>;
}

export async function runServer(options: RunOptions): Promise<Running> {
  const { config, logger, readConfig, dockerHost, env, onFatal, onLeft } = options;
  const { identities, redis } = tlsUsersOf(config, logger);
  let current = config;
  const unlock = await holdDataDir(config.dataDir, logger);
  const nodeId = await nodeIdOf(config, systemRandom);
  options.introduce({ nodeId, log: whereIsTheLog(config, redis) });
  const seal = openSeal(config, logger);
  const system = systemOf(logger);
  const lookout = new Outlook({ ...system, maxOutputBytes: () => keptOutputBytes(current) });
  const server = await createServer({ config, redis, nodeId, logger, env, seal, onFatal, lookout });
  const servers = () => knownServers(server, ownServer(config, nodeId));
  const introducer = { ID: nodeId, Node: config.nodeName, Datacenter: config.datacenter, servers };
  const listeners = new Listeners({
    ...{ config, logger, identities, introducer },
    limits: () => current.limits,
    isTokenId: (id) => isTokenId(server, id),
    readiness: server.deps.readiness,
  });
  const dnsToken = () => agent.dnsToken;
  const telemetry = new ProcessTelemetry(config, logger);
  const dns = createDnsServer(config, lookupsOf(server, config, dnsToken), logger);
  await listeners.bind();
  await dns.start();
  await server.start();
  const { clock } = system;
  const containers = new Containers({ config, dockerHost, system });
  const ownWork = new OwnWork(listeners, options, () => agent.ownToken);
  const wantsLoad = (isWanted: boolean) => loads.want(isWanted);
  const on = { unknown: () => agent.unknown(), refused: onFatal, wantsLoad };
  const beat = ownBeatOf(server, { beat: ownBeat(config, nodeId), clock, logger, on });
  const agent: Agent = new Agent({
    config,
    nodeId,
    servers: {
      ...withinProcess(server),
      membership: serverMembership({ server, config, nodeId, beat, identities }),
    },
    process: {
      logTap: (wanted, listen) => tapLog(logger, wanted, listen),
      telemetry: telemetry.shown,
      stats: serverFigures(server, config),
      readConfig,
      onReloaded: (now) => {
        takeOverTls({ identities, redis }, now);
        current = now;
        telemetry.shown.takeOver(now.telemetry);
        dns.takeOver(now.dns, lookupsOf(server, now, dnsToken));
        ownWork.takeOver(now);
        server.notifier.takeOver(now.notify);
      },
      onLeft,
    },
    machine: { containerProbe: containers.probe, seal: seal?.data },
    system,
  });
  const Node = config.nodeName;
  const loads = loadsOf(config, agent, async (Instances) => server.loads.take({ Node, Instances }));
  await agent.start();
  await containers.start(agent);
  await beat.start();
  listeners.open(servedBy({ server, config, agent, ring: ringOf(config, servers) }));
  telemetry.start([server, agent, listeners, dns]);
  ownWork.takeOver(config);
  const parts = { server, agent, containers, beat, loads, telemetry, dns };
  return runningOf({ ...parts, listeners, ownWork, unlock, warmUp: warmUpOf(options, server) });
}

/** It has begun where it is wanted. */
function warmUpOf({ logger, warmsUp }: RunOptions, server: Server): WarmUp {
  const warmUp = new WarmUp({ system: systemOf(logger), applied: () => server.state.position });
  if (warmsUp) warmUp.start();
  return warmUp;
}

/** What instances on this machine use, once anybody wants to know. */
export function loadsOf({ docker }: Config, agent: Agent, send: LoadsDeps['send']): Loads {
  const { local, requests, system } = agent;
  return new Loads({ local, requests, useOf: cgroupsUnder(docker.cgroups), send, ...system });
}

function whereIsTheLog({ dataDir }: Config, redis: RedisReach | undefined): string {
  if (redis === undefined) return dataDir === '' ? 'in memory' : `in ${dataDir}`;
  const { options } = redis;
  return `in Redis at ${describeRedis(options)} (commit: ${options.commit})`;
}

/** What an agent asks of servers, of the one that is in its process. */
function withinProcess(server: Server) {
  return {
    catalog: serverCatalog(server),
    authority: serverAuthority(server),
    access: server.access,
    coordinate: () => server.places?.coordinate,
    elsewhere: server.reports(),
  };
}

interface Parts {
  readonly server: Server;
  readonly agent: Agent;
  readonly containers: Containers;
  readonly beat: OwnBeat;
  readonly loads: Loads;
  readonly telemetry: ProcessTelemetry;
  readonly dns: DnsServer;
  readonly warmUp: WarmUp;
  readonly listeners: Listeners;
  readonly ownWork: OwnWork;
  readonly unlock: Unlock;
}

function runningOf({ agent, ...parts }: Parts): Running {
  return {
    reload: () => agent.reload(),
    leave: () => agent.leave(),
    async stop() {
      parts.ownWork.stop();
      const closed = Promise.all([parts.dns.stop(), parts.listeners.stop(), parts.warmUp.stop()]);
      await parts.containers.stop();
      parts.beat.stop();
      parts.loads.stop();
      parts.telemetry.stop();
      await agent.stop();
      await parts.server.stop();
      await closed;
      await parts.unlock();
    },
  };
}

type BeatDeps = Omit<OwnBeatDeps, 'take'>;

function ownBeatOf(server: Server, deps: BeatDeps): OwnBeat {
  const agreement = new AclAgreement(deps.beat, deps.logger);
  const take = async (beat: Beat) => {
    const answer = await server.members.beat(beat);
    agreement.look(server.state.liveServers.values());
    return answer;
  };
  return new OwnBeat({ ...deps, take });
}

interface Serving extends Pick<Parts, 'server' | 'agent'> {
  readonly config: Config;
  readonly ring: readonly Route[];
}

function servedBy({ server, config, agent, ring }: Serving): Served {
  return {
    routes: server.routes(),
    ownRoutes: [...agent.routes(), ...ring],
    access: server.access,
    defaultToken: () => agent.userToken,
    ...(config.eureka.enabled && { eureka: server.eurekaPaths() }),
  };
}

/** Whoever names a token by its secret names no id. */
function isTokenId({ state }: Server, id: string): boolean {
  return state.acl.tokenBy(id) !== undefined && state.acl.tokens.get(id) === undefined;
}

function ringOf({ nodeName }: Config, servers: () => readonly ServerInfo[]): readonly Route[] {
  return ringRoutes(nodeName, () => new ServerList(systemClock, systemRandom).add(servers()));
}

function lookupsOf(
  server: Server,
  { dns: { allowStale, maxStaleMs } }: Config,
  userToken: () => string,
): LocalLookups {
  return new LocalLookups(server.deps, { allowStale, maxStaleMs }, userToken);
}

/** Itself first: before its first beat is in the log it knows of itself all the same. */
function knownServers({ members }: Server, self: ServerInfo): readonly ServerInfo[] {
  return [self, ...members.servers().filter(({ ID }) => ID !== self.ID)];
}
