import assert from 'node:assert/strict';
import { loadConfig } from '../../../lib/config/load.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

const BASE = { data_dir: '/data', bind_addr: '127.0.0.1' };

function load(keys: object) {
  const files = { '/c.json': JSON.stringify({ ...BASE, ...keys }), '/file': '' };
  return loadConfig({ argv: ['-config-file=/c.json'], host: fakeConfigHost({ files }) });
}

const failedToParse = (reason: string) => `failed to parse /c.json: ${reason}`;
const one = (error: string) => `1 error occurred:\n\t* ${error}\n\n`;
const mismatch = (error: string) => failedToParse(`1 error(s) decoding:\n\n* ${error}`);
const badDuration = (path: string) =>
  one(`${path}: invalid duration: "abc": time: invalid duration "abc"`);
const badMeta = (pair: string, fault: string) =>
  `node_meta invalid: Couldn't load metadata pair (${pair}): ${fault}`;
const long = (length: number) => 'x'.repeat(length);

/** What `consul validate` of 1.8.7 says, letter by letter. */
const AS_CONSUL: readonly (readonly [object, string])[] = [
  [
    { foo: 1, bar: { x: 1 } },
    failedToParse('2 errors occurred:\n\t* invalid config key foo\n\t* invalid config key bar\n\n'),
  ],
  [{ acl: { enabbled: true } }, failedToParse(one('invalid config key acl.enabbled'))],
  [{ server: true, Server: false }, failedToParse(one('invalid config key Server'))],
  [{ service: { nam: 'x' } }, failedToParse(one('invalid config key service.nam'))],
  [
    { service: { name: 'x', checks: [{ foo: 1 }] } },
    failedToParse(one('invalid config key service.checks[0].foo')),
  ],
  [
    { service: { name: 'x', tagged_addresses: { lan: { foo: 1 } } } },
    failedToParse(one('invalid config key service.tagged_addresses[lan].foo')),
  ],
  [
    { ports: { http: '1' } },
    mismatch("'ports.http' expected type 'int', got unconvertible type 'string'"),
  ],
  [{ server: 'true' }, mismatch("'server' expected type 'bool', got unconvertible type 'string'")],
  [{ server: 1 }, mismatch("'server' expected type 'bool', got unconvertible type 'float64'")],
  [
    { node_name: 1 },
    mismatch("'node_name' expected type 'string', got unconvertible type 'float64'"),
  ],
  [
    { retry_join: 'a' },
    mismatch("'retry_join': source data must be an array or slice, got string"),
  ],
  [
    { retry_join: [1] },
    mismatch("'retry_join[0]' expected type 'string', got unconvertible type 'float64'"),
  ],
  [
    { services: { name: 'x' } },
    mismatch("'services': source data must be an array or slice, got map"),
  ],
  ...['sidecar', 'expose', 'proxy'].map((range): readonly [object, string] => [
    { ports: { [`${range}_max_port`]: 7 } },
    `${range}_min_port must be less than ${range}_max_port. To disable, set both to zero.`,
  ]),
  [{ addresses: { grpc: 'x' } }, one('addresses.grpc: invalid ip address: x')],
  [
    { cache: { entry_fetch_rate: -1 } },
    'cache.entry_fetch_rate must be strictly positive, was: -1',
  ],
  [{ ports: [{ http: 1 }, { dns: 2 }] }, mismatch("'ports' expected a map, got 'slice'")],
  [{ ports: 1 }, mismatch("'ports' expected a map, got 'float64'")],
  [
    { service: { name: 'x', meta: { a: 1 } } },
    mismatch("'service.meta[a]' expected type 'string', got unconvertible type 'float64'"),
  ],
  [
    { service: { name: 'x', check: { header: { a: 'x' } } } },
    mismatch("'service.check.header[a]': source data must be an array or slice, got string"),
  ],
  [
    { retry_interval: 30 },
    mismatch("'retry_interval' expected type 'string', got unconvertible type 'float64'"),
  ],
  [{ retry_interval: 'abc' }, badDuration('retry_interval')],
  [{ dns_config: { service_ttl: { web: 'abc' } } }, badDuration('dns_config.service_ttl["web"]')],
  [{ service: { name: 'x', check: { interval: 'abc' } } }, badDuration('check[].interval')],
  [{ check: { name: 'x', ttl: 'abc' } }, badDuration('check[].ttl')],
  [{ ports: { http: 70000 } }, one('ports.http: invalid port: 70000')],
  [{ client_addr: 'abc' }, one('client_addr: invalid ip address: abc')],
  [{ client_addr: 'unix:///x' }, one('client_addr cannot be a unix socket')],
  [{ addresses: { http: 'abc' } }, one('addresses.http: invalid ip address: abc')],
  [{ addresses: { dns: 'unix:///x' } }, 'DNS address cannot be a unix socket'],
  [{ serf_lan: 'abc' }, one('serf_lan: invalid ip address: abc')],
  [{ advertise_addr: '0.0.0.0' }, 'Advertise address cannot be 0.0.0.0, :: or [::]'],
  [{ advertise_addr_wan: '::' }, 'Advertise WAN address cannot be 0.0.0.0, :: or [::]'],
  [{ ports: { http: 8600 } }, 'HTTP address 127.0.0.1:8600 already configured for DNS'],
  [{ ports: { https: 8500 } }, 'HTTPS address 127.0.0.1:8500 already configured for HTTP'],
  [{ ports: { http: 8300 } }, 'RPC Advertise address 127.0.0.1:8300 already configured for HTTP'],
  [{ datacenter: 'DC One' }, 'datacenter cannot be "dc one". Please use only [a-z0-9-_]'],
  [{ datacenter: '' }, 'datacenter cannot be empty'],
  [{ data_dir: '' }, 'data_dir cannot be empty'],
  [{ data_dir: '/file' }, 'data_dir "/file" is not a directory'],
  [{ node_meta: { '': 'x' } }, badMeta("'', 'x'", 'Key cannot be blank')],
  [{ node_meta: { 'a b': 'c' } }, badMeta("'a b', 'c'", 'Key contains invalid characters')],
  [
    { node_meta: { 'consul-x': 'c' } },
    badMeta("'consul-x', 'c'", "Key prefix 'consul-' is reserved for internal use"),
  ],
  [
    { node_meta: { [long(129)]: 'a' } },
    badMeta(`'${long(129)}', 'a'`, 'Key is too long (limit: 128 characters)'),
  ],
  [
    { node_meta: { a: long(513) } },
    badMeta(`'a', '${long(513)}'`, 'Value is too long (limit: 512 characters)'),
  ],
  [
    { node_meta: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, 'v'])) },
    'node_meta invalid: Node metadata cannot contain more than 64 key/value pairs',
  ],
  [{ bootstrap: true }, "'bootstrap = true' requires 'server = true'"],
  [{ bootstrap_expect: 3 }, "'bootstrap_expect > 0' requires 'server = true'"],
  [
    { server: true, bootstrap: true, bootstrap_expect: 1 },
    "'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive",
  ],
  [
    { server: true, bootstrap_expect: -1 },
    'bootstrap_expect cannot be -1. Must be greater than or equal to zero',
  ],
  [
    { dns_config: { a_record_limit: -2 } },
    'dns_config.a_record_limit cannot be -2. Must be greater than or equal to zero',
  ],
  [
    { autopilot: { max_trailing_logs: -2 } },
    'autopilot.max_trailing_logs cannot be -2. Must be greater than or equal to zero',
  ],
  [
    { limits: { kv_max_value_size: 3_000_001 } },
    'limits.kv_max_value_size cannot be 3000001. Must be less than or equal to 3000000',
  ],
  [
    { performance: { raft_multiplier: 11 } },
    'performance.raft_multiplier cannot be 11. Must be between 1 and 10',
  ],
  [
    { check_output_max_size: 0 },
    'check_output_max_size must be positive, to discard check output use the discard_check_output flag',
  ],
  [
    { ui: true, ui_dir: 'x' },
    'Both the ui and ui-dir flags were specified, please provide only one.\n' +
      'If trying to use your own web UI resources, use the ui-dir flag.\n' +
      'The web UI is included in the binary so use ui to enable it',
  ],
  [
    { ui_content_path: 'a b' },
    'ui-content-path can only contain alphanumeric, -, _, or /. received: /a b/',
  ],
  [{ recursors: ['0.0.0.0'] }, 'DNS recursor address cannot be 0.0.0.0, :: or [::]'],
  [
    { http_config: { allow_write_http_from: ['127.0.0.1'] } },
    one('allow_write_http_from: invalid cidr: 127.0.0.1'),
  ],
  [
    { tls_cipher_suites: 'q' },
    one('tls_cipher_suites: invalid tls cipher suites: unsupported cipher "q"'),
  ],
  [
    { service: { name: 'a', weights: { passing: -1 } } },
    one('Invalid weight definition for service a: Passing must be greater than 0'),
  ],
  [
    { service: { name: 'a', meta: { 'a b': 'x' } } },
    one(
      "invalid meta for service a: Couldn't load metadata pair ('a b', 'x'): " +
        'Key contains invalid characters',
    ),
  ],
  [{ segment: 'x' }, 'Network segments are not supported in this version of Consul'],
];

/** Consul takes these, and then does something else than what they say, or ends later. */
const STRICTER: readonly (readonly [object, string])[] = [
  [
    { log_level: 'loud' },
    one('Invalid log level: loud. Valid log levels are: [TRACE DEBUG INFO WARN ERR]'),
  ],
  [
    { acl: { default_policy: 'x' } },
    'acl.default_policy cannot be "x". Must be one of "allow", "deny"',
  ],
  [
    { session_ttl_min: '-1s' },
    'session_ttl_min cannot be -1s. Must be greater than or equal to zero',
  ],
  [
    { http_config: { response_headers: { 'a\nb': 'c' } } },
    'http_config.response_headers["a\\nb"] is no name of a header',
  ],
  [
    { http_config: { response_headers: { 'X-A': 'b\r\nc' } } },
    'http_config.response_headers["X-A"] has characters that no header may have',
  ],
  [
    { http_config: { response_headers: { 'Content-Length': '5' } } },
    `http_config.response_headers["Content-Length"] is the server's own`,
  ],
  [
    // Every answer would end in an error of Node's.
    { http_config: { response_headers: { trailer: 'X-A' } } },
    `http_config.response_headers["trailer"] is the server's own`,
  ],
  [
    // An agent would send a write again that has been done.
    { http_config: { response_headers: { 'X-Proconsul-Applied': 'no' } } },
    `http_config.response_headers["X-Proconsul-Applied"] is the server's own`,
  ],
  [
    // Consul's start ends in a panic.
    { server: true, bootstrap: true, ports: { server: -1 } },
    'ports.server cannot be -1 on a server: it answers agents there',
  ],
  [{ service: { port: 80.5 } }, mismatch("'service.port' expected type 'int', got '80.5'")],
  [{ bind_addr: 'abc' }, one('bind_addr: invalid ip address: abc')],
];

/** Consul takes these too. */
const TAKEN: readonly object[] = [
  { Server: true },
  { service: [{ name: 'x' }] },
  { service: { Name: 'x', ID: 'y', Check: { TTL: '1s', ServiceID: 'q', TLSSkipVerify: true } } },
  { service: { name: '' } },
  { segments: null, retry_join: null },
  { retry_join: [['a']] },
  { ports: { http: 0, dns: -5 } },
  { addresses: { http: 'unix:///tmp/x.sock 127.0.0.1' } },
  { client_addr: '' },
  { recursors: ['abc', '1.2.3.4:99', '[::1]:5', '::1'] },
  { ui_content_path: 'abc' },
  { data_dir: '/nowhere/yet' },
  { server: true, bootstrap_expect: 4, redis: { url: 'redis://r' } },
  { server: true, bootstrap_expect: 1, retry_join: ['here'] },
  { dns_config: { service_ttl: { '*': '3s' } } },
  { reconnect_timeout: '1m' },
];

describe('a configuration', () => {
  const title = (keys: object) => JSON.stringify(keys).slice(0, 100);

  for (const [keys, message] of [...AS_CONSUL, ...STRICTER]) {
    it(`is refused with ${title(keys)}`, () => {
      assert.throws(() => load(keys), { name: 'ProconsulError', code: 'invalid', message });
    });
  }

  for (const keys of TAKEN) {
    it(`is taken with ${title(keys)}`, () => assert.ok(load(keys).config));
  }

  it('is told all that is wrong with it at once', () => {
    const keys = { datacenter: '', retry_interval: 'abc', ports: { http: 70000 } };
    assert.throws(() => load(keys), {
      message:
        '3 errors occurred:\n\t* ports.http: invalid port: 70000\n' +
        '\t* retry_interval: invalid duration: "abc": time: invalid duration "abc"\n' +
        '\t* datacenter cannot be empty\n\n',
    });
  });
});
