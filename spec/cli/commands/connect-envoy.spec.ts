import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { send } from '../../support/servers/start-server.ts';
import { startWholeAgent, type WholeAgent } from '../../support/servers/whole-agent.ts';

describe('proconsul connect envoy', function () {
  // The machine may be busy.
  this.timeout(60_000);

  let agent: WholeAgent;

  before(async () => {
    agent = await startWholeAgent([]);
    const body = { Name: 'web', Port: 80, Connect: { SidecarService: { Port: 21_500 } } };
    await send(agent.port, 'PUT', '/v1/agent/service/register', { body });
  });
  after(() => agent.stop());

  const run = (words: string) => commandLineOf(agent.port)(`connect envoy ${words}`);

  it('prints with -bootstrap where Envoy is told all else, in the API of today', async () => {
    const { code, out } = await run(
      '-sidecar-for=web -bootstrap -grpc-addr=127.0.0.1:9502 -admin-bind=127.0.0.1:19999 -token=t',
    );
    assert.equal(code, 0);
    const said = JSON.parse(out);
    assert.deepEqual(said.node, {
      cluster: 'web',
      id: 'web-sidecar-proxy',
      metadata: { namespace: 'default', envoy_version: '1.18.0' },
    });
    assert.equal(said.admin.address.socket_address.port_value, 19_999);
    const [cluster] = said.static_resources.clusters;
    assert.equal(cluster.name, 'local_agent');
    const [{ endpoint }] = cluster.load_assignment.endpoints[0].lb_endpoints;
    assert.equal(endpoint.address.socket_address.port_value, 9502);
    const { ads_config, lds_config } = said.dynamic_resources;
    assert.deepEqual(lds_config, { ads: {}, resource_api_version: 'V3' });
    assert.equal(ads_config.transport_api_version, 'V3');
    assert.deepEqual(ads_config.grpc_services[0].initial_metadata, [
      { key: 'x-consul-token', value: 't' },
    ]);
    const { stats_tags } = said.stats_config;
    assert.deepEqual(stats_tags[2], {
      tag_name: 'consul.service',
      regex: String.raw`^cluster\.((?:[^.]+~)?(?:[^.]+\.)?([^.]+)\.[^.]+\.[^.]+\.[^.]+\.[^.]+\.consul\.)`,
    });
    assert.deepEqual(stats_tags.at(-2), {
      tag_name: 'consul.full_target',
      regex: String.raw`^cluster\.(((?:[^.]+~)?(?:[^.]+\.)?[^.]+\.[^.]+\.[^.]+\.[^.]+\.[^.]+)\.consul\.)`,
    });
  });

  it('speaks TLS with the agent where the address says so', async () => {
    const { out } = await run(
      '-proxy-id=web-sidecar-proxy -bootstrap -grpc-addr=https://a.example:8503',
    );
    const [cluster] = JSON.parse(out).static_resources.clusters;
    assert.equal(cluster.type, 'STRICT_DNS');
    assert.match(cluster.transport_socket.typed_config['@type'], /UpstreamTlsContext$/);
  });

  it('runs the program with it, and what follows --, and ends as that does', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'envoy-'));
    try {
      const program = join(folder, 'envoy');
      writeFileSync(program, `#!/bin/sh\n[ -s "$2" ] && [ "$3 $4" = "-l debug" ] || exit 7\n`);
      chmodSync(program, 0o755);
      const words = `-sidecar-for=web -envoy-binary=${program}`;
      assert.equal((await run(`${words} -- -l debug`)).code, 0);
      const { code, err } = await run(words);
      assert.deepEqual([code, err], [1, 'Envoy ended: exit status 7\n']);
      const missing = await run('-sidecar-for=web -envoy-binary=/none/envoy');
      assert.match(missing.err, /^Envoy ended: spawn \/none\/envoy ENOENT/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  for (const [words, complaint] of [
    [
      '-bootstrap',
      /^No proxy ID specified\. One of -proxy-id, -sidecar-for, or -gateway is required\n/,
    ],
    ['-bootstrap -sidecar-for=none', /^No sidecar proxy registered for none\n/],
    [
      '-bootstrap -sidecar-for=web -admin-bind=nonsense',
      /^Invalid admin bind address: .*missing port/,
    ],
    ['-bootstrap -proxy-id=none', /^Failed looking up proxy info for none: .*404/],
    ['-gateway=ingress', /^Gateways are not configured for Envoy yet\n/],
  ] as const) {
    it(`refuses "${words}"`, async () => {
      const { code, err } = await run(words);
      assert.equal(code, 1);
      assert.match(err, complaint);
    });
  }
});
