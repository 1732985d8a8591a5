import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AGENT_FLAGS } from '../../../lib/config/agent-flags.ts';
import { loadConfig, validateConfigFiles } from '../../../lib/config/load.ts';
import { agentUsage } from '../../../lib/config/usage.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { type FakeMachine, fakeConfigHost } from '../../support/fake-config-host.ts';

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

  it('names the piece that is wrong', () => {
    assert.throws(() => load(['-dev', '-hcl=foo = 1']), {
      message: 'failed to parse flags-0.hcl: 1 error occurred:\n\t* invalid config key foo\n\n',
    });
  });

  it('takes what only a later Consul knows, and says that it has no effect', () => {
    const keys = { peering: { enabled: true }, experiments: ['x'], locality: {}, xds: { a: 1 } };
    const { warnings } = load(['-dev', ...FROM_FILE], file(keys));
    assert.deepEqual(
      warnings,
      Object.keys(keys).map(
        (key) => `/etc/0.json: the key ${key} is of a later Consul and has no effect`,
      ),
    );
  });

  it('takes what has no part here, and says which keys', () => {
    const keys = { gossip_lan: { probe_interval: '1s' }, raft_protocol: 3, encrypt: 'aGVsbG8=' };
    const { warnings } = load(['-dev', ...FROM_FILE], file(keys));
    assert.equal(
      warnings[0],
      "these keys are Consul's, and have no effect here: encrypt, gossip_lan, raft_protocol",
    );
    assert.match(warnings[1] ?? '', /^encrypt does not protect anything here/);
  });

  it('takes the later names for the first tokens', () => {
    const tokens = { initial_management: 'm', agent_recovery: 'r' };
    const { config } = load(['-dev', ...FROM_FILE], file({ acl: { tokens } }));
    assert.equal(config.acl.tokens.master, 'm');
    assert.equal(config.acl.tokens.agentMaster, 'r');
  });

  it('takes TLS settings in the later form', () => {
    const tls = {
      defaults: { cert_file: 'c', verify_incoming: true },
      https: { verify_incoming: false },
    };
    const { config } = load(['-dev', ...FROM_FILE], file({ tls }));
    assert.equal(config.tls.certFile, 'c');
    assert.equal(config.tls.verifyIncomingHttps, false);
    assert.equal(config.tls.verifyIncomingRpc, true);
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

describe('loadConfig: flags', () => {
  const firstLine = (argv: readonly string[]) => {
    try {
      load(argv);
    } catch (error) {
      assert.ok(error instanceof ProconsulError);
      return error.message.split('\n')[0];
    }
    return 'taken';
  };

  it('come as -x v, -x=v and --x, and booleans alone or with a value', () => {
    const { config } = load(['--dev', '-node', 'a', '--http-port=1', '-server=false', '-ui=T']);
    assert.equal(config.nodeName, 'a');
    assert.equal(config.ports.http, 1);
    assert.equal(config.server, false);
    assert.equal(config.ui.enabled, true);
  });

  it('take pairs, the second part of which may have colons or be missing', () => {
    const { config } = load(['-dev', '-node-meta=a:b:c', '-node-meta', 'd']);
    assert.deepEqual(config.nodeMeta, { a: 'b:c', d: '' });
  });

  // Each line is Consul's.
  const refused: readonly (readonly [string, string])[] = [
    ['-nope', 'flag provided but not defined: -nope'],
    ['-node', 'flag needs an argument: -node'],
    [
      '-server=x',
      'invalid boolean value "x" for -server: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    [
      '-http-port=x',
      'invalid value "x" for flag -http-port: strconv.Atoi: parsing "x": invalid syntax',
    ],
    ['x', 'Unexpected extra arguments: [x]'],
    ['-config-format=xml', "config: -config-format must be either 'hcl' or 'json'"],
  ];
  for (const [flag, message] of refused) {
    it(`refuse ${flag}`, () => assert.equal(firstLine([flag]), message));
  }

  it('are listed after a complaint, and explained when asked', () => {
    assert.throws(() => load(['-nope']), /\nUsage:\n {2}-advertise value\n {4}\t/);
    for (const name of AGENT_FLAGS.keys()) assert.ok(agentUsage().includes(`\n  -${name}`), name);
  });
});

describe('loadConfig: addresses', () => {
  const interfaces = {
    lo: ['127.0.0.1/8'],
    eth0: ['10.0.0.7/24', '2a01:4f8::7/64', 'fe80::7/64'],
    docker0: ['172.17.0.1/16'],
    wan: ['93.184.216.34/24'],
  };
  const address = (keys: object, machine: FakeMachine = { interfaces }) =>
    load(FROM_FILE, { ...machine, ...file({ bind_addr: '127.0.0.1', ...keys }) }).config.address;

  it('fill in templates', () => {
    const filled = (template: string) => address({ advertise_addr: template }).advertise;
    assert.equal(filled('{{ GetPrivateIP }}'), '10.0.0.7');
    assert.equal(filled('{{ GetInterfaceIP "docker0" }}'), '172.17.0.1');
    assert.equal(filled('{{ GetInterfaceIP `wan` }}'), '93.184.216.34');
    assert.equal(
      filled('{{ GetAllInterfaces | include "network" "172.16.0.0/12" | attr "address" }}'),
      '172.17.0.1',
    );
    assert.equal(
      filled(
        '{{ GetAllInterfaces | exclude "name" "lo|eth0" | sort "-address" | limit 1 | join "address" " " }}',
      ),
      '172.17.0.1',
    );
    assert.equal(
      filled('{{ GetPrivateInterfaces | include "type" "IPv4" | attr "address" }}'),
      '10.0.0.7',
    );
  });

  it('name the function that no template knows', () => {
    assert.throws(() => address({ advertise_addr: '{{ Nope }}' }), {
      message:
        '1 error occurred:\n\t* advertise_addr: error parsing "{{ Nope }}": ' +
        'function "Nope" not defined\n\n',
    });
  });

  it('may be several for clients', () => {
    const keys = {
      client_addr: '127.0.0.1 {{ GetPrivateIP }}',
      addresses: { http: 'unix:///s ::1' },
    };
    const { config } = load(FROM_FILE, {
      interfaces,
      ...file({ bind_addr: '127.0.0.1', ...keys }),
    });
    assert.deepEqual(config.listen.dns, [
      { host: '127.0.0.1', port: 8600 },
      { host: '10.0.0.7', port: 8600 },
    ]);
    assert.deepEqual(config.listen.http, [{ path: '/s' }, { host: '::1', port: 8500 }]);
  });

  it('advertise the private one when bound to all', () => {
    const one = { interfaces: { lo: ['127.0.0.1/8'], eth1: ['10.0.0.7/24'] } };
    assert.equal(address({ bind_addr: '0.0.0.0' }, one).advertise, '10.0.0.7');
  });

  it('advertise the one that leads to the world when Docker has brought another, and warn', () => {
    const { config, warnings } = load(FROM_FILE, { interfaces, ...file({}) });
    assert.equal(config.address.advertise, '10.0.0.7');
    assert.match(
      warnings[0] ?? '',
      /^Multiple private IPv4 addresses found \(10.0.0.7, 172.17.0.1\)/,
    );
  });

  it('cannot be guessed when there is none, or several that might be meant', () => {
    const none = { interfaces: { lo: ['127.0.0.1/8'] } };
    assert.throws(() => address({ bind_addr: '0.0.0.0' }, none), {
      message:
        "No private IPv4 address found. Please configure one with 'bind' and/or 'advertise'.",
    });
    const two = { interfaces: { a: ['10.0.0.1/8'], b: ['10.0.0.2/8'] } };
    assert.throws(() => address({ bind_addr: '0.0.0.0' }, two), {
      message:
        "Multiple private IPv4 addresses found. Please configure one with 'bind' and/or 'advertise'.",
    });
  });

  it('are tagged by family', () => {
    const keys = { advertise_addr: '10.1.1.1', advertise_addr_ipv6: 'fd00::1' };
    assert.deepEqual(address({ ...keys, advertise_addr_wan: '9.9.9.9' }).tagged, {
      lan: '10.1.1.1',
      lan_ipv4: '10.1.1.1',
      lan_ipv6: 'fd00::1',
      wan: '9.9.9.9',
      wan_ipv4: '9.9.9.9',
    });
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
