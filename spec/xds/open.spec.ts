/** What clients of gRPC are told, and an Envoy that is no proxy of the mesh: listener, routes, clusters. */
import assert from 'node:assert/strict';
import { instance } from '../support/fakes/fake-agent-answers.ts';
import {
  type Any,
  endpointsIn,
  openAds,
  startXds,
  XdsClient,
} from '../support/servers/xds-clients.ts';
import { until } from '../support/until.ts';

const CHAIN = '/v1/discovery-chain/';

const resolver = (Target: string, Failover?: object, RequestTimeout?: string) => ({
  Type: 'resolver',
  Resolver: {
    ...{ ConnectTimeout: '3s', Target, ...(Failover && { Failover }) },
    ...(RequestTimeout && { RequestTimeout }),
  },
});

const target = (id: string, Service: string, Subset: object = {}) => ({
  ...{ ID: id, Service, Datacenter: 'dc1', Subset, SNI: `${id}.sni`, Name: `${id}.name` },
  ...(id.startsWith('v') && { ServiceSubset: id.slice(0, 2) }),
});

/** Its own instances, and nothing said of them. */
const plain = (service: string) => ({
  Chain: {
    Protocol: 'tcp',
    StartNode: `resolver:${service}.default.dc1`,
    Nodes: { [`resolver:${service}.default.dc1`]: resolver(`${service}.default.dc1`) },
    Targets: { [`${service}.default.dc1`]: target(`${service}.default.dc1`, service) },
  },
});

const routed = {
  Chain: {
    Protocol: 'grpc',
    StartNode: 'router:web.default',
    Nodes: {
      'router:web.default': {
        Type: 'router',
        Routes: [
          {
            Definition: {
              Match: {
                HTTP: {
                  PathPrefix: '/admin',
                  Methods: ['GET', 'PUT'],
                  Header: [
                    { Name: 'x-v', Exact: '2', Invert: true },
                    { Name: 'x-any', Present: true },
                  ],
                  QueryParam: [{ Name: 'q', Regex: 'a.*' }],
                },
              },
              Destination: {
                PrefixRewrite: '/',
                RequestTimeout: '1.5s',
                NumRetries: 2,
                RetryOnConnectFailure: true,
                RetryOnStatusCodes: [503],
              },
            },
            NextNode: 'resolver:admin.default.dc1',
          },
          {
            Definition: { Match: { HTTP: { PathPrefix: '/' } } },
            NextNode: 'splitter:web.default',
          },
        ],
      },
      'splitter:web.default': {
        Type: 'splitter',
        Splits: [
          { Weight: 99.5, NextNode: 'resolver:v1.web.default.dc1' },
          { Weight: 0.5, NextNode: 'resolver:v2.web.default.dc1' },
        ],
      },
      'resolver:admin.default.dc1': resolver('admin.default.dc1'),
      'resolver:v1.web.default.dc1': resolver('v1.web.default.dc1', {
        Targets: ['admin.default.dc1'],
      }),
      'resolver:v2.web.default.dc1': resolver('v2.web.default.dc1'),
    },
    Targets: {
      'admin.default.dc1': target('admin.default.dc1', 'admin'),
      'v1.web.default.dc1': target('v1.web.default.dc1', 'web', { Filter: 'v == 1' }),
      'v2.web.default.dc1': target('v2.web.default.dc1', 'web', { OnlyPassing: true }),
    },
  },
};

describe('xDS for clients of gRPC', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('leads from the name that is dialled to its endpoints', async () => {
    const xds = await startXds();
    xds.agent.say(`${CHAIN}web`, plain('web'));
    xds.agent.sayInstances('web', [instance('a')]);
    const stream = openAds(xds);
    const [listener] = await stream.named('listeners', ['web']);
    const manager = listener.api_listener.api_listener;
    assert.match(manager['@type'], /v3\.HttpConnectionManager$/);
    assert.equal(manager.rds.route_config_name, 'web');
    assert.ok(manager.rds.config_source.ads);
    assert.match(manager.http_filters.at(-1).typed_config['@type'], /router\.v3\.Router$/);
    const [routes] = await stream.named('routes', ['web']);
    const [host] = routes.virtual_hosts;
    assert.deepEqual(host.domains, ['*']);
    assert.deepEqual(
      host.routes.map(({ match, route }: Any) => [match.prefix, route.cluster]),
      [['/', 'web']],
    );
    const [cluster] = await stream.named('clusters', ['web']);
    assert.equal(cluster.type, 'EDS');
    assert.equal(cluster.connect_timeout.seconds, '3');
    assert.equal(cluster.lb_policy, 'ROUND_ROBIN');
    assert.ok(cluster.eds_cluster_config.eds_config.ads);
    assert.equal(cluster.eds_cluster_config.service_name, 'web');
    assert.equal(cluster.common_lb_config.healthy_panic_threshold.value, 0);
    assert.equal(cluster.circuit_breakers.thresholds[0].max_retries.value, 1024);
    const [web] = await stream.named('endpoints', ['web']);
    assert.deepEqual(endpointsIn(web), ['0  10.0.0.1:80 HEALTHY 1']);
  });

  it('is told by streams of one kind as well, and led on by ADS there too', async () => {
    const xds = await startXds();
    xds.agent.say(`${CHAIN}web`, plain('web'));
    const openOne = (noun: 'Cluster' | 'Listener' | 'Route') => {
      const service = `envoy.service.${noun.toLowerCase()}.v3.${noun}DiscoveryService`;
      return new XdsClient(xds.port).stream(service, `Stream${noun}s`);
    };
    const [cluster] = await openOne('Cluster').named('clusters', ['web']);
    assert.ok(cluster.eds_cluster_config.eds_config.ads);
    const [listener] = await openOne('Listener').named('listeners', ['web']);
    assert.ok(listener.api_listener.api_listener.rds.config_source.ads);
    const [routes] = await openOne('Route').named('routes', ['web']);
    assert.equal(routes.virtual_hosts[0].routes[0].route.cluster, 'web');
  });

  it('has a listener for every name, so that calls to an unknown one fail at once', async () => {
    const xds = await startXds();
    xds.agent.say(`${CHAIN}nobody`, 404);
    const stream = openAds(xds);
    for (const kind of ['listeners', 'routes', 'clusters', 'endpoints'] as const) {
      assert.equal((await stream.named(kind, ['nobody'])).length, 1, kind);
    }
  });

  it('routes and splits as the chain says, each end with endpoints and failover of its own', async () => {
    const xds = await startXds();
    xds.agent.say(`${CHAIN}web`, routed);
    const stream = openAds(xds);
    const [routes] = await stream.named('routes', ['web']);
    const [admin, rest] = routes.virtual_hosts[0].routes;
    assert.equal(admin.match.prefix, '/admin');
    assert.deepEqual(
      admin.match.headers.map(({ name, invert_match, present_match, string_match }: Any) => [
        name,
        invert_match,
        present_match || string_match.exact || string_match.safe_regex.regex,
      ]),
      [
        ['x-v', true, '2'],
        ['x-any', false, true],
        [':method', false, 'GET|PUT'],
      ],
    );
    assert.equal(admin.match.query_parameters[0].string_match.safe_regex.regex, 'a.*');
    assert.equal(admin.route.cluster, 'admin.default.dc1@web');
    assert.equal(admin.route.prefix_rewrite, '/');
    assert.deepEqual(admin.route.timeout, { seconds: '1', nanos: 500_000_000 });
    const { retry_policy } = admin.route;
    assert.equal(retry_policy.retry_on, 'connect-failure,retriable-status-codes');
    assert.equal(retry_policy.num_retries.value, 2);
    assert.deepEqual(retry_policy.retriable_status_codes, [503]);
    assert.match(retry_policy.retry_host_predicate[0].typed_config['@type'], /PreviousHosts/);
    assert.deepEqual(
      rest.route.weighted_clusters.clusters.map(({ name, weight }: Any) => [name, weight.value]),
      [
        ['v1.web.default.dc1@web', 9950],
        ['v2.web.default.dc1@web', 50],
      ],
    );
    xds.agent.say('/v1/health/service/web?filter=v == 1', [instance('a', { port: 1 })]);
    xds.agent.say('/v1/health/service/web?passing=1', [instance('b', { port: 2 })]);
    xds.agent.say('/v1/health/service/admin', [instance('c', { port: 3 })]);
    const [v1] = await stream.named('endpoints', ['v1.web.default.dc1@web']);
    assert.deepEqual(endpointsIn(v1), ['0  10.0.0.1:1 HEALTHY 1', '1  10.0.0.1:3 HEALTHY 1']);
    const [cluster] = await stream.named('clusters', ['v1.web.default.dc1@web']);
    assert.deepEqual(cluster.connect_timeout, { seconds: '3', nanos: 0 });
    assert.match(
      Object.keys(cluster.typed_extension_protocol_options)[0] ?? '',
      /HttpProtocolOptions$/,
    );
    // With nobody at the first level the next one is the first.
    xds.agent.say('/v1/health/service/web?filter=v == 1', []);
    await until(() => stream.told.at(-1)?.resources[0]?.endpoints?.length === 1);
    assert.deepEqual(endpointsIn(stream.told.at(-1)?.resources[0]), ['0  10.0.0.1:3 HEALTHY 1']);
  });

  it('leaves out what Envoy would refuse, and all else with it', async () => {
    const xds = await startXds();
    const { Chain } = plain('web');
    const [node = ''] = Object.keys(Chain.Nodes);
    const route = (HTTP: object, Destination: object = {}) => ({
      ...{ Definition: { Match: { HTTP }, Destination }, NextNode: node },
    });
    const RequestHeaders = {
      Add: { 'x y': '1', host: 'h', ':path': '/', ok: '5%' },
      Remove: ['Host', 'a b', 'x-gone'],
    };
    const Routes = [
      route({ PathRegex: '(?!x)' }),
      route({ Header: [{ Name: 'x', Regex: '[' }] }),
      route({ Header: [{ Name: 'x y', Exact: '1' }] }),
      route({ PathPrefix: '/A', CaseInsensitive: true }, { RequestHeaders, IdleTimeout: '3s' }),
    ];
    const router = { Type: 'router', Routes };
    xds.agent.say(`${CHAIN}web`, {
      Chain: { ...Chain, StartNode: 'router', Nodes: { ...Chain.Nodes, router } },
    });
    const [routes] = await openAds(xds).named('routes', ['web']);
    const [only, ...none] = routes.virtual_hosts[0].routes;
    assert.deepEqual(none, []);
    assert.equal(only.match.prefix, '/A');
    assert.equal(only.match.case_sensitive.value, false);
    assert.equal(only.route.idle_timeout.seconds, '3');
    assert.deepEqual(
      only.request_headers_to_add.map(({ header }: Any) => [header.key, header.value]),
      [['ok', '5%%']],
    );
    assert.deepEqual(only.request_headers_to_remove, ['x-gone']);
  });

  it('balances as the resolver says', async () => {
    const xds = await startXds();
    for (const [i, [name, LoadBalancer, policy]] of [
      ['web', { Policy: 'least_request', LeastRequestConfig: { ChoiceCount: 3 } }, 'LEAST_REQUEST'],
      ['db', { Policy: 'maglev', HashPolicies: [{ SourceIP: true, Terminal: true }] }, 'MAGLEV'],
      [
        'api',
        {
          Policy: 'ring_hash',
          RingHashConfig: { MinimumRingSize: 64 },
          HashPolicies: [
            { Field: 'header', FieldValue: 'x-user' },
            { Field: 'cookie', FieldValue: 'c', CookieConfig: { TTL: '1m' } },
          ],
        },
        'RING_HASH',
      ],
    ].entries() as IterableIterator<[number, [string, object, string]]>) {
      xds.agent.say(`${CHAIN}${name}`, plain(name));
      xds.agent.say(`/v1/config/service-resolver/${name}`, { LoadBalancer });
      const stream = openAds(xds);
      const [cluster] = await stream.named('clusters', [name]);
      assert.equal(cluster.lb_policy, policy);
      const [routes] = await stream.named('routes', [name]);
      const { hash_policy } = routes.virtual_hosts[0].routes[0].route;
      assert.equal(hash_policy.length, i);
      if (i === 0) assert.equal(cluster.least_request_lb_config.choice_count.value, 3);
      if (i === 1) assert.equal(hash_policy[0].connection_properties.source_ip, true);
      if (i === 2) {
        assert.equal(cluster.ring_hash_lb_config.minimum_ring_size.value, '64');
        assert.equal(hash_policy[0].header.header_name, 'x-user');
        assert.deepEqual(hash_policy[1].cookie.ttl, { seconds: '60', nanos: 0 });
      }
    }
  });

  it('gives clients of gRPC a policy that they have, where they have not the one that is said', async () => {
    const xds = await startXds();
    const said = new Map([
      ...([
        ['random', 'RANDOM'],
        ['maglev', 'MAGLEV'],
        ['least_request', 'LEAST_REQUEST'],
      ] as const),
    ]);
    for (const Policy of said.keys()) {
      xds.agent.say(`${CHAIN}${Policy}`, plain(Policy));
      xds.agent.say(`/v1/config/service-resolver/${Policy}`, { LoadBalancer: { Policy } });
    }
    for (const [user_agent_name, policies] of [
      ['gRPC Go', ['ROUND_ROBIN', 'RING_HASH', 'LEAST_REQUEST']],
      ['gRPC Node Pure JS', ['ROUND_ROBIN', 'RING_HASH', 'ROUND_ROBIN']],
      ['envoy', [...said.values()]],
    ] as const) {
      const stream = openAds(xds);
      stream.subscribe([], { node: { id: 'c', user_agent_name } }, 'routes');
      const clusters = await stream.named('clusters', [...said.keys()]);
      const told = new Map(clusters.map(({ name, lb_policy }) => [name, lb_policy]));
      assert.deepEqual(
        [...said.keys()].map((name) => told.get(name)),
        policies,
      );
    }
  });

  it('bounds calls of clients of gRPC by what they heed', async () => {
    const xds = await startXds();
    const { Chain } = plain('web');
    const Nodes = { [Chain.StartNode]: resolver('web.default.dc1', undefined, '1500ms') };
    xds.agent.say(`${CHAIN}web`, { Chain: { ...Chain, Nodes } });
    for (const [user_agent_name, most] of [
      ['gRPC Go', { seconds: '1', nanos: 500_000_000 }],
      ['envoy', undefined],
    ] as const) {
      const stream = openAds(xds);
      stream.subscribe(['web'], { node: { id: 'c', user_agent_name } }, 'routes');
      const [{ virtual_hosts }] = await stream.last('routes');
      const [{ route }] = virtual_hosts[0].routes;
      assert.deepEqual([route.timeout.seconds, route.timeout.nanos], ['1', 500_000_000]);
      assert.deepEqual(route.max_stream_duration?.max_stream_duration, most);
    }
  });

  it('tells who asks for all clusters of each service that may be seen', async () => {
    const xds = await startXds();
    xds.agent.say('/v1/catalog/services', { web: [], db: ['v1'] });
    const stream = openAds(xds);
    stream.subscribe([], {}, 'clusters');
    const first = await stream.answer(0);
    assert.deepEqual(first.resources.map(({ name }) => name).sort(), ['db', 'web']);
    xds.agent.say('/v1/catalog/services', { web: [] });
    // The state of the world: what is missing in it is gone.
    assert.deepEqual(
      (await stream.answer(1)).resources.map(({ name }) => name),
      ['web'],
    );
    stream.subscribe([], {}, 'listeners');
    assert.deepEqual((await stream.answer(2)).resources, []);
  });
});
