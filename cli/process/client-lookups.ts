/** What an agent's DNS server asks servers, each name of the one that the ring gives it. */

import { HttpLookups } from '../../agent/dns/http-lookups.ts';
import { readAnswer } from '../../agent/servers/read-body.ts';
import { ringKey } from '../../agent/servers/ring-key.ts';
import type { Upstream } from '../../agent/servers/upstream.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config/config.ts';
import type { Lookups } from '../../lib/dns-lookups.ts';

/** Resolvers ask again, or elsewhere, after a few seconds. */
const TIMEOUT_MS = 2000;
/** 5,000 instances with their checks are some 5 MB. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export function clientLookups(upstream: Upstream, config: Config, clock: Clock): Lookups {
  const { default: token } = config.acl.tokens;
  const headers = {
    'X-Proconsul-Node': config.nodeName,
    ...(token === '' ? {} : { 'X-Consul-Token': token }),
  };
  return new HttpLookups({
    clock,
    maxStaleMs: config.dns.allowStale ? config.dns.maxStaleMs : 0,
    async get(target) {
      const key = ringKey(target);
      const method = 'GET';
      const request = { method, target, key, headers, timeoutMs: TIMEOUT_MS };
      const response = await upstream.send(request);
      const body = await readAnswer(response, MAX_ANSWER_BYTES);
      return { status: response.statusCode ?? 500, headers: response.headers, body };
    },
  });
}
