/** The DNS server of a process, with lookups from whatever it has. */
import { systemClock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config/config.ts';
import type { Lookups } from '../../lib/dns-lookups.ts';
import type { Logger } from '../../lib/logger.ts';
import { systemRandom } from '../../lib/random.ts';
import { LocalLookups } from '../../server/dns-lookups.ts';
import type { Server } from '../../server/server.ts';
import { DnsServer } from '../dns/server.ts';

/** Of a server process: straight from its state. */
export function serverLookups(server: Server, config: Config): Lookups {
  return new LocalLookups({ ...server.deps, allowStale: config.dns.allowStale });
}

export function createDnsServer(config: Config, lookups: Lookups, logger: Logger): DnsServer {
  return new DnsServer({
    config: config.dns,
    datacenter: config.datacenter,
    // The configuration refuses sockets of files here.
    listen: config.listen.dns.filter((at) => 'port' in at),
    lookups,
    clock: systemClock,
    random: systemRandom,
    logger,
  });
}
