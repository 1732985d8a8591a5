/** HTTP, its limits, and the page. */

import { parseCidr } from '../../ip.ts';
import { MAX_HEADER_BYTES, MAX_KV_VALUE_BYTES, MAX_WAITS_PER_TOKEN } from '../../limits.ts';
import type { StringMap } from '../../model.ts';
import type { RateLimit } from '../../rate.ts';
import type { Problems } from '../problems.ts';
import {
  atLeast,
  between,
  bool,
  choice,
  duration,
  float,
  int,
  map,
  newer,
  noEffect,
  reloaded,
  type Settled,
  strings,
  text,
} from '../row.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** A log takes commands of 4 MB, in which a value is a third larger: a higher limit could not be kept. */
const MAX_LIMIT_BYTES = 3_000_000;
const MIN_LIMIT_HEADER_BYTES = 1024;
/** Go's own default, beyond which nobody was ever served. */
const MAX_LIMIT_HEADER_BYTES = 1024 * 1024;
/** As in Consul: so many seconds' worth at once, after a rest. */
const BURST_SECONDS = 10;

export const HTTP_KEYS = {
  http_config: {
    block_endpoints: strings('Beginnings of paths that are answered with 403.', {
      shown: 'HTTPBlockEndpoints',
    }),
    allow_write_http_from: strings('Networks (CIDR) whose writes are taken; none for all.', {
      flag: 'allow-write-http-from',
      shown: 'AllowWriteHTTPFrom',
      rule: (value, _path, problems) => networks('allow_write_http_from', value, problems),
    }),
    response_headers: map('Headers of every answer.', {
      shown: 'HTTPResponseHeaders',
      rule: responseHeaders,
    }),
    ...noEffect('agents answer `?cached` as asked', {
      use_cache: bool('', { default: true, shown: 'HTTPUseCache' }),
    }),
    max_header_bytes: int('The most bytes of a request line and its headers.', {
      default: MAX_HEADER_BYTES,
      rule: between(MIN_LIMIT_HEADER_BYTES, MAX_LIMIT_HEADER_BYTES),
    }),
    allowed_hosts: strings(
      'Names, or `*.` and the end of names, by which this machine is asked for over loopback, and where none must bring a token (without access control, or with `acl.default_policy = "allow"`) by browsers of private networks.',
    ),
  },
  disable_http_unprintable_char_filter: bool('Take paths with characters that cannot be printed.', {
    shown: 'DisableHTTPUnprintableCharFilter',
  }),
  limits: {
    http_max_conns_per_client: int('The most connections of one address; 0 for no limit.', {
      default: 200,
      shown: 'HTTPMaxConnsPerClient',
      reloads: true,
    }),
    http_max_waits_per_token: int(
      'The most blocking queries of one token, or of one address without; 0 for no limit.',
      { default: MAX_WAITS_PER_TOKEN, reloads: true, rule: atLeast(0) },
    ),
    kv_max_value_size: int("The most bytes of a key's value.", {
      default: MAX_KV_VALUE_BYTES,
      shown: 'KVMaxValueSize',
      rule: between(0, MAX_LIMIT_BYTES),
    }),
    txn_max_req_len: int("The most bytes of a transaction's body.", {
      default: MAX_KV_VALUE_BYTES,
      shown: 'TxnMaxReqLen',
      rule: between(0, MAX_LIMIT_BYTES),
    }),
    https_handshake_timeout: duration('How long a client may take until TLS is spoken.', {
      default: 5 * SECOND,
      shown: 'HTTPSHandshakeTimeout',
      rule: handshakeTimeout,
    }),
    rpc_handshake_timeout: duration('The same of an agent, at ports.server.', {
      default: 5 * SECOND,
      shown: 'RPCHandshakeTimeout',
      rule: handshakeTimeout,
    }),
    rpc_rate: float(
      'How many requests a second clients may send to servers by an agent; -1: any.',
      {
        default: -1,
        shown: 'RPCRateLimit',
      },
    ),
    rpc_max_burst: int('How many of them at once, after a rest.', {
      default: 1000,
      shown: 'RPCMaxBurst',
    }),
    ...noEffect('agents and servers speak HTTP, which has limits of its own', {
      rpc_max_conns_per_client: int('', { default: 100, shown: 'RPCMaxConnsPerClient' }),
    }),
    request_limits: reloaded({
      mode: choice('Whether what exceeds these rates is refused, or logged.', [
        'disabled',
        'permissive',
        'enforcing',
      ]),
      read_rate: float('How many reads a second a server answers; -1: any.', { default: -1 }),
      write_rate: float('How many writes a second a server takes; -1: any.', { default: -1 }),
    }),
    ...newer('rpc_client_timeout'),
  },
  performance: {
    fast_path: bool('Answer again, unparsed, what was asked in the same bytes (lib/http/fast).', {
      default: true,
    }),
    ...noEffect('there is no Raft: the event log orders writes', {
      leave_drain_time: duration('', { default: 5 * SECOND, shown: 'LeaveDrainTime' }),
      raft_multiplier: int('', { default: 5, rule: raftMultiplier }),
      rpc_hold_timeout: duration('', { default: 7 * SECOND, shown: 'RPCHoldTimeout' }),
      ...newer('grpc_keepalive_interval', 'grpc_keepalive_timeout'),
    }),
  },
  ...noEffect('a query waits 5 minutes where it does not say, and 10 at most', {
    default_query_time: duration('', {
      default: 5 * MINUTE,
      flag: 'default-query-time',
      shown: 'DefaultQueryTime',
    }),
    max_query_time: duration('', {
      default: 10 * MINUTE,
      flag: 'max-query-time',
      shown: 'MaxQueryTime',
    }),
  }),
  ...noEffect('an answer is as new as was asked for', {
    discovery_max_stale: duration('', { shown: 'DiscoveryMaxStale' }),
  }),
  ui: bool('Serve the web page.', { flag: 'ui' }),
  ui_content_path: text('The path of the page.', { default: '/ui/', flag: 'ui-content-path' }),
  ui_dir: text('A folder with a page of your own, served in place of the one that is built in.', {
    flag: 'ui-dir',
  }),
  ui_config: {
    enabled: bool('As `ui`.'),
    dir: text('As `ui_dir`.'),
    content_path: text('As `ui_content_path`.'),
    ...newer(
      'metrics_provider',
      'metrics_provider_files',
      'metrics_provider_options_json',
      'metrics_proxy',
      'dashboard_url_templates',
    ),
  },
};

type Values = Settled<typeof HTTP_KEYS>;

export function httpConfig(given: Values) {
  const { http_config: http, performance } = given;
  return {
    fastPath: performance.fast_path,
    blockEndpoints: http.block_endpoints,
    allowWriteFrom: http.allow_write_http_from,
    responseHeaders: http.response_headers,
    allowedHosts: http.allowed_hosts,
    maxHeaderBytes: http.max_header_bytes,
    disableUnprintableCharFilter: given.disable_http_unprintable_char_filter,
  };
}

export function limitConfig({ limits }: Values, server: boolean, problems: Problems) {
  if (!server && limits.request_limits.mode !== 'disabled') {
    problems.warn(
      'limits.request_limits has no effect on an agent without a server: it is of what servers answer, ' +
        'and limits.rpc_rate of what clients ask of them by this agent',
    );
  }
  return {
    /** 0 or less: none. */
    httpMaxConnsPerClient: limits.http_max_conns_per_client,
    /** 0: none. */
    maxWaitsPerToken: limits.http_max_waits_per_token,
    kvMaxValueSize: limits.kv_max_value_size,
    txnMaxReqLen: limits.txn_max_req_len,
    requests: {
      mode: limits.request_limits.mode,
      read: rateOf(limits.request_limits.read_rate),
      write: rateOf(limits.request_limits.write_rate),
    },
    httpsHandshakeMs: limits.https_handshake_timeout,
    rpcHandshakeMs: limits.rpc_handshake_timeout,
    rpcRate: { perSecond: limits.rpc_rate, burst: limits.rpc_max_burst },
  };
}

function rateOf(perSecond: number): RateLimit {
  return { perSecond, burst: Math.max(1, Math.floor(perSecond * BURST_SECONDS)) };
}

/** The page that is served. */
export function uiConfig(given: Values, problems: Problems) {
  const { ui_config: section } = given;
  const { enabled } = section;
  const dir = section.dir || given.ui_dir;
  if (enabled && dir !== '') {
    problems.refuse(
      'Both the ui and ui-dir flags were specified, please provide only one.\n' +
        'If trying to use your own web UI resources, use the ui-dir flag.\n' +
        'The web UI is included in the binary so use ui to enable it',
    );
  }
  const contentPath = `/${section.content_path || given.ui_content_path}/`.replace(/\/+/g, '/');
  if (!/^[A-Za-z0-9/_-]+$/.test(contentPath)) {
    problems.refuse(
      `ui-content-path can only contain alphanumeric, -, _, or /. received: ${contentPath}`,
    );
  }
  if (contentPath === '/' || contentPath.startsWith('/v1/')) {
    problems.refuse(`ui-content-path cannot be ${contentPath}, where the HTTP API is`);
  }
  return { enabled: enabled || dir !== '', dir, contentPath };
}

/** With these the server says where an answer ends, and Node refuses those of other forms. */
const OWN_HEADERS = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'content-encoding',
  // With it Node refuses every answer that has a length.
  'trailer',
  'upgrade',
]);
/** By these agents tell what became of a request: from a configuration they would be lies. */
const OWN_PREFIX = 'x-proconsul-';

function responseHeaders(headers: StringMap, path: string, problems: Problems): StringMap {
  for (const [name, value] of Object.entries(headers)) {
    const at = `${path}[${JSON.stringify(name)}]`;
    const folded = name.toLowerCase();
    if (OWN_HEADERS.has(folded) || folded.startsWith(OWN_PREFIX))
      problems.refuse(`${at} is the server's own`);
    else if (!/^[!#$%&'*+.^`|~\w-]+$/.test(name)) problems.refuse(`${at} is no name of a header`);
    else if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      problems.refuse(`${at} has characters that no header may have`);
    }
  }
  return headers;
}

/** 0 would let anybody stand in the door for ever. */
function handshakeTimeout(value: number): number {
  return value || 5 * SECOND;
}

/** Names what is no network. */
export function networks(
  path: string,
  given: readonly string[],
  problems: Problems,
): readonly string[] {
  for (const cidr of given) {
    if (parseCidr(cidr) === undefined) problems.error(`${path}: invalid cidr: ${cidr}`);
  }
  return given;
}

function raftMultiplier(value: number, path: string, problems: Problems): number {
  if (value < 1 || value > 10) {
    problems.refuse(`${path} cannot be ${value}. Must be between 1 and 10`);
  }
  return value;
}
