import assert from 'node:assert/strict';
import { loadConfig } from '../../../lib/config/load.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

function aclOf(keys: object) {
  const base = { data_dir: '/data', bind_addr: '127.0.0.1', server: true };
  const files = { '/c.json': JSON.stringify({ ...base, ...keys }) };
  const host = fakeConfigHost({ files });
  return loadConfig({ argv: ['-config-file=/c.json'], host }).config.acl;
}

describe('access control in a configuration', () => {
  it('is off, and would allow what no rule forbids', () => {
    const { enabled, defaultPolicy, keyListPolicy, initialManagement } = aclOf({});
    assert.deepEqual(
      { enabled, defaultPolicy, keyListPolicy, initialManagement },
      { enabled: false, defaultPolicy: 'allow', keyListPolicy: false, initialManagement: '' },
    );
  });

  it('is as the keys of today say', () => {
    const tokens = { initial_management: 'first', master: 'older' };
    const acl = { enabled: true, default_policy: 'deny', enable_key_list_policy: true, tokens };
    const { enabled, defaultPolicy, keyListPolicy, initialManagement } = aclOf({ acl });
    assert.deepEqual(
      { enabled, defaultPolicy, keyListPolicy, initialManagement },
      { enabled: true, defaultPolicy: 'deny', keyListPolicy: true, initialManagement: 'first' },
    );
  });

  it('is as the keys of before Consul 1.4 say', () => {
    const old = {
      acl_datacenter: 'dc1',
      acl_default_policy: 'deny',
      acl_enable_key_list_policy: true,
      acl_master_token: 'first',
    };
    const { enabled, defaultPolicy, keyListPolicy, initialManagement } = aclOf(old);
    assert.deepEqual(
      { enabled, defaultPolicy, keyListPolicy, initialManagement },
      { enabled: true, defaultPolicy: 'deny', keyListPolicy: true, initialManagement: 'first' },
    );
  });

  it('is off where that is said in so many words, whatever older keys say', () => {
    assert.equal(aclOf({ acl: { enabled: false }, acl_datacenter: 'dc1' }).enabled, false);
  });
});
