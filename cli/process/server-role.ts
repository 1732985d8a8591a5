/** What a process needs to be a registry server, made from its configuration. */
import path from 'node:path';
import type { Environment } from '../../lib/child.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config/config.ts';
import { hostPort } from '../../lib/ip.ts';
import type { Logger } from '../../lib/logger.ts';
import { systemOf } from '../../lib/system.ts';
import { MemoryLeases } from '../../server/cluster/memory-leases.ts';
import type { Lookout } from '../../server/external/lookout.ts';
import { type PayloadReader, plainPayloads } from '../../server/log/payload.ts';
import { SealedLog } from '../../server/log/sealed/sealed-log.ts';
import { type AclRules, Server, type ServerRules, type Storage } from '../../server/server.ts';
import { logPayloads } from './log-payloads.ts';
import type { ProcessSeal } from './process-seal.ts';
import type { RedisReach } from './redis-options.ts';

/** Consul's own; configured to 0 it means the default. */
const DEFAULT_SESSION_TTL_MIN_MS = 10_000;
/** What a cluster is usually made of; a quorum is counted on it where nobody says how many. */
const DEFAULT_SERVERS = 3;

export interface ServerRoleOptions {
  readonly config: Config;
  /** Undefined: the log is a file, or in dev mode memory. */
  readonly redis: RedisReach | undefined;
  readonly nodeId: string;
  readonly logger: Logger;
  readonly env: Environment;
  /** Undefined where the log is in the clear. */
  readonly seal: ProcessSeal | undefined;
  readonly onFatal: (error: unknown) => void;
  /** Looks at the checks of external nodes. */
  readonly lookout: Lookout;
}

export async function createServer(options: ServerRoleOptions): Promise<Server> {
  const { config, nodeId, logger, env, onFatal } = options;
  // Redis may ask for a snapshot only once the server runs.
  let server: Server | undefined;
  const payloads = logPayloads(config, options.seal, logger);
  const plain = await openStorage(options, payloads, () => server?.saveSnapshotSoon());
  const storage = payloads
    ? { ...plain, payloads, log: new SealedLog(plain.log, payloads) }
    : plain;
  const self = {
    id: nodeId,
    node: config.nodeName,
    datacenter: config.datacenter,
    domain: config.dns.domain,
    address: hostPort(config.address.advertise, config.ports.server),
  };
  server = new Server({
    storage,
    system: systemOf(logger),
    self,
    rules: rulesOf(config, options.lookout),
    env,
    onFatal,
  });
  server.notifier.takeOver(config.notify);
  return server;
}

function rulesOf(config: Config, lookout: Lookout): ServerRules {
  const { sessionTtlMinMs, limits, join, acl, connect, dataDir, checkPolicy } = config;
  const { mesh, history, eureka } = config;
  return {
    sessionTtlMinMs: sessionTtlMinMs || DEFAULT_SESSION_TTL_MIN_MS,
    limits: {
      kvValueBytes: limits.kvMaxValueSize,
      // As in Consul, a transaction may always hold what a key may.
      txnBytes: Math.max(limits.txnMaxReqLen, limits.kvMaxValueSize),
    },
    history,
    measuresPlaces: config.measuresPlaces,
    reconnectTimeoutMs: join.reconnectTimeoutMs,
    eureka,
    mesh: { enabled: mesh.enabled, entries: mesh.entries },
    ...(acl.enabled && { acl: aclRules(acl, dataDir) }),
    agentless: {
      outputMs: checkPolicy.updateIntervalMs,
      deregisterMinMs: checkPolicy.deregisterIntervalMinMs,
      ...(checkPolicy.external && { lookout }),
    },
    ...(connect.enabled && {
      connect: { provider: connect.caProvider, config: connect.caConfig },
    }),
  };
}

function aclRules(acl: Config['acl'], dataDir: string): AclRules {
  const { defaultPolicy, initialManagement, keyListPolicy, reportsFiltered } = acl;
  return { defaultPolicy, initialManagement, keyListPolicy, reportsFiltered, dataDir };
}

/** Loads only the log that it needs: a start is quick, or it isn't. */
async function openStorage(
  { config, redis: reach, nodeId, logger, onFatal }: ServerRoleOptions,
  payloads: PayloadReader = plainPayloads,
  onSnapshotNeeded: () => void,
): Promise<Storage> {
  const clock = systemClock;
  if (reach !== undefined) {
    const redis = reach.options;
    const { RedisLog } = await import('../../server/log/redis/log/redis-log.ts');
    const { BallotFile } = await import('../../server/log/redis/repair/ballot-file.ts');
    const keeps = config.dataDir !== '';
    const self = {
      datacenter: config.datacenter,
      server: nodeId,
      servers: config.bootstrapExpect || DEFAULT_SERVERS,
      ...(keeps ? { ballots: new BallotFile(config.dataDir) } : {}),
      payloads,
    };
    const on = { snapshotNeeded: onSnapshotNeeded };
    const log = new RedisLog({ redis, self, clock, logger, on });
    return { log, leases: log.leases };
  }
  const leases = new MemoryLeases(clock);
  if (config.dataDir === '') {
    const { MemoryLog } = await import('../../server/log/memory-log.ts');
    return { log: new MemoryLog({ clock, payloads }), leases };
  }
  const { FileLog } = await import('../../server/log/file/file-log.ts');
  const folder = path.join(config.dataDir, 'log');
  return { log: new FileLog({ folder, clock, logger, onFatal, payloads }), leases };
}
