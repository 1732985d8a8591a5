/** The DNS server of a process, made from its configuration. */

import { DnsServer } from '../../agent/dns/server.ts';
import type { Config } from '../../lib/config/config.ts';
import type { Lookups } from '../../lib/dns-lookups.ts';
import type { Logger } from '../../lib/logger.ts';
import { systemOf } from '../../lib/system.ts';

/** It listens at no address where the configuration names none (ports.dns: -1). */
export function createDnsServer(config: Config, lookups: Lookups, logger: Logger): DnsServer {
  return new DnsServer({
    config: config.dns,
    node: config.nodeName,
    datacenter: config.datacenter,
    // The configuration refuses sockets of files here.
    listen: config.listen.dns.filter((at) => 'port' in at),
    lookups,
    system: systemOf(logger),
  });
}
