/** The DNS server of an agent or server. */
import { isIP } from 'node:net';
import type { Problems } from '../problems.ts';
import {
  atLeast,
  bool,
  choice,
  duration,
  int,
  map,
  noEffect,
  reloaded,
  type Settled,
  strings,
  text,
} from '../row.ts';

const SECOND = 1000;
const YEAR = 365 * 24 * 3600 * SECOND;
const DEFAULT_DNS_PORT = 53;

const ANSWER_KEYS = {
  recursors: strings('DNS servers to ask for other domains.', {
    flag: 'recursor',
    shown: 'DNSRecursors',
    rule: (value, _path, problems) => value.map((address) => recursor(address, problems)),
  }),
  dns_config: {
    allow_stale: bool('Whether an answer may come from a server without asking the leader.', {
      default: true,
      shown: 'DNSAllowStale',
    }),
    max_stale: duration('How old such an answer may be.', {
      default: 10 * YEAR,
      shown: 'DNSMaxStale',
    }),
    node_ttl: duration('The TTL of answers about nodes.', { shown: 'DNSNodeTTL' }),
    service_ttl: map(
      'The TTL of answers by service: `web`, `web*` for all that begin so, `*` for all.',
    ),
    only_passing: bool('Leave out instances with a warning too.', { shown: 'DNSOnlyPassing' }),
    recursor_timeout: duration('How long a recursor may take.', {
      default: 2 * SECOND,
      shown: 'DNSRecursorTimeout',
      // Go's 0 is its default, which is the same.
      rule: (value) => value || 2 * SECOND,
    }),
    recursor_strategy: choice('In which order they are asked.', ['sequential', 'random']),
    udp_answer_limit: int('The most records of an answer over UDP.', {
      default: 3,
      shown: 'DNSUDPAnswerLimit',
      rule: atLeast(0),
    }),
    a_record_limit: int('The most addresses of an answer; 0 for all.', {
      shown: 'DNSARecordLimit',
      rule: atLeast(0),
    }),
    enable_truncate: bool('Say in UDP that there is more.', { shown: 'DNSEnableTruncate' }),
    disable_compression: bool('Write each name in full.', { shown: 'DNSDisableCompression' }),
    enable_additional_node_meta_txt: bool('Add the metadata of nodes as TXT records.', {
      default: true,
      shown: 'DNSNodeMetaTXT',
    }),
    soa: {
      refresh: int('Seconds, in SOA records.', {
        default: 3600,
        rule: atLeast(0),
        shown: 'DNSSOA.Refresh',
      }),
      retry: int('Seconds.', { default: 600, rule: atLeast(0), shown: 'DNSSOA.Retry' }),
      expire: int('Seconds.', { default: 86400, rule: atLeast(0), shown: 'DNSSOA.Expire' }),
      min_ttl: int('Seconds.', { rule: atLeast(0), shown: 'DNSSOA.Minttl' }),
    },
    ...noEffect('each lookup asks a server, which has the answer ready', {
      use_cache: bool('', { shown: 'DNSUseCache' }),
      cache_max_age: duration('', { shown: 'DNSCacheMaxAge' }),
    }),
    ...noEffect('there are no namespaces', { prefer_namespace: bool() }),
  },
};

export const DNS_KEYS = {
  domain: text('The DNS domain to answer for.', { default: 'consul', flag: 'domain' }),
  alt_domain: text('A second DNS domain to answer for.', { flag: 'alt-domain' }),
  ...reloaded(ANSWER_KEYS),
};

type Values = Settled<typeof DNS_KEYS>;

export function dnsConfig(given: Values, problems: Problems) {
  const { dns_config: dns, alt_domain: altDomain } = given;
  return {
    /** With a dot at the end: 'consul.'. */
    domain: fullyQualified(given.domain),
    /** '' when there is none, else with a dot at the end. */
    altDomain: altDomain === '' ? '' : fullyQualified(altDomain),
    /** host:port of each. */
    recursors: given.recursors,
    recursorTimeoutMs: dns.recursor_timeout,
    recursorStrategy: dns.recursor_strategy,
    allowStale: dns.allow_stale,
    maxStaleMs: dns.max_stale,
    nodeTtlMs: dns.node_ttl,
    serviceTtlMs: serviceTtls(dns.service_ttl, problems),
    onlyPassing: dns.only_passing,
    udpAnswerLimit: dns.udp_answer_limit,
    aRecordLimit: dns.a_record_limit,
    enableTruncate: dns.enable_truncate,
    disableCompression: dns.disable_compression,
    nodeMetaTxt: dns.enable_additional_node_meta_txt,
    /** Seconds. */
    soa: {
      refresh: dns.soa.refresh,
      retry: dns.soa.retry,
      expire: dns.soa.expire,
      minTtl: dns.soa.min_ttl,
    },
  };
}

function fullyQualified(domain: string): string {
  return domain.endsWith('.') ? domain : `${domain}.`;
}

function serviceTtls(
  given: Readonly<Record<string, string>>,
  problems: Problems,
): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(given).map(([name, value]) => [
      name,
      problems.durationMs(`dns_config.service_ttl[${JSON.stringify(name)}]`, value, 0),
    ]),
  );
}

/** '1.2.3.4' → '1.2.3.4:53'. */
function recursor(value: string, problems: Problems): string {
  const address = value.replace(/^\[(.*)\]$/, '$1');
  const hasPort = isIP(address) === 0 && /:\d+$/.test(value);
  const host = hasPort ? value.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1') : address;
  if (host === '0.0.0.0' || host === '::') {
    problems.refuse('DNS recursor address cannot be 0.0.0.0, :: or [::]');
  }
  if (hasPort) return value;
  return isIP(address) === 6
    ? `[${address}]:${DEFAULT_DNS_PORT}`
    : `${address}:${DEFAULT_DNS_PORT}`;
}
