/** What an agent's DNS server asks servers, each name of the one that the ring gives it. */

import { HttpLookups } from '../../agent/dns/http-lookups.ts';
import { ringKey } from '../../agent/servers/ring-key.ts';
import type { Upstream } from '../../agent/servers/upstream.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config/config.ts';
import type { Lookups } from '../../lib/dns-lookups.ts';

/** Resolvers ask again, or elsewhere, after a few seconds. */
const TIMEOUT_MS = 2000;

export interface ClientLookupsOptions {
  readonly upstream: Upstream;
  readonly clock: Clock;
  /** These two change by a reload. */
  readonly dns: () => Config['dns'];
  readonly token: () => string;
}

export function clientLookups({ upstream, clock, ...current }: ClientLookupsOptions): Lookups {
  return new HttpLookups({
    clock,
    get maxStaleMs() {
      const { allowStale, maxStaleMs } = current.dns();
      return allowStale ? maxStaleMs : 0;
    },
    token: current.token,
    get(target, token) {
      const key = ringKey(target);
      const way = 'dns';
      return upstream.ask({ way, method: 'GET', target, key, token, timeoutMs: TIMEOUT_MS });
    },
  });
}
