/** The certificates of a process: read before anything listens, and taken over by a reload. */
import { systemClock } from '../../lib/clock.ts';
import type { Config, ListenAddress } from '../../lib/config/config.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { DoorOptions } from '../../lib/tls/handshakes.ts';
import { Identities } from '../../lib/tls/identities.ts';
import { RedisReach } from './redis-options.ts';

const QUIET_MS = 60_000;
const DAY_MS = 24 * 3600_000;

export function identitiesOf({ tls }: Config, logger: Logger): Identities {
  const warn = (text: string) => void logger.warn(`tls: ${text}`);
  const identities = new Identities({ config: tls, warn, now: () => systemClock.now() });
  // As long as the process lives, which does not live for it.
  setInterval(() => identities.warnOfFaults(), DAY_MS).unref();
  return identities;
}

/** All that has certificates. */
export interface TlsUsers {
  readonly identities: Identities;
  readonly redis?: RedisReach | undefined;
}

export function tlsUsersOf(config: Config, logger: Logger): TlsUsers {
  const { redis } = config;
  return { identities: identitiesOf(config, logger), redis: redis && new RedisReach(redis) };
}

/** Throws what Consul says where the new files are of no use; then all of the old ones stay. */
export function takeOverTls({ identities, redis }: TlsUsers, now: Config): void {
  try {
    const useForRedis = redis?.read(now);
    identities.takeOver(now.tls);
    useForRedis?.();
  } catch (cause) {
    if (!(cause instanceof ProconsulError)) throw cause;
    const text = `Failed reloading tls configuration: ${cause.message}`;
    throw new ProconsulError('rejected', text);
  }
}

interface DoorsOptions {
  readonly config: Config;
  readonly identities: Identities;
  readonly logger: Logger;
}

/** Test suites name a port for HTTPS and no certificate: in Consul too nobody gets in there then. */
export function httpsAddresses({
  config,
  identities,
  logger,
}: DoorsOptions): readonly ListenAddress[] {
  const { https } = config.listen;
  if (https.length === 0 || identities.https !== undefined) return https;
  logger.warn(
    'http: nothing listens at ports.https: there is no certificate (tls.https.cert_file)',
  );
  return [];
}

/** How TLS is spoken with clients and with agents. */
export function doorsOf({ identities, config, logger }: DoorsOptions) {
  const { httpsHandshakeMs, rpcHandshakeMs } = config.limits;
  const said = (address: string, why: string) =>
    `http: TLS with ${address || 'somebody'} did not come about: ${why}`;
  const https: DoorOptions = {
    side: () => identities.https,
    takesPlain: () => false,
    handshakeMs: httpsHandshakeMs,
    onRefused: (address, why) => logger.debug(said(address, why)),
  };
  let quietUntil = 0;
  // An agent that does not get in is news; that it goes on trying, twice a second, is none.
  const newsLevel = () => {
    const now = systemClock.monotonic();
    if (now < quietUntil) return 'debug';
    quietUntil = now + QUIET_MS;
    return 'warn';
  };
  // As in Consul, one port for both: so TLS can be switched on while agents go on without it.
  const agents: DoorOptions = {
    side: () => identities.agents,
    takesPlain: () => !identities.agentsMustShow,
    handshakeMs: rpcHandshakeMs,
    onRefused: (address, why) => logger[newsLevel()](said(address, why)),
  };
  const grpc: DoorOptions = {
    side: () => identities.grpc,
    takesPlain: () => false,
    handshakeMs: httpsHandshakeMs,
    protocol: 'h2',
    onRefused: (address, why) => logger.debug(said(address, why)),
  };
  return { https, agents, grpc };
}
