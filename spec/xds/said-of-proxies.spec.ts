/** What registrations and entries say of proxies beside whom they call: told, or named in the log. */
import assert from 'node:assert/strict';
import { type Any, openAds } from '../support/servers/xds-clients.ts';
import {
  chainTo,
  filtersOf,
  INBOUND,
  leafOf,
  registered,
  startMesh,
  told,
} from '../support/servers/xds-mesh.ts';
import { until } from '../support/until.ts';

const withProxy = (registration: ReturnType<typeof registered>, more: object) => ({
  ...registration,
  Proxy: { ...registration.Proxy, ...more },
});

const portOf = ({ address }: Any): number => address.socket_address.port_value;

describe('what is said of proxies', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('exposes paths of the program, each alone and without TLS', async () => {
    const Paths = [
      { Path: '/health', ListenerPort: 21_500, LocalPathPort: 8081, Protocol: 'http' },
      { Path: '/metrics', ListenerPort: 21_501, Protocol: 'http2' },
      // Where others come in already.
      { Path: '/x', ListenerPort: 21_000, LocalPathPort: 8081 },
    ];
    const { xds, stream } = await startMesh(withProxy(registered(), { Expose: { Paths } }));
    const clusters = await told(stream, 'clusters');
    assert.deepEqual(
      clusters.map(({ name, load_assignment: { endpoints } }) => [
        name,
        portOf(endpoints[0].lb_endpoints[0].endpoint),
      ]),
      [
        ['local_app', 8080],
        ['exposed_cluster_8081', 8081],
        ['exposed_cluster_8080_http2', 8080],
      ],
    );
    const listeners = await told(stream, 'listeners');
    assert.deepEqual(listeners.map(portOf), [21_000, 21_500, 21_501]);
    const [, health] = listeners;
    assert.equal(health.name, 'exposed_path_health:10.0.0.1:21500');
    assert.equal(health.filter_chains[0].transport_socket, null);
    const [{ domains, routes }] = filtersOf(health)[0].route_config.virtual_hosts;
    assert.deepEqual(domains, ['*']);
    assert.deepEqual(
      routes.map(({ match, route }: Any) => [match.path, route.cluster]),
      [['/health', 'exposed_cluster_8081']],
    );
    assert.ok(
      xds.logger.lines.some((line) => /exposed_path_x.* is left out: another one/.test(line)),
      xds.logger.lines.join('\n'),
    );
  });

  it('bounds connections to the program, and how long it may take', async () => {
    const config = { protocol: 'http', local_request_timeout_ms: 1500, max_inbound_connections: 7 };
    const { stream } = await startMesh(registered(config));
    const [program] = await told(stream, 'clusters');
    assert.equal(program.circuit_breakers.thresholds[0].max_connections.value, 7);
    const [routes] = await told(stream, 'routes', INBOUND);
    const [{ route }] = routes.virtual_hosts[0].routes;
    assert.deepEqual([route.timeout.seconds, route.timeout.nanos], ['1', 500_000_000]);
  });

  it('is named in the log where no Envoy is told of it, and not where one begins with it', async () => {
    const config = {
      envoy_public_listener_json: '{}',
      envoy_prometheus_bind_addr: '0.0.0.0:9102',
      envoy_extra_static_clusters_json: '{}',
    };
    const Config = { envoy_cluster_json: '{}' };
    const upstream = { DestinationName: 'api', LocalBindPort: 9000, Config };
    const { xds, stream } = await startMesh(
      withProxy(registered(config, [upstream]), { Mode: 'transparent', Expose: { Checks: true } }),
    );
    await told(stream, 'listeners');
    const named = () => xds.logger.lines.filter((line) => line.includes('is left out'));
    await until(
      () => named().length >= 4,
      () => named().join('\n'),
    );
    const names = named().map((line) => /xds: (.*) of the proxy of "web" is/.exec(line)?.[1]);
    assert.deepEqual(names, [
      'Config.envoy_public_listener_json',
      'Mode',
      'Expose.Checks',
      'Config.envoy_cluster_json of the upstream api',
    ]);
  });

  it('is named in the log of gateways too, beside what they heed', async () => {
    const Config = {
      ...{ bind_port: 8444, connect_timeout_ms: 700, envoy_gateway_no_default_bind: false },
      ...{ protocol: 'http', envoy_dns_discovery_type: 'LOGICAL_DNS' },
    };
    const { xds, stream } = await startMesh({
      ...{ Kind: 'mesh-gateway', Service: 'edge', Address: '10.0.0.7', Port: 8443 },
      Proxy: { Config, MeshGateway: { Mode: 'remote' }, MutualTLSMode: 'permissive' },
      ContentHash: 'a',
    });
    xds.agent.say('/v1/agent/connect/ca/leaf/edge', leafOf('edge'));
    xds.agent.say('/v1/catalog/services', { web: [] });
    const [cluster] = await told(stream, 'clusters');
    assert.equal(cluster.connect_timeout.nanos, 700_000_000);
    await told(openAds(xds), 'listeners');
    const named = () =>
      xds.logger.lines.flatMap((line) => /xds: (.*) of the proxy/.exec(line) ?? []);
    await until(() => named().length >= 8);
    const names = named().filter((_, i) => i % 2 === 1);
    assert.deepEqual(names, [
      ...['Config.protocol', 'Config.envoy_dns_discovery_type', 'MutualTLSMode', 'MeshGateway'],
    ]);
  });

  it('has a gateway listen at its tagged addresses, each once however it is written', async () => {
    const Config = {
      envoy_gateway_bind_tagged_addresses: true,
      envoy_gateway_bind_addresses: { a: { address: '0:0::1', port: 8443 } },
    };
    const { xds, stream } = await startMesh({
      ...{ Kind: 'mesh-gateway', Service: 'edge', Address: '10.0.0.7', Port: 8443 },
      TaggedAddresses: {
        lan: { Address: '10.0.0.7', Port: 8443 },
        wan: { Address: '::1', Port: 0 },
      },
      ...{ Proxy: { Config }, ContentHash: 'a' },
    });
    xds.agent.say('/v1/agent/connect/ca/leaf/edge', leafOf('edge'));
    const listeners = await told(stream, 'listeners');
    assert.deepEqual(
      listeners.map(({ name }) => name),
      ['mesh:10.0.0.7:8443', 'mesh:0:0::1:8443'],
    );
  });

  it('shows certificates of another service, by the names that TLS asks for', async () => {
    const { xds, stream } = await startMesh({
      ...{ Kind: 'ingress-gateway', Service: 'edge', Address: '10.0.0.7', Port: 8443 },
      ...{ Proxy: {}, ContentHash: 'a' },
    });
    xds.agent.say('/v1/agent/connect/ca/leaf/edge', leafOf('edge'));
    for (const name of ['api', 'web']) {
      xds.agent.say(`/v1/discovery-chain/${name}`, chainTo(name, 'http'));
    }
    const row = (Name: string, Hosts: readonly string[]) => ({
      ...{ Service: { Name }, Port: 8080, Protocol: 'http', Hosts },
    });
    xds.agent.say('/v1/catalog/gateway-services/edge', [
      row('api', ['API.example', '*.api.example']),
      row('web', ['web.example']),
    ]);
    const suites = ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_NONE'];
    const say = (TLS: object) =>
      xds.agent.say('/v1/config/ingress-gateway/edge', {
        TLS: { Enabled: true, SDS: { ClusterName: 'sds', CertResource: 'all' } },
        Listeners: [
          {
            ...{ Port: 8080, Protocol: 'http', TLS },
            Services: [{ Name: 'api', TLS: { SDS: { CertResource: 'own' } } }, { Name: 'web' }],
          },
        ],
      });
    say({ CipherSuites: suites });
    const [listener] = await told(stream, 'listeners');
    const secrets = listener.filter_chains.map(
      ({ filter_chain_match, transport_socket: { typed_config } }: Any) => {
        const { common_tls_context: tls } = typed_config;
        const [{ name, sds_config }] = tls.tls_certificate_sds_secret_configs;
        const [{ envoy_grpc }] = sds_config.api_config_source.grpc_services;
        assert.deepEqual(tls.tls_certificates, []);
        assert.deepEqual(tls.tls_params.cipher_suites, ['ECDHE-RSA-AES128-GCM-SHA256']);
        return [filter_chain_match?.server_names, name, envoy_grpc.cluster_name];
      },
    );
    assert.deepEqual(secrets, [
      [['api.example', '*.api.example'], 'own', 'sds'],
      [undefined, 'all', 'sds'],
    ]);
    assert.ok(
      xds.logger.lines.some((line) => line.includes('the cipher suite "TLS_NONE" at 8080')),
    );
  });
});
