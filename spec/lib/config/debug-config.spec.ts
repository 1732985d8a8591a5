import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { debugConfig } from '../../../lib/config/debug-config.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

/** What Consul 1.8.7 showed of the same configuration. */
const RECORDED = JSON.parse(
  readFileSync(new URL('./debug-config-1.8.7.json', import.meta.url), 'utf8'),
);

function shown(keys: object): Record<string, unknown> {
  const files = { '/c.json': JSON.stringify(keys) };
  const { config } = loadConfig({
    argv: ['-config-file=/c.json'],
    host: fakeConfigHost({ files }),
  });
  return JSON.parse(JSON.stringify(debugConfig(config, RECORDED.NodeID)));
}

describe('debugConfig', () => {
  it('is what Consul shows of the same configuration', () => {
    const ours = shown({
      node_name: 'n1',
      server: true,
      bootstrap: true,
      data_dir: '/data',
      bind_addr: '127.0.0.1',
      log_level: 'warn',
      disable_update_check: true,
      performance: { raft_multiplier: 1 },
      enable_script_checks: true,
      ports: { http: 18500, dns: 18600, server: 18300, serf_lan: 18301, serf_wan: 18302 },
    });
    // Consul has no second place for these two.
    const { LogLevel: _level, DNSRecursor: _recursor, ...common } = ours;
    assert.deepEqual(common, RECORDED);
  });

  it('shows no secret', () => {
    const secret = 'c0ffee-secret';
    const text = JSON.stringify(
      shown({
        data_dir: '/data',
        bind_addr: '127.0.0.1',
        acl: { tokens: { master: secret, agent: secret, default: secret, replication: secret } },
        redis: { url: `redis://:${secret}@127.0.0.1`, password: secret },
        service: { name: 'a', token: secret, check: { http: 'x', header: { A: [secret] } } },
        check: { name: 'c', token: secret, args: [secret], interval: '1s' },
        watches: [{ type: 'nodes', token: secret, args: [secret] }],
        telemetry: { circonus_api_token: secret },
      }),
    );
    assert.ok(!text.includes(secret));
  });
});
