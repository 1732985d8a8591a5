import assert from 'node:assert/strict';
import { CHECK_FIELDS, KINDS } from '../../../agent/checks/kinds/kinds.ts';
import { FILE_KEYS, fileKey } from '../../../agent/definitions/file-keys.ts';
import { definitionsOf } from '../../../agent/definitions/from-config.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import type { Keys } from '../../../lib/config/row.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

describe('services and checks in files', () => {
  const load = (hcl: string) => {
    const { config } = loadConfig({
      argv: ['-dev', '-bind=127.0.0.1', '-hcl', hcl],
      host: fakeConfigHost(),
    });
    return definitionsOf(config);
  };

  it('have a key for each field of each kind of check', () => {
    const keys: Keys = FILE_KEYS.check;
    const fields = Object.keys(CHECK_FIELDS);
    assert.ok(fields.length > 30 && KINDS.length > 9);
    for (const field of fields) assert.ok(keys[fileKey(field)], field);
  });

  it('are written in snake_case, as Consul’s are', () => {
    const names = [
      'H2PING',
      'H2PingUseTLS',
      'TCPUseTLS',
      'OSService',
      'DockerContainerID',
      'CheckID',
    ];
    assert.deepEqual(names.map(fileKey), [
      'h2ping',
      'h2ping_use_tls',
      'tcp_use_tls',
      'os_service',
      'docker_container_id',
      'id',
    ]);
  });

  it('mean what the same means in a request', () => {
    const { checks, services } = load(`
      check {
        id = "c" name = "c" tcp = "db:5432" tcp_use_tls = true tls_server_name = "db.example"
        interval = "10s" header { x-a = ["1"] }
      }
      service {
        name = "web" port = 80 tagged_addresses { lan { address = "10.0.0.1" port = 1 } }
        check { args = ["true"] interval = "5s" }
        connect { sidecar_service { proxy { upstreams { destination_name = "db" local_bind_port = 1 } } } }
      }`);
    const [check] = checks;
    assert.deepEqual(
      [check?.CheckID, check?.TCP, check?.TCPUseTLS, check?.TLSServerName, check?.Interval],
      ['c', 'db:5432', true, 'db.example', 10e9],
    );
    assert.deepEqual(check?.Header, { 'x-a': ['1'] });
    const [web] = services;
    assert.deepEqual(web?.TaggedAddresses, { lan: { Address: '10.0.0.1', Port: 1 } });
    assert.deepEqual(web?.Check?.Args, ['true']);
    const upstreams = web?.Connect?.SidecarService?.Proxy?.['Upstreams'] as object[];
    assert.equal(upstreams.length, 1);
  });

  it('are refused by name for a key that no kind has, and for a nested sidecar', () => {
    assert.throws(() => load('check { id = "c" tpc = "x:1" }'), /invalid config key checks?.*tpc/);
    const nested = 'connect { sidecar_service { connect { sidecar_service {} } } }';
    assert.throws(
      () => load(`service { name = "web" ${nested} }`),
      /cannot have a nested SidecarService/,
    );
    const upstream =
      'upstreams { destination_name = "db" local_bind_port = 1 destination_peer = "p" }';
    assert.throws(
      () => load(`service { name = "web" connect { sidecar_service { proxy { ${upstream} } } } }`),
      /"destination_peer" - clusters are not peered here/,
    );
  });
});
