import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestAuthority } from '../../support/certificates.ts';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { send } from '../../support/servers/start-server.ts';
import { startWholeAgent, type WholeAgent } from '../../support/servers/whole-agent.ts';

interface Registered {
  readonly Kind: string;
  readonly Address: string;
  readonly Port: number;
  readonly TaggedAddresses: Readonly<Record<string, object>>;
  readonly Proxy: { readonly Config: object };
}

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

  it('shows the certificate of the command line to an agent that asks for one', async () => {
    const { certFile, keyFile } = await (await TestAuthority.create()).files();
    const { out } = await run(
      `-proxy-id=web-sidecar-proxy -bootstrap -grpc-addr=https://127.0.0.1:8503 -client-cert=${certFile} -client-key=${keyFile}`,
    );
    const [cluster] = JSON.parse(out).static_resources.clusters;
    const [own] = cluster.transport_socket.typed_config.common_tls_context.tls_certificates;
    assert.deepEqual(own, {
      certificate_chain: { filename: certFile },
      private_key: { filename: keyFile },
    });
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

  it('registers a gateway as Consul does, and is found by its kind from then on', async () => {
    const { code, out, err } = await run(
      '-gateway=terminating -register -service=out -address=127.0.0.1:9443 -wan-address=127.0.0.2 ' +
        '-bind-address=a=127.0.0.1:7777 -bootstrap',
    );
    assert.equal(code, 0, err);
    assert.deepEqual([JSON.parse(out).node.id, JSON.parse(out).node.cluster], ['out', 'out']);
    const { json } = await send(agent.port, 'GET', '/v1/agent/service/out', {});
    const { Kind, Address, Port, TaggedAddresses, Proxy: proxy } = json as Registered;
    assert.deepEqual([Kind, Address, Port], ['terminating-gateway', '127.0.0.1', 9443]);
    assert.deepEqual(TaggedAddresses['lan'], { Address: '127.0.0.1', Port: 9443 });
    assert.deepEqual(TaggedAddresses['wan'], { Address: '127.0.0.2', Port: 443 });
    assert.deepEqual(proxy.Config, {
      envoy_gateway_bind_addresses: { a: { Address: '127.0.0.1', Port: 7777 } },
      envoy_gateway_no_default_bind: true,
    });
    const checks = await send(agent.port, 'GET', '/v1/agent/checks', {});
    const [check] = Object.values(checks.json as Readonly<Record<string, { Name: string }>>).filter(
      ({ Name }) => Name === 'terminating-gateway listening',
    );
    assert.ok(check);
    const found = await run('-gateway=terminating -bootstrap');
    assert.equal(JSON.parse(found.out).node.id, 'out');
  });

  for (const [words, complaint] of [
    [
      '-bootstrap',
      /^No proxy ID specified\. One of -proxy-id, -sidecar-for, or -gateway is required\n/,
    ],
    ['-bootstrap -sidecar-for=none', /^No sidecar proxy registered for none\n/],
    [
      '-bootstrap -register',
      /^No proxy ID specified\. One of -proxy-id, -sidecar-for, or -gateway is required\n/,
    ],
    [
      '-bootstrap -sidecar-for=web -admin-bind=nonsense',
      /^Invalid admin bind address: .*missing port/,
    ],
    ['-bootstrap -proxy-id=none', /^Failed looking up proxy info for none: .*404/],
    ['-gateway=mesh', /^No mesh-gateway services registered with this agent\n/],
    ['-gateway=moon', /^Gateway must be one of: terminating, mesh, or ingress\n/],
    [
      '-gateway=mesh -register -address=nonsense',
      /^invalid value "nonsense" for flag -address: Error parsing address "nonsense": not an IP address\n/,
    ],
    [
      '-gateway=mesh -register -bind-address=nonsense',
      /^invalid value "nonsense" for flag -bind-address: Missing "=" in argument: nonsense\n/,
    ],
  ] as const) {
    it(`refuses "${words}"`, async () => {
      const { code, err } = await run(words);
      assert.equal(code, 1);
      assert.match(err, complaint);
    });
  }
});
