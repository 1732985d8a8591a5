import assert from 'node:assert/strict';
import { loadConfig, validateConfigFiles } from '../../../lib/config/load.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

const BASE = { data_dir: '/data', bind_addr: '127.0.0.1' };

function load(keys: object, redisUrl?: string) {
  const files = { '/c.json': JSON.stringify({ ...BASE, ...keys }) };
  return loadConfig({ argv: ['-config-file=/c.json'], host: fakeConfigHost({ files }), redisUrl });
}

/** What asks for protection, and the key that must be named. */
const ASKS: readonly (readonly [object, string])[] = [
  [{ auto_encrypt: { tls: true } }, 'auto_encrypt.tls'],
  [{ auto_encrypt: { allow_tls: true } }, 'auto_encrypt.allow_tls'],
  [{ auto_config: { enabled: true } }, 'auto_config.enabled'],
  [{ serf_lan_allowed_cidrs: ['10.0.0.0/8'] }, 'serf_lan_allowed_cidrs'],
];

/** What speaks of protection and asks for none: test suites of clients write so. */
const ASKS_FOR_NOTHING: readonly object[] = [
  { acl: { enabled: false, default_policy: 'deny' } },
  { acl: { default_policy: 'allow', tokens: { master: 'm' } }, primary_datacenter: 'dc1' },
  { encrypt: '' },
  { audit: { enabled: false }, auto_encrypt: { tls: false } },
  { connect: { enabled: true, ca_config: { cluster_id: 'x' } }, peering: { enabled: true } },
  { serf_lan_allowed_cidrs: [] },
  { ports: { https: 8501, grpc_tls: 8503 } },
];

describe('a configuration that asks for a protection which is not built', () => {
  for (const [keys, name] of ASKS) {
    it(`is refused by name with ${JSON.stringify(keys)}`, () => {
      const message = new RegExp(`(^|\\* )${name} asks for .* does not have yet.*not start`, 'm');
      assert.throws(() => load(keys), { code: 'invalid', message });
    });
  }

  for (const keys of ASKS_FOR_NOTHING) {
    it(`starts with ${JSON.stringify(keys)}`, () => assert.ok(load(keys).config));
  }

  it('names every key that asks, and not what its value is', () => {
    const keys = {
      auto_config: { enabled: true },
      auto_encrypt: { tls: true, ip_san: ['c2VjcmV0'] },
    };
    assert.throws(
      () => load(keys),
      (error: Error) => {
        for (const name of ['auto_config.enabled', 'auto_encrypt.tls'])
          assert.match(error.message, new RegExp(`${name} asks`));
        return !/c2VjcmV0/.test(error.message);
      },
    );
  });

  for (const keys of [{ acl: { default_policy: 'deny' } }, { acl_default_policy: 'deny' }]) {
    it(`is refused where it forbids nothing: ${JSON.stringify(keys)}`, () => {
      assert.throws(() => load(keys), { message: /default_policy = "deny" forbids nothing/ });
    });
  }

  it('says that anybody may run scripts, whatever is said of access control', () => {
    const { warnings } = load({ enable_script_checks: true, acl: { enabled: false } });
    assert.match(warnings.join(), /enable-script-checks .*DANGEROUS/);
    const http_config = { allow_write_http_from: ['127.0.0.0/8'] };
    assert.deepEqual(load({ enable_script_checks: true, http_config }).warnings, []);
  });
});

describe('several servers', () => {
  const server = { ...BASE, server: true };

  for (const keys of [{ bootstrap_expect: 3 }, { retry_join: ['b'] }, { start_join: ['b'] }]) {
    it(`need a Redis, and so are refused without one: ${JSON.stringify(keys)}`, () => {
      assert.throws(() => load({ ...server, ...keys }), {
        message: /several servers need a Redis/,
      });
      assert.ok(load({ ...server, ...keys }, 'redis://127.0.0.1').config.redis);
    });
  }

  it('are not meant where one says that it is alone', () => {
    const { warnings } = load({ ...server, bootstrap: true, retry_join: ['b'] });
    assert.match(warnings[0] ?? '', /^this server is a registry of its own/);
    assert.deepEqual(load({ ...server, bootstrap: true }).warnings, []);
    assert.deepEqual(load(server).warnings, []);
  });

  it('pass where files are checked alone: the Redis may be named by a flag', () => {
    const text = JSON.stringify({ ...server, bootstrap_expect: 3 });
    const host = fakeConfigHost({ files: { '/c.json': text } });
    const { warnings } = validateConfigFiles(['/c.json'], { host });
    assert.match(warnings.join(), /several servers need a Redis/);
  });
});

describe('encrypt', () => {
  it('is a key, as Consul reads it, and a bad one is not shown', () => {
    const key = 'pUqJrVyVRj5jsiYEkM/tFQ==';
    assert.deepEqual(load({ encrypt: key }).config.encrypt, {
      key,
      verifyIncoming: true,
      verifyOutgoing: true,
      disableKeyringFile: false,
    });
    const message = 'encrypt has invalid key: illegal base64 data at input byte 4';
    assert.throws(() => load({ encrypt: 'short' }), { code: 'invalid', message });
  });
});
