import assert from 'node:assert/strict';
import { loadConfig } from '../../../lib/config/load.ts';
import { type FakeMachine, fakeConfigHost } from '../../support/fake-config-host.ts';

function load(argv: readonly string[], machine: FakeMachine = {}) {
  return loadConfig({ argv, host: fakeConfigHost(machine) });
}

const files = (...texts: readonly string[]): FakeMachine => ({
  files: Object.fromEntries(texts.map((text, i) => [`/etc/${i}.json`, text])),
});

describe('loadConfig', () => {
  it('knows what -dev means', () => {
    const { config } = load(['-dev']);
    assert.equal(config.server, true);
    assert.equal(config.nodeName, 'host-1');
    assert.equal(config.address.bind, '127.0.0.1');
    assert.deepEqual(config.listen.http, [{ host: '127.0.0.1', port: 8500 }]);
  });

  it('lets flags go before files, and later files before earlier ones', () => {
    const { config } = load(
      ['-node=c', '-config-file=/etc/0.json', '-config-file', '/etc/1.json', '-data-dir=/d'],
      files('{"node_name":"a","domain":"a"}', '{"node_name":"b","domain":"b"}'),
    );
    assert.equal(config.nodeName, 'c');
    assert.equal(config.dns.domain, 'b.');
  });

  it('is frozen through and through', () => {
    const { config } = load(['-dev', '-node-meta=a:b']);
    assert.throws(() => Object.assign(config.nodeMeta, { a: 'c' }), TypeError);
  });
});
