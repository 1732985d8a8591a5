/** What a process needs to be a registry server, made from its configuration. */
import path from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config/config.ts';
import type { Logger } from '../../lib/logger.ts';
import { systemRandom } from '../../lib/random.ts';
import { MemoryLeases } from '../../server/leases.ts';
import type { EventLog } from '../../server/log/event-log.ts';
import { FileLog } from '../../server/log/file-log.ts';
import { MemoryLog } from '../../server/log/memory-log.ts';
import { Server } from '../../server/server.ts';

/** Consul's own; configured to 0 it means the default. */
const DEFAULT_SESSION_TTL_MIN_MS = 10_000;

export interface ServerRoleOptions {
  readonly config: Config;
  readonly nodeId: string;
  readonly logger: Logger;
  readonly onFatal: (error: unknown) => void;
}

export function createServer({ config, nodeId, logger, onFatal }: ServerRoleOptions): Server {
  return new Server({
    log: createLog({ config, nodeId, logger, onFatal }),
    leases: new MemoryLeases(systemClock),
    clock: systemClock,
    random: systemRandom,
    logger,
    datacenter: config.datacenter,
    node: config.nodeName,
    nodeId,
    address: `${config.address.advertise}:${config.ports.server}`,
    sessionTtlMinMs: config.sessionTtlMinMs || DEFAULT_SESSION_TTL_MIN_MS,
    reconnectTimeoutMs: config.join.reconnectTimeoutMs,
    onFatal,
  });
}

function createLog({ config, logger, onFatal }: ServerRoleOptions): EventLog {
  if (config.dataDir === '') return new MemoryLog({ clock: systemClock });
  const folder = path.join(config.dataDir, 'log');
  return new FileLog({ folder, clock: systemClock, logger, onFatal });
}
