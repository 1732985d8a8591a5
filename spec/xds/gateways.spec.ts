/** What gateways are told: whom they let in, whom they stand for, and what they pass on unread. */
import assert from 'node:assert/strict';
import { instance } from '../support/fakes/fake-agent-answers.ts';
import { type Any, endpointsIn, openAds, type TestXds } from '../support/servers/xds-clients.ts';
import {
  chainTo,
  DOMAIN,
  filtersOf,
  intend,
  leafOf,
  policiesIn,
  startMesh,
  told,
} from '../support/servers/xds-mesh.ts';

const gateway = (Kind: string, Config: object = {}) => ({
  ...{ Kind, ID: 'web-proxy', Service: 'edge', Address: '10.0.0.7', Port: 8443 },
  ...{ Proxy: { Config }, ContentHash: JSON.stringify(Config) },
});

async function startGateway(kind: string, config: object = {}) {
  const started = await startMesh(gateway(kind, config), false);
  started.xds.agent.say('/v1/agent/connect/ca/leaf/edge', leafOf('edge'));
  return started;
}

const meant = (service: string) => `${service}.default.dc1.internal.${DOMAIN}`;
const behind = (service: string, more: object) => ({ Service: { Name: service }, ...more });

function lets({ agent }: TestXds, rows: readonly object[], entry: object): void {
  agent.say('/v1/catalog/gateway-services/edge', rows);
  agent.say('/v1/config/ingress-gateway/edge', entry);
}

describe('xDS for gateways', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('lets calls into the mesh by port and host', async () => {
    const { xds, stream } = await startGateway('ingress-gateway');
    for (const name of ['web', 'api']) {
      xds.agent.say(`/v1/discovery-chain/${name}`, chainTo(name, 'http'));
    }
    xds.agent.say('/v1/discovery-chain/a%20b', chainTo('a b', 'http'));
    xds.agent.say('/v1/discovery-chain/db', chainTo('db', 'tcp'));
    const http = { Port: 8080, Protocol: 'http' };
    const RequestHeaders = { Add: { 'x-a': '1' }, Set: { 'x-b': '2' }, Remove: ['x-c'] };
    const PassiveHealthCheck = { MaxFailures: 3, Interval: '2s', MaxEjectionPercent: 40 };
    const limits = { MaxConnections: 9, PassiveHealthCheck };
    const Services = [{ Name: 'api', ...limits, RequestHeaders }, { Name: '*' }];
    lets(
      xds,
      [
        behind('api', { ...http, Hosts: ['API.example', '*.api.example', 'api.example'] }),
        behind('web', { ...http, FromWildcard: true }),
        behind('a b', http),
        behind('db', { Port: 5432, Protocol: 'tcp' }),
      ],
      {
        Listeners: [
          { Port: 8080, Protocol: 'http', Services },
          { Port: 5432, Protocol: 'tcp', TLS: { Enabled: true, TLSMinVersion: 'TLSv1_3' } },
        ],
      },
    );
    const clusters = await told(stream, 'clusters');
    assert.deepEqual(
      clusters.map(({ name }) => name).sort(),
      ['a b', 'api', 'db', 'web'].map(meant),
    );
    const [api] = clusters.filter(({ name }) => name === meant('api'));
    assert.equal(api.circuit_breakers.thresholds[0].max_connections.value, 9);
    const { consecutive_5xx, interval, max_ejection_percent } = api.outlier_detection;
    assert.deepEqual([consecutive_5xx.value, max_ejection_percent.value], [3, 40]);
    assert.equal(interval.seconds, '2');
    const { tls_certificates, validation_context } =
      api.transport_socket.typed_config.common_tls_context;
    assert.equal(tls_certificates[0].certificate_chain.inline_string, 'CERT of edge');
    const [san] = validation_context.match_typed_subject_alt_names;
    assert.match(san.matcher.exact, /svc\/api$/);
    const [routed, plain] = await told(openAds(xds), 'listeners');
    assert.equal(routed.name, '8080:10.0.0.7:8080');
    assert.equal(filtersOf(routed)[0].rds.route_config_name, '8080');
    assert.equal(routed.filter_chains[0].transport_socket, null);
    assert.equal(plain.name, 'db:10.0.0.7:5432');
    assert.equal(filtersOf(plain)[0].cluster, meant('db'));
    const { typed_config: tls } = plain.filter_chains[0].transport_socket;
    assert.equal(tls.require_client_certificate, null);
    assert.equal(tls.common_tls_context.tls_params.tls_minimum_protocol_version, 'TLSv1_3');
    const [routes] = await told(openAds(xds), 'routes', ['8080']);
    // Of a name that is none all would be refused.
    assert.equal(routes.virtual_hosts.length, 2);
    const [toApi, toWeb] = routes.virtual_hosts;
    assert.deepEqual(toApi.domains, [
      ...['api.example', 'api.example:8080', '*.api.example', '*.api.example:8080'],
    ]);
    assert.deepEqual(
      toApi.request_headers_to_add.map(({ header, append_action }: Any) => [
        header.key,
        append_action,
      ]),
      [
        ['x-a', 'APPEND_IF_EXISTS_OR_ADD'],
        ['x-b', 'OVERWRITE_IF_EXISTS_OR_ADD'],
      ],
    );
    assert.deepEqual(toApi.request_headers_to_remove, ['x-c']);
    assert.deepEqual(toWeb.domains, ['web.ingress.*']);
    assert.equal(toWeb.routes[0].route.cluster, meant('web'));
  });

  it('stands for services outside of the mesh, each with its certificate and intentions', async () => {
    const { xds, stream } = await startGateway('terminating-gateway', {
      envoy_gateway_bind_addresses: { all: { address: '0.0.0.0', port: 9443 } },
      envoy_gateway_no_default_bind: true,
    });
    const files = { CAFile: '/ca.pem', CertFile: '/c.pem', KeyFile: '/k.pem', SNI: 'pay.example' };
    xds.agent.say('/v1/catalog/gateway-services/edge', [
      behind('pay', files),
      behind('mail', {}),
      behind('unseen', {}),
      behind('v1.mail', {}),
    ]);
    for (const name of ['pay', 'mail', 'v1.mail']) {
      xds.agent.say(`/v1/agent/connect/ca/leaf/${name}`, leafOf(name));
    }
    xds.agent.say('/v1/agent/connect/ca/leaf/unseen', 403);
    xds.agent.say('/v1/discovery-chain/pay', chainTo('pay', 'http'));
    xds.agent.say('/v1/config/service-resolver/mail', { Subsets: { v1: { Filter: 'v == 1' } } });
    xds.agent.sayInstances('pay', [instance('a', { address: 'pay.example', port: 443 })]);
    xds.agent.sayInstances('mail', [instance('a', { port: 25 })]);
    xds.agent.say('/v1/health/service/mail?filter=v == 1', [instance('a', { port: 26 })]);
    intend(xds, [{ SourceName: 'web', Action: 'allow' }], 'pay');
    const clusters = await told(stream, 'clusters');
    const [pay, mail, v1] = clusters;
    assert.equal(pay.type, 'STRICT_DNS');
    const [{ lb_endpoints }] = pay.load_assignment.endpoints;
    const { socket_address } = lb_endpoints[0].endpoint.address;
    assert.deepEqual([socket_address.address, socket_address.port_value], ['pay.example', 443]);
    const { typed_config: tls } = pay.transport_socket;
    assert.equal(tls.sni, 'pay.example');
    const { validation_context, tls_certificates } = tls.common_tls_context;
    assert.equal(validation_context.trusted_ca.filename, '/ca.pem');
    assert.equal(validation_context.match_typed_subject_alt_names[0].matcher.exact, 'pay.example');
    assert.equal(tls_certificates[0].private_key.filename, '/k.pem');
    assert.equal(mail.type, 'EDS');
    assert.equal(mail.transport_socket, null);
    assert.equal(v1.name, `v1.${meant('mail')}`);
    const [subset] = await told(stream, 'endpoints', [v1.name]);
    assert.deepEqual(endpointsIn(subset), ['0  10.0.0.1:26 HEALTHY 1']);
    const [listener] = await told(openAds(xds), 'listeners');
    assert.equal(listener.name, 'terminating:0.0.0.0:9443');
    assert.match(listener.listener_filters[0].typed_config['@type'], /TlsInspector$/);
    const chains = listener.filter_chains.slice(0, 2);
    assert.deepEqual(
      chains.map(({ filter_chain_match }: Any) => filter_chain_match.server_names),
      [[meant('pay')], [meant('mail')]],
    );
    // Nobody may be who it may have no certificate of, nor two by one name.
    assert.equal(listener.filter_chains.length, 3);
    const { common_tls_context, require_client_certificate } =
      chains[0].transport_socket.typed_config;
    assert.equal(require_client_certificate.value, true);
    const [own] = common_tls_context.tls_certificates;
    assert.equal(own.certificate_chain.inline_string, 'CERT of pay');
    const [manager] = filtersOf(listener);
    const inbound = `inbound:${meant('pay')}`;
    assert.equal(manager.rds.route_config_name, inbound);
    const routed = openAds(xds);
    const [routes] = await told(routed, 'routes', [inbound]);
    assert.deepEqual(Object.keys(policiesIn(routes)), ['of web']);
    const routeOf = (each: Any) => each.virtual_hosts[0].routes[0].route;
    assert.equal(routeOf(routes).auto_host_rewrite.value, true);
    const keeps = { Services: [{ Name: '*' }, { Name: 'pay', DisableAutoHostRewrite: true }] };
    xds.agent.say('/v1/config/terminating-gateway/edge', keeps);
    await told(routed, 'routes', [inbound], ([each]) => !routeOf(each).auto_host_rewrite);
    // Where nobody is allowed, nobody is let in.
    const [rbac, tcp] = chains[1].filters.map(({ typed_config }: Any) => typed_config);
    assert.deepEqual(rbac.rules.policies, {});
    assert.equal(tcp.cluster, meant('mail'));
  });

  it('passes on within its data centre what it cannot read', async () => {
    const { xds, stream } = await startGateway('mesh-gateway');
    xds.agent.say('/v1/catalog/services', { web: [], 'a.b': [] });
    xds.agent.say('/v1/config/service-resolver/web', { Subsets: { v1: { OnlyPassing: true } } });
    xds.agent.sayInstances('a.b', [instance('p', { port: 21_000 })], 'health/connect');
    xds.agent.sayInstances('web?passing=1', [instance('p', { port: 21_001 })], 'health/connect');
    const clusters = await told(stream, 'clusters');
    const names = [meant('a.b'), meant('web'), meant('v1.web')];
    assert.deepEqual(
      clusters.map(({ name, transport_socket }) => [name, transport_socket]),
      names.map((name) => [name, null]),
    );
    const endpoints = await stream.named('endpoints', [meant('a.b'), meant('v1.web')]);
    assert.deepEqual(
      endpoints.flatMap(endpointsIn).sort(),
      ['21000', '21001'].map((port) => `0  10.0.0.1:${port} HEALTHY 1`),
    );
    const [listener] = await told(openAds(xds), 'listeners');
    const [{ filter_chain_match, filters }] = listener.filter_chains;
    assert.deepEqual(filter_chain_match.server_names, [`*.dc1.internal.${DOMAIN}`]);
    assert.match(filters[0].typed_config['@type'], /SniCluster$/);
    assert.equal(filters[1].typed_config.cluster, '');
  });
});
