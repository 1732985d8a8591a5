import assert from 'node:assert/strict';
import fc from 'fast-check';
import { loadConfig, validateConfigFiles } from '../../../lib/config/load.ts';
import { waitingForStart } from '../../../lib/config/settle.ts';
import { CONFIG_KEYS } from '../../../lib/config/table.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { type FakeMachine, fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

function load(argv: readonly string[], machine: FakeMachine = {}, redisUrl?: string) {
  return loadConfig({ argv, host: fakeConfigHost(machine), redisUrl });
}

const files = (...texts: readonly string[]): FakeMachine => ({
  files: Object.fromEntries(texts.map((text, i) => [`/etc/${i}.json`, text])),
});
const file = (keys: object) => files(JSON.stringify({ data_dir: '/d', ...keys }));
const FROM_FILE = ['-config-file=/etc/0.json'];

describe('loadConfig', () => {
  it('knows what -dev means', () => {
    const { config, warnings } = load(['-dev']);
    assert.equal(config.server, true);
    assert.equal(config.nodeName, 'host-1');
    assert.equal(config.address.bind, '127.0.0.1');
    assert.equal(config.ports.grpc, 8502);
    assert.deepEqual(config.listen.http, [{ host: '127.0.0.1', port: 8500 }]);
    assert.deepEqual(warnings, []);
    assert.equal(load(['-dev', '-data-dir=/d']).config.dataDir, '');
  });

  it('lets flags go before files, and later files before earlier ones', () => {
    const { config } = load(
      ['-node=c', '-config-file=/etc/0.json', '-config-file', '/etc/1.json', '-data-dir=/d'],
      files('{"node_name":"a","domain":"a"}', '{"node_name":"b","domain":"b"}'),
    );
    assert.equal(config.nodeName, 'c');
    assert.equal(config.dns.domain, 'b.');
  });

  it('serves the page or not as the last says, by either name of the key', () => {
    const enabled = (argv: readonly string[], ...texts: readonly object[]) => {
      const machine = files(...texts.map((keys) => JSON.stringify({ data_dir: '/d', ...keys })));
      const paths = texts.map((_, i) => `-config-file=/etc/${i}.json`);
      return load([...paths, ...argv], machine).config.ui.enabled;
    };
    const [off, on] = [{ ui_config: { enabled: false } }, { ui_config: { enabled: true } }];
    assert.equal(enabled([], {}), false);
    assert.equal(enabled(['-dev']), true);
    assert.equal(enabled(['-dev'], off), false);
    assert.equal(enabled(['-ui'], off), true);
    assert.equal(enabled([], off, { ui: true }), true);
    assert.equal(enabled([], { ui: true }, off), false);
    assert.equal(enabled([], { ui: true, ...off }), false);
    assert.equal(enabled([], { ui: false }, on), true);
  });

  it('strings lists together, those of flags first, and joins objects key by key', () => {
    const { config } = load(
      ['-config-file=/etc/0.json', '-retry-join=c', '-config-file=/etc/1.json', '-data-dir=/d'],
      files(
        '{"retry_join":["a"],"ports":{"dns":1},"node_meta":{"a":"1","b":"1"},"service":{"name":"x"}}',
        '{"retry_join":["b"],"ports":{"http":2},"node_meta":{"b":"2"},"service":{"name":"y"}}',
      ),
    );
    assert.deepEqual(config.join.retry, ['c', 'a', 'b']);
    assert.deepEqual([config.ports.dns, config.ports.http], [1, 2]);
    assert.deepEqual(config.nodeMeta, { a: '1', b: '2' });
    assert.deepEqual(
      config.services.map(({ name }) => name),
      ['x', 'y'],
    );
  });

  it('is frozen through and through', () => {
    const { config } = load(['-dev', '-node-meta=a:b']);
    assert.throws(() => Object.assign(config.nodeMeta, { a: 'c' }), TypeError);
    assert.throws(() => Object.assign(config.acl.tokens, { master: 'c' }), TypeError);
  });

  it('reads a folder by name, only .json and .hcl, and tells what it skips', () => {
    const { config, warnings } = load(['-config-dir=/etc', '-data-dir=/d'], {
      files: {
        '/etc/b.hcl': 'node_name = "b"',
        '/etc/a.json': '{"node_name":"a","domain":"a"}',
        '/etc/notes.txt': 'node_name = "c"',
        '/etc/deeper/c.json': '{"node_name":"d"}',
      },
    });
    assert.equal(config.nodeName, 'b');
    assert.equal(config.dns.domain, 'a.');
    assert.deepEqual(warnings, [
      'skipping file /etc/notes.txt, extension must be .hcl or .json, or config format must be set',
    ]);
  });

  it('reads every file in the one format when -config-format says so', () => {
    const machine = { files: { '/etc/notes.txt': 'node_name = "c"' } };
    const { config } = load(['-config-format=hcl', '-config-dir=/etc', '-data-dir=/d'], machine);
    assert.equal(config.nodeName, 'c');
  });

  it('reads pieces of HCL from the command line last', () => {
    const { config } = load(['-dev', '-hcl', 'node_name = "x"', '-node=y']);
    assert.equal(config.nodeName, 'x');
  });

  it('knows which changes a reload leaves to the next start', () => {
    const read = (keys: object) => load(['-dev', ...FROM_FILE], file(keys)).settled;
    const before = read({ node_meta: { a: '1' } });
    const now = read({
      node_meta: { a: '2' },
      log_level: 'WARN',
      discard_check_output: true,
      acl: { tokens: { agent: 'x' } },
      services: [{ name: 'web' }],
      domain: 'other',
      ports: { dns: 53 },
      raft_protocol: 2,
    });
    assert.deepEqual(waitingForStart(before, now, CONFIG_KEYS), ['ports.dns', 'domain']);
  });

  it('takes 0 for what would never end or stand still, as Consul does', () => {
    const keys = { retry_interval: '1ns', check_reap_interval: '0s', reconnect_timeout: '0s' };
    const dns_config = { recursor_timeout: '0s' };
    const { config } = load(['-dev', ...FROM_FILE], file({ ...keys, dns_config }));
    assert.equal(config.join.retryIntervalMs, 100);
    assert.equal(config.join.reconnectTimeoutMs, 72 * 3_600_000);
    assert.equal(config.checkPolicy.reapIntervalMs, 30_000);
    assert.equal(config.dns.recursorTimeoutMs, 2000);
  });

  it('skips a file that is empty, in either format', () => {
    const machine = { files: { '/etc/0.json': '', '/etc/1.hcl': '', '/etc/2.json': 'null' } };
    assert.equal(load(['-dev', '-config-dir=/etc'], machine).config.nodeName, 'host-1');
    assert.throws(() => load(['-dev', ...FROM_FILE], files(' ')), /failed to parse/);
  });

  it('takes a file that begins with a byte order mark', () => {
    assert.equal(
      load(['-dev', ...FROM_FILE], files('\uFEFF{"node_name":"a"}')).config.nodeName,
      'a',
    );
  });

  it('names the file that is not there', () => {
    assert.throws(() => load(['-config-file=nope.json']), {
      code: 'invalid',
      message: 'config: Open failed on nope.json. open nope.json: no such file or directory',
    });
  });

  it('says at which line JSON is wrong', () => {
    const broken = files('{\n  "node_name": "a",\n  "domain": x\n}');
    assert.throws(
      () => load(['-dev', ...FROM_FILE], broken),
      /^ProconsulError: failed .* 3:13|line 3/,
    );
  });

  it('warns of what will not be as someone hopes', () => {
    const join = 'provider=aws tag_key=consul';
    const { warnings } = load(['-dev', `-retry-join=${join}`, '-bootstrap-expect=2', '-node=a_b']);
    assert.equal(warnings.length, 4);
  });

  it('names the piece that is wrong', () => {
    assert.throws(() => load(['-dev', '-hcl=foo = 1']), {
      message: 'failed to parse flags-0.hcl: 1 error occurred:\n\t* invalid config key foo\n\n',
    });
  });

  it('takes what only a later Consul knows, and says that it has no effect', () => {
    const keys = { peering: { enabled: true }, experiments: ['x'], cloud: {}, xds: { a: 1 } };
    const { warnings } = load(['-dev', ...FROM_FILE], file(keys));
    assert.deepEqual(
      warnings,
      Object.keys(keys).map(
        (key) => `/etc/0.json: the key ${key} is of a later Consul and has no effect`,
      ),
    );
  });

  it('takes what has no part here, and says which keys that say something', () => {
    const keys = {
      gossip_lan: { probe_interval: '1s', gossip_nodes: 9, probe_timeout: 'x' },
      raft_protocol: 3,
      connect: { enabled: false },
      docker: { ttl: '2s' },
    };
    assert.throws(() => load(['-dev', ...FROM_FILE], file(keys)), /gossip_lan.probe_timeout: inv/);
    keys.gossip_lan.probe_timeout = '0.5s';
    const { warnings } = load(['-dev', ...FROM_FILE], file(keys));
    assert.deepEqual(warnings, [
      'these keys have no effect here: docker.ttl, gossip_lan.gossip_nodes, raft_protocol',
    ]);
  });

  it("takes deprecated keys with Consul's warning", () => {
    const { warnings } = load(['-dev', ...FROM_FILE], file({ acl_enforce_version_8: false }));
    assert.deepEqual(warnings, [
      'config key "acl_enforce_version_8" is deprecated and should be removed',
    ]);
  });

  it('takes the later and the earlier names for tokens', () => {
    const keys = { acl: { tokens: { agent_recovery: 'r' } }, acl_token: 'd', acl_agent_token: 'a' };
    const { config } = load(['-dev', ...FROM_FILE], file(keys));
    assert.deepEqual(config.acl.tokens, {
      default: 'd',
      agent: 'a',
      agentMaster: 'r',
      replication: '',
      registration: '',
      dns: '',
    });
  });

  it('takes __proto__ for an unknown key, and for a name like any other in maps', () => {
    assert.throws(() => load(['-dev', ...FROM_FILE], files('{"__proto__":{"server":false}}')), {
      message:
        'failed to parse /etc/0.json: 1 error occurred:\n\t* invalid config key __proto__\n\n',
    });
    const { config } = load(['-dev', ...FROM_FILE], files('{"node_meta":{"__proto__":"a"}}'));
    assert.deepEqual(Object.entries(config.nodeMeta), [['__proto__', 'a']]);
  });

  it('reads any JSON or refuses it as invalid (seed 3)', () => {
    const keys = [
      'server',
      'ports',
      'acl',
      'service',
      'checks',
      'node_meta',
      'http',
      'dns',
      'name',
    ];
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...keys, '__proto__', 'x'), tie('value'), { maxKeys: 4 }),
      ),
    }));
    const refusesAtMost = (input: unknown) => {
      try {
        load(['-dev', ...FROM_FILE], files(JSON.stringify(input)));
      } catch (error) {
        assert.ok(error instanceof ProconsulError, String(error));
        assert.equal(error.code, 'invalid');
      }
    };
    fc.assert(fc.property(value, refusesAtMost), { seed: 3, numRuns: 1000 });
  });
});

describe('loadConfig: Redis', () => {
  it('goes by flag, then file, then environment', () => {
    const inFile = file({ redis: { url: 'redis://file' } });
    const url = (argv: readonly string[], machine?: FakeMachine) =>
      load(['-dev', ...argv], machine, 'redis://env').config.redis?.url;
    assert.equal(url(['-redis=redis://flag', ...FROM_FILE], inFile), 'redis://flag');
    assert.equal(url(FROM_FILE, inFile), 'redis://file');
    assert.equal(url([]), 'redis://env');
    assert.equal(load(['-dev']).config.redis, undefined);
  });

  it('never repeats a URL that is no good, for it may hold a password', () => {
    assert.throws(
      () => load(['-dev', '-redis=http://u:secret@h']),
      (error: Error) => {
        return !error.message.includes('secret') && error.message.startsWith('redis.url: must be');
      },
    );
  });

  it('may be behind sentinels or be a cluster, with and without TLS', () => {
    for (const url of ['redis+sentinel://a:1,b:2/main', 'rediss+cluster://a:7000,b:7000']) {
      const { redis } = load(['-dev', `-redis=${url}`]).config;
      assert.equal(redis?.url, url);
      assert.equal(redis?.tls.enabled, url.startsWith('rediss'));
    }
  });

  it('takes sentinels in place of a URL', () => {
    const keys = { redis: { sentinels: ['a:26379', 'b'], commit: 'quorum' } };
    const { redis } = load(['-dev', ...FROM_FILE], file(keys), 'redis://env').config;
    assert.deepEqual(redis?.sentinels, ['a:26379', 'b']);
    assert.equal(redis?.url, '');
    assert.equal(redis?.commit, 'quorum');
    assert.equal(redis?.sentinelName, 'mymaster');
  });
});

describe('validateConfigFiles', () => {
  it('says of files and folders what a start with them would', () => {
    const host = fakeConfigHost({
      files: { '/a/b.json': '{"data_dir":"/d","node_name":"a b"}', '/c.hcl': 'foo = 1' },
    });
    assert.equal(validateConfigFiles(['/a'], { host }).warnings.length, 1);
    assert.throws(() => validateConfigFiles(['/a', '/c.hcl'], { host }), /invalid config key foo/);
  });
});
