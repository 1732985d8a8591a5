/** What the proxy of a service is told: who calls it, whom it calls, and who it is. */
import assert from 'node:assert/strict';
import { TYPE_URLS } from '../../xds/resource.ts';
import { instance } from '../support/fakes/fake-agent-answers.ts';
import { ADS, type Any, endpointsIn, XdsClient } from '../support/servers/xds-clients.ts';
import {
  chainTo,
  DOMAIN,
  filtersOf,
  INBOUND,
  intend,
  leafOf,
  NODE,
  policiesIn,
  registered,
  startMesh,
  told,
} from '../support/servers/xds-mesh.ts';
import { until } from '../support/until.ts';

const uri = (service: string) =>
  `^spiffe://${DOMAIN.replaceAll('.', '\\.')}/ns/default/dc/[^/]+/svc/${service}$`;

describe('xDS for the proxy of a service', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('tells nothing before it is registered, and keeps to what was told when it is not any more', async () => {
    const { xds, stream } = await startMesh(registered());
    xds.agent.say('/v1/agent/service/web-proxy', 404);
    stream.subscribe([], { node: NODE }, 'clusters');
    await until(() => xds.agent.asked.some(({ path }) => path.includes('web-proxy')));
    xds.agent.say('/v1/agent/service/web-proxy', registered());
    await until(async () => {
      await xds.clock.advance(500);
      return stream.told.length > 0;
    });
    xds.agent.say('/v1/agent/service/web-proxy', 404);
    await xds.clock.advance(3000);
    xds.agent.say('/v1/agent/service/web-proxy', registered({ local_connect_timeout_ms: 7000 }));
    await until(async () => {
      await xds.clock.advance(500);
      return stream.told.length > 1;
    });
    assert.deepEqual(stream.told[1]?.resources[0].connect_timeout, { seconds: '7', nanos: 0 });
  });

  it('lets in by mutual TLS whoever no intention denies, and passes on to the program', async () => {
    const { xds, stream } = await startMesh(registered());
    intend(xds, [{ SourceName: 'evil', Action: 'deny' }]);
    const [program] = await told(stream, 'clusters');
    assert.equal(program.name, 'local_app');
    const [{ endpoint }] = program.load_assignment.endpoints[0].lb_endpoints;
    assert.deepEqual(endpoint.address.socket_address.port_value, 8080);
    const [listener] = await told(stream, 'listeners');
    assert.equal(listener.name, 'public_listener:10.0.0.1:21000');
    const { typed_config: tls } = listener.filter_chains[0].transport_socket;
    assert.match(tls['@type'], /DownstreamTlsContext$/);
    assert.equal(tls.require_client_certificate.value, true);
    const { tls_certificates, validation_context } = tls.common_tls_context;
    assert.equal(tls_certificates[0].certificate_chain.inline_string, 'CERT of web');
    assert.equal(tls_certificates[0].private_key.inline_string, 'KEY');
    assert.equal(validation_context.trusted_ca.inline_string, 'ROOT1ROOT2');
    const [rbac, tcp] = filtersOf(listener);
    const { policies } = rbac.rules;
    assert.deepEqual(Object.keys(policies), ['callers']);
    const [{ and_ids }] = policies.callers.principals;
    const { principal_name } = and_ids.ids[0].not_id.authenticated;
    assert.equal(principal_name.safe_regex.regex, uri('evil'));
    assert.equal(tcp.cluster, 'local_app');
  });

  it('lets in nobody but whom an intention allows, where that is the default', async () => {
    const { xds, stream } = await startMesh(registered(), false);
    intend(xds, [
      { SourceName: 'api', Action: 'allow' },
      { SourceName: 'l7', Action: '', Permissions: [{ Action: 'allow', HTTP: {} }] },
    ]);
    const rules = async (isIt = (_: Any) => true) => {
      const [listener] = await told(stream, 'listeners', [], ([each]) => isIt(filtersOf(each)[0]));
      return filtersOf(listener)[0].rules;
    };
    const { action, policies } = await rules();
    assert.equal(action, 'ALLOW');
    // Permissions are of requests, and this speaks of connections.
    assert.deepEqual(
      policies.callers.principals.map(
        ({ authenticated }: Any) => authenticated.principal_name.safe_regex.regex,
      ),
      [uri('api')],
    );
    intend(xds, []);
    assert.deepEqual((await rules((each) => !('callers' in each.rules.policies))).policies, {});
    // What comes first counts: the same for everybody before one that is named.
    intend(xds, [
      { SourceName: '*', Action: 'allow' },
      { SourceName: 'api', Action: 'deny' },
    ]);
    const open = await rules((each) => 'callers' in each.rules.policies);
    assert.deepEqual(
      open.policies.callers.principals.map(({ any }: Any) => any),
      [true],
    );
    // Intentions that may not be seen let nobody in.
    intend(xds, 403);
    await rules((each) => !('callers' in each.rules.policies));
  });

  it('looks at each request where the service speaks HTTP, permission by permission', async () => {
    const { xds, stream } = await startMesh(registered({ protocol: 'http' }), false);
    intend(xds, [
      {
        SourceName: 'api',
        Action: '',
        Permissions: [
          { Action: 'deny', HTTP: { PathExact: '/admin' } },
          { Action: 'allow', HTTP: { PathPrefix: '/', Methods: ['GET'] } },
        ],
      },
      { SourceName: 'ops', Action: 'allow' },
    ]);
    const [listener] = await told(stream, 'listeners');
    const [manager] = filtersOf(listener);
    assert.match(manager['@type'], /HttpConnectionManager$/);
    // Of a request that comes under no route nobody says anything.
    const [{ typed_config: rbac }] = manager.http_filters;
    assert.match(rbac['@type'], /http\.rbac\.v3\.RBAC$/);
    assert.deepEqual([rbac.rules.action, rbac.rules.policies], ['ALLOW', {}]);
    assert.equal(manager.rds.route_config_name, INBOUND[0]);
    const [routes] = await told(stream, 'routes', INBOUND);
    assert.deepEqual(Object.keys(policiesIn(routes)), ['of api', 'of ops']);
    const [{ and_rules }] = policiesIn(routes)['of api'].permissions;
    const [allowed, denied] = and_rules.rules;
    const [path, method] = allowed.and_rules.rules;
    assert.equal(path.url_path.path.prefix, '/');
    assert.equal(method.header.string_match.safe_regex.regex, 'GET');
    assert.equal(denied.not_rule.url_path.path.exact, '/admin');
    const [route] = routes.virtual_hosts[0].routes;
    assert.equal(route.route.cluster, 'local_app');
    // What changes is obeyed by connections that are open, which keep the listener that they came by.
    const Permissions = [{ Action: 'deny', HTTP: { PathPrefix: '/x' } }];
    intend(xds, [{ SourceName: 'api', Action: '', Permissions }]);
    await told(stream, 'routes', INBOUND, ([each]) => Object.keys(policiesIn(each)).length === 0);
    assert.equal(stream.ofKind('listeners').length, 1);
  });

  it('takes the name of no service for that of its way in', async () => {
    const name = 'inbound:public_listener';
    const upstreams = [{ DestinationName: name, LocalBindPort: 9191 }];
    const { xds, stream } = await startMesh(registered({ protocol: 'http' }, upstreams));
    xds.agent.say(`/v1/discovery-chain/${encodeURIComponent(name)}`, chainTo(name, 'http'));
    const listeners = await told(stream, 'listeners', [], (all) => all.length === 2);
    const named = listeners.map((each) => filtersOf(each)[0].rds.route_config_name);
    assert.deepEqual(named, [name, `outbound:${name}`]);
    const all = await stream.named('routes', named);
    const clusterOf = (each: string) =>
      all.find((one) => one.name === each)?.virtual_hosts[0].routes[0].route.cluster;
    const meant = ['local_app', `${name}.default.dc1.internal.${DOMAIN}`];
    assert.deepEqual(named.map(clusterOf), meant);
  });

  it('names in the log what lets nobody in, since headers with underscores are taken off', async () => {
    const { xds, stream } = await startMesh(registered({ protocol: 'http' }));
    const Header = [{ Name: 'x_role', Exact: 'admin' }];
    const denied = { Action: 'deny', HTTP: { Header: [{ Name: 'x_guest', Present: true }] } };
    const Permissions = [denied, { Action: 'allow', HTTP: { Header } }];
    intend(xds, [{ SourceName: 'api', Action: '', Permissions }]);
    await told(stream, 'listeners');
    const said = () => xds.logger.lines.filter((line) => line.includes('underscores'));
    await until(() => said().length > 0);
    assert.equal(said().length, 1);
    assert.match(said()[0] ?? '', /header "x_role" of permissions is left out: no request has it/);
  });

  it('names there too that such a request is refused, where the entry mesh says so', async () => {
    const { xds, stream } = await startMesh(registered({ protocol: 'http' }));
    const RequestNormalization = { HeadersWithUnderscoresAction: 'REJECT_REQUEST' };
    xds.agent.say('/v1/config/mesh/mesh', { HTTP: { Incoming: { RequestNormalization } } });
    const Header = [{ Name: 'x_role', Exact: 'admin' }];
    const Permissions = [{ Action: 'allow', HTTP: { Header } }];
    intend(xds, [{ SourceName: 'api', Action: '', Permissions }]);
    await told(stream, 'listeners');
    const refused = /"x_role" of permissions .* headers with underscores are refused/;
    await until(() => xds.logger.lines.some((line) => refused.test(line)));
  });

  it('writes requests first as the program reads them, where permissions go by that', async () => {
    const { xds, stream } = await startMesh(registered({ protocol: 'http' }));
    const manager = async (isIt: (_: Any) => boolean) => {
      const [listener] = await told(stream, 'listeners', [], ([each]) => isIt(filtersOf(each)[0]));
      return filtersOf(listener)[0];
    };
    const plain = await manager(() => true);
    assert.equal(plain.normalize_path.value, true);
    assert.equal(plain.merge_slashes, false);
    assert.equal(plain.path_with_escaped_slashes_action, 'KEEP_UNCHANGED');
    const { headers_with_underscores_action } = plain.common_http_protocol_options;
    assert.equal(headers_with_underscores_action, 'ALLOW');
    const HTTP = { PathExact: '/x', Header: [{ Name: 'x-a', Contains: 'B', IgnoreCase: true }] };
    intend(xds, [{ SourceName: 'api', Action: '', Permissions: [{ Action: 'deny', HTTP }] }]);
    const strict = await manager(({ merge_slashes }) => merge_slashes);
    assert.equal(strict.path_with_escaped_slashes_action, 'UNESCAPE_AND_FORWARD');
    const { common_http_protocol_options: options } = strict;
    assert.equal(options.headers_with_underscores_action, 'DROP_HEADER');
    const isSo = ([each]: readonly Any[]) => 'of api' in policiesIn(each);
    const [routes] = await told(stream, 'routes', INBOUND, isSo);
    const [{ and_rules }] = policiesIn(routes)['of api'].permissions;
    const [, header] = and_rules.rules[1].not_rule.and_rules.rules;
    assert.deepEqual(header.header.string_match.contains, 'B');
    assert.equal(header.header.string_match.ignore_case, true);
    // Whoever runs the mesh may say otherwise.
    const RequestNormalization = {
      InsecureDisablePathNormalization: true,
      MergeSlashes: false,
      PathWithEscapedSlashesAction: 'REJECT_REQUEST',
    };
    xds.agent.say('/v1/config/mesh/mesh', { HTTP: { Incoming: { RequestNormalization } } });
    const said = await manager(({ merge_slashes }) => !merge_slashes);
    assert.equal(said.normalize_path.value, false);
    assert.equal(said.path_with_escaped_slashes_action, 'REJECT_REQUEST');
  });

  it('writes them so too where permissions go by the path as a header', async () => {
    const { xds, stream } = await startMesh(registered({ protocol: 'http' }));
    const HTTP = { Header: [{ Name: ':Path', Prefix: '/admin' }] };
    intend(xds, [{ SourceName: 'api', Action: '', Permissions: [{ Action: 'deny', HTTP }] }]);
    const isSo = ([listener]: readonly Any[]): boolean => filtersOf(listener)[0].merge_slashes;
    const [listener] = await told(stream, 'listeners', [], isSo);
    const [manager] = filtersOf(listener);
    assert.equal(manager.path_with_escaped_slashes_action, 'UNESCAPE_AND_FORWARD');
  });

  it('lets nobody in by what it cannot tell, and keeps out whom it may be about', async () => {
    const { xds, stream } = await startMesh(registered({ protocol: 'http' }), false);
    const everything = { PathPrefix: '/' };
    intend(xds, [
      {
        ...{ SourceName: 'jwt', Action: '' },
        Permissions: [{ Action: 'allow', HTTP: everything, JWT: { Providers: [] } }],
      },
      {
        ...{ SourceName: 'odd', Action: '' },
        Permissions: [
          { Action: 'deny', HTTP: { PathRegex: '(?=a)' } },
          { Action: 'allow', HTTP: everything },
        ],
      },
    ]);
    const [routes] = await told(stream, 'routes', INBOUND);
    const policies = policiesIn(routes);
    assert.deepEqual(Object.keys(policies), ['of odd']);
    const [{ and_rules }] = policies['of odd'].permissions;
    assert.equal(and_rules.rules[1].not_rule.any, true);
  });

  it('calls by mutual TLS the service that is meant, and nobody else', async () => {
    // As a registration writes it, and as config entries do.
    const limits = { max_connections: 7, MaxConcurrentRequests: 5 };
    const PassiveHealthCheck = { Interval: '10s', MaxFailures: 3, MaxEjectionPercent: 40 };
    const upstreams = [
      { DestinationName: 'db', LocalBindPort: 9191, Config: { limits, PassiveHealthCheck } },
    ];
    const { xds, stream } = await startMesh(registered({}, upstreams));
    xds.agent.say('/v1/discovery-chain/db', chainTo('db', 'tcp'));
    xds.agent.sayInstances('db', [instance('p', { port: 20_000 })], 'health/connect');
    const name = `db.default.dc1.internal.${DOMAIN}`;
    const clusters = await told(stream, 'clusters');
    const db = clusters.find((each) => each.name === name);
    const { typed_config: tls } = db.transport_socket;
    assert.match(tls['@type'], /UpstreamTlsContext$/);
    assert.equal(tls.sni, name);
    const [san] = tls.common_tls_context.validation_context.match_typed_subject_alt_names;
    assert.equal(san.san_type, 'URI');
    assert.equal(san.matcher.exact, `spiffe://${DOMAIN}/ns/default/dc/dc1/svc/db`);
    assert.equal(db.circuit_breakers.thresholds[0].max_connections.value, 7);
    assert.equal(db.circuit_breakers.thresholds[0].max_requests.value, 5);
    assert.equal(db.outlier_detection.consecutive_5xx.value, 3);
    assert.equal(db.outlier_detection.max_ejection_percent.value, 40);
    const [assignment] = await told(stream, 'endpoints', [name]);
    assert.deepEqual(endpointsIn(assignment), ['0  10.0.0.1:20000 HEALTHY 1']);
    const listeners = await told(stream, 'listeners');
    const [to] = listeners.filter((each) => each.name === 'db:127.0.0.1:9191');
    assert.equal(filtersOf(to)[0].cluster, name);
    // A renewed certificate comes to all that show it.
    xds.agent.say('/v1/agent/connect/ca/leaf/web', { ...leafOf('web'), CertPEM: 'CERT2' });
    const isNew = ([, each]: readonly Any[]) =>
      each.transport_socket.typed_config.common_tls_context.tls_certificates[0].certificate_chain
        .inline_string === 'CERT2';
    await told(stream, 'clusters', [], isNew);
    // Clients drop the endpoints of a cluster that is another, and wait for them: they are told again.
    await until(() => stream.ofKind('endpoints').length > 1);
  });

  it('routes to an upstream that speaks HTTP, and goes to those of a prepared query', async () => {
    const upstreams = [
      { DestinationName: 'api', LocalBindPort: 9192 },
      { DestinationName: 'near', DestinationType: 'prepared_query', LocalBindPort: 9193 },
      { DestinationName: '', LocalBindPort: 1 },
      { DestinationName: 'unseen', LocalBindPort: 9194 },
    ];
    const { xds, stream } = await startMesh(registered({}, upstreams));
    xds.agent.say('/v1/discovery-chain/api', chainTo('api', 'http'));
    xds.agent.say('/v1/discovery-chain/unseen', 403);
    const Nodes = [instance('p', { port: 20_001 })];
    xds.agent.say('/v1/query/near/execute?connect=true', { Service: 'db', Nodes });
    const listeners = await told(stream, 'listeners');
    const names = listeners.map(({ name }) => name.split(':127')[0]);
    assert.deepEqual(names, [
      'public_listener:10.0.0.1:21000',
      'api',
      'prepared_query:near',
      'unseen',
    ]);
    const [manager] = filtersOf(listeners[1]);
    assert.equal(manager.rds.route_config_name, 'api');
    const [routes] = await told(stream, 'routes', ['api']);
    const [{ route }] = routes.virtual_hosts[0].routes;
    assert.equal(route.cluster, `api.default.dc1.internal.${DOMAIN}`);
    const [near] = await told(stream, 'endpoints', ['prepared_query:near']);
    assert.deepEqual(endpointsIn(near), ['0  10.0.0.1:20001 HEALTHY 1']);
    const clusters = await told(stream, 'clusters');
    assert.deepEqual(clusters.map(({ name }) => name).sort(), [
      `api.default.dc1.internal.${DOMAIN}`,
      'local_app',
      'prepared_query:near',
    ]);
  });

  it('says of what is not there, to who is told of changes, that it is not', async () => {
    const { xds } = await startMesh(registered());
    const stream = new XdsClient(xds.port).stream(ADS, 'DeltaAggregatedResources');
    const type_url = TYPE_URLS.routes;
    stream.send({ node: NODE, type_url, resource_names_subscribe: ['none'] });
    assert.deepEqual((await stream.answer(0)).removed_resources, ['none']);
  });

  it('keeps to what was told where nothing can be made of what is said', async () => {
    const { xds, stream } = await startMesh(registered());
    await told(stream, 'clusters');
    const odd = [{ DestinationName: '\ud800', LocalBindPort: 1 }, 7, null, { LocalBindPort: 'x' }];
    const api = { DestinationName: 'api', LocalBindPort: 2 };
    xds.agent.say('/v1/discovery-chain/api', { Chain: { Nodes: null } });
    const upstreams = [...odd, api] as readonly object[];
    xds.agent.say('/v1/agent/service/web-proxy', registered({}, upstreams));
    await until(() => xds.logger.lines.some((line) => line.includes('nothing can be made')));
    xds.agent.say('/v1/agent/service/web-proxy', registered({ local_connect_timeout_ms: 7000 }));
    await told(stream, 'clusters', [], ([each]) => each.connect_timeout.seconds === '7');
  });
});
