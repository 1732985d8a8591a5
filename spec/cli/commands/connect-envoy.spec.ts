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

const WITH_TLS = '-proxy-id=web-sidecar-proxy -bootstrap -grpc-addr=https://a.example:8503';

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
      '-sidecar-for=web -bootstrap -grpc-addr=127.0.0.1:9502 -admin-bind=127.0.0.1:19999 -token=t -envoy-version=1.30.1',
    );
    assert.equal(code, 0);
    const said = JSON.parse(out);
    assert.deepEqual(said.node, {
      cluster: 'web',
      id: 'web-sidecar-proxy',
      metadata: { namespace: 'default', envoy_version: '1.30.1', long_patterns: 'taken' },
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
    const [{ static_layer }] = said.layered_runtime.layers;
    assert.deepEqual(static_layer, { 're2.max_program_size.error_level': 1_048_576 });
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
    const { caFile } = await TestAuthority.create();
    const { out } = await run(`${WITH_TLS} -ca-file=${caFile} -tls-server-name=server.dc1.consul`);
    const [cluster] = JSON.parse(out).static_resources.clusters;
    assert.equal(cluster.type, 'STRICT_DNS');
    const { typed_config: tls } = cluster.transport_socket;
    assert.match(tls['@type'], /UpstreamTlsContext$/);
    assert.equal(tls.sni, 'server.dc1.consul');
    const { trusted_ca, match_typed_subject_alt_names } = tls.common_tls_context.validation_context;
    assert.match(trusted_ca.inline_string, /BEGIN CERTIFICATE/);
    assert.deepEqual(match_typed_subject_alt_names, [
      { san_type: 'DNS', matcher: { exact: 'server.dc1.consul' } },
    ]);
  });

  it('does not let Envoy trust whoever answers, where nobody says so', async () => {
    const { code, err } = await run(WITH_TLS);
    assert.equal(code, 1);
    assert.match(err, /Envoy is to know the agent by an authority: name one with -ca-file/);
    const env = { CONSUL_HTTP_SSL_VERIFY: 'false' };
    const { out } = await commandLineOf(agent.port)(`connect envoy ${WITH_TLS}`, { env });
    const [cluster] = JSON.parse(out).static_resources.clusters;
    const { common_tls_context } = cluster.transport_socket.typed_config;
    assert.deepEqual(common_tls_context, { alpn_protocols: ['h2'] });
  });

  it('shows the certificate of the command line to an agent that asks for one', async () => {
    const authority = await TestAuthority.create();
    const { certFile, keyFile } = await authority.files();
    const { caFile } = authority;
    const { out } = await run(
      `-proxy-id=web-sidecar-proxy -bootstrap -grpc-addr=https://127.0.0.1:8503 -ca-file=${caFile} -client-cert=${certFile} -client-key=${keyFile}`,
    );
    const [cluster] = JSON.parse(out).static_resources.clusters;
    const [own] = cluster.transport_socket.typed_config.common_tls_context.tls_certificates;
    assert.deepEqual(own, {
      certificate_chain: { filename: certFile },
      private_key: { filename: keyFile },
    });
  });

  it('takes over what a registration says of figures, traces, and clusters of its own', async () => {
    const Config = {
      envoy_prometheus_bind_addr: '0.0.0.0:9102',
      envoy_stats_bind_addr: '127.0.0.1:9103',
      envoy_dogstatsd_url: '$STATSD',
      envoy_stats_tags: ['team=shop', 'none'],
      envoy_stats_flush_interval: '10s',
      envoy_extra_static_clusters_json: '{"name":"zipkin"},{"name":"other"}',
      envoy_extra_static_listeners_json: '[{"name":"own"}]',
      envoy_tracing_json: '{"http":{"name":"envoy.tracers.zipkin"}}',
    };
    const body = {
      ...{ Kind: 'connect-proxy', ID: 'said', Name: 'said', Port: 21_700 },
      Proxy: { DestinationServiceName: 'web', Config },
    };
    await send(agent.port, 'PUT', '/v1/agent/service/register', { body });
    const env = { STATSD: 'udp://127.0.0.1:9125' };
    const words = 'connect envoy -proxy-id=said -bootstrap';
    const { out, err } = await commandLineOf(agent.port)(words, { env });
    assert.equal(err, '');
    const said = JSON.parse(out);
    const { clusters, listeners } = said.static_resources;
    const names = (all: readonly { name: string }[]) => all.map(({ name }) => name);
    assert.deepEqual(names(clusters), ['local_agent', 'self_admin', 'zipkin', 'other']);
    assert.deepEqual(names(listeners), [
      ...['envoy_metrics_listener', 'envoy_prometheus_metrics_listener', 'own'],
    ]);
    const [{ filters }] = listeners[1].filter_chains;
    const [route] = filters[0].typed_config.route_config.virtual_hosts[0].routes;
    assert.deepEqual(route, {
      match: { path: '/metrics' },
      route: { cluster: 'self_admin', prefix_rewrite: '/stats/prometheus' },
    });
    assert.equal(said.tracing.http.name, 'envoy.tracers.zipkin');
    assert.equal(said.stats_flush_interval, '10s');
    assert.deepEqual(said.stats_config.stats_tags.at(-1), {
      tag_name: 'team',
      fixed_value: 'shop',
    });
    const [{ typed_config: sink }] = said.stats_sinks;
    assert.deepEqual(sink.address.socket_address, {
      ...{ protocol: 'UDP', address: '127.0.0.1', port_value: 9125 },
    });
  });

  it('refuses by its name what a registration says that makes no sense', async () => {
    for (const [name, value, why] of [
      ['envoy_tracing_json', '{', /Expected property name/],
      ['envoy_extra_static_clusters_json', '7', /no list of objects/],
      ['envoy_prometheus_bind_addr', 'here', /missing port/],
      ['envoy_statsd_url', 'tcp://x', /no URL such as udp/],
      ['envoy_bootstrap_json_tpl', '{{ x }}', /templates/],
    ] as const) {
      const body = {
        ...{ Kind: 'connect-proxy', ID: 'odd', Name: 'odd', Port: 21_701 },
        Proxy: { DestinationServiceName: 'web', Config: { [name]: value } },
      };
      await send(agent.port, 'PUT', '/v1/agent/service/register', { body });
      const { code, err } = await run('-proxy-id=odd -bootstrap');
      assert.deepEqual([code, err.startsWith(`Proxy.Config.${name}: `)], [1, true], err);
      assert.match(err, why);
    }
  });

  it('runs the program with it, and what follows --, and ends as that does', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'envoy-'));
    try {
      const program = join(folder, 'envoy');
      const takes = `'--disable-hot-restart -l debug' | '--base-id 3'`;
      const lines = ['#!/bin/sh', '[ -s "$2" ] || exit 6', 'shift 2'];
      const file = [...lines, `case "$*" in ${takes}) ;; *) exit 7 ;; esac`, ''].join('\n');
      writeFileSync(program, file);
      chmodSync(program, 0o755);
      const words = `-sidecar-for=web -envoy-binary=${program}`;
      // A second one on this machine finds its place free.
      assert.equal((await run(`${words} -- -l debug`)).code, 0);
      assert.equal((await run(`${words} -- --base-id 3`)).code, 0);
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
    ['-bootstrap -proxy-id=../..', /^Failed looking up proxy info for \.\.\/\.\.: [^<]*$/],
    [
      '-bootstrap -sidecar-for=web -envoy-version=9',
      /^invalid value "9" for flag -envoy-version: it is not a version as 1\.18\.0 is\n/,
    ],
    [
      '-bootstrap -sidecar-for=web -envoy-version=1.14.5',
      /^invalid value "1\.14\.5" for flag -envoy-version: Envoy is told what those before 1\.18\.0 do not know\n/,
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
