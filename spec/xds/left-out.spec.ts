/** What an Envoy cannot be told is left out alone, and said: nothing else is refused for its sake. */
import assert from 'node:assert/strict';
import { faultIn, loadRules } from '../../xds/refusable.ts';
import { Resource } from '../../xds/resource.ts';
import { type Any, openAds, type TestXds } from '../support/servers/xds-clients.ts';
import {
  chainTo,
  INBOUND,
  intend,
  leafOf,
  policiesIn,
  registered,
  startMesh,
  told,
} from '../support/servers/xds-mesh.ts';
import { until } from '../support/until.ts';

const HALF = 'half\ud800';
/** With what stands behind it nobody may ask for it. */
const LONG = 'y'.repeat(1000);

const gateway = (Kind: string) => ({
  ...{ Kind, ID: 'web-proxy', Service: 'edge', Address: '10.0.0.7', Port: 8443 },
  ContentHash: Kind,
});

async function startGateway(kind: string) {
  const started = await startMesh(gateway(kind));
  started.xds.agent.say('/v1/agent/connect/ca/leaf/edge', leafOf('edge'));
  return started;
}

const warnings = ({ logger }: TestXds) => logger.lines.filter((line) => line.startsWith('warn '));

/** A chain whose router has these routes, and one more. */
const routed = (service: string, definitions: readonly object[]) => {
  const { Chain } = chainTo(service, 'http');
  const NextNode = Chain.StartNode;
  const Routes = [...definitions, {}].map((Definition) => ({ Definition, NextNode }));
  const router = { Type: 'router', Routes };
  return {
    Chain: {
      ...Chain,
      ServiceName: service,
      StartNode: 'router:x',
      Nodes: { ...Chain.Nodes, 'router:x': router },
    },
  };
};

const upstream = (DestinationName: string, LocalBindPort: number) => ({
  DestinationName,
  LocalBindPort,
});

describe('what an Envoy cannot be told', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('takes no place of a proxy, whatever a client without one asks for', async () => {
    const { xds, stream } = await startMesh(registered());
    const other = openAds(xds);
    other.subscribe(['* of web-proxy'], {}, 'listeners');
    await other.last('listeners');
    const [listener] = await told(stream, 'listeners');
    assert.match(listener.name, /^public_listener:/);
  });

  it('leaves services out that have half of a pair in their names, or too long ones', async () => {
    const { xds, stream } = await startGateway('mesh-gateway');
    xds.agent.say('/v1/catalog/services', { web: [], [HALF]: [], [LONG]: [] });
    const clusters = await told(stream, 'clusters');
    assert.deepEqual(
      clusters.map(({ name }) => name.split('.')[0]),
      ['web'],
    );
  });

  it('writes half of a pair in a value as what UTF-8 has for it', async () => {
    const { xds, stream } = await startMesh(registered({}, [upstream('api', 9000)]));
    const RequestHeaders = { Set: { 'x-a': HALF } };
    xds.agent.say(
      '/v1/discovery-chain/api',
      routed('api', [
        { Destination: { RequestHeaders }, Match: { HTTP: { PathExact: `/${HALF}` } } },
      ]),
    );
    const [{ virtual_hosts }] = await told(stream, 'routes', ['api']);
    const [route] = virtual_hosts[0].routes;
    assert.equal(route.match.path, '/half\ufffd');
    assert.equal(route.request_headers_to_add[0].header.value, 'half\ufffd');
  });

  it('is as well-formed in a resource, wherever it stands', () => {
    const made = new Resource('clusters', HALF, { name: HALF, more: [{ [HALF]: HALF, n: 1 }] }, [
      HALF,
    ]);
    const half = 'half\ufffd';
    assert.deepEqual(made.message, { name: half, more: [{ [half]: half, n: 1 }] });
    assert.deepEqual([made.name, made.uses], [half, [half]]);
  });

  it('is no more work for each request than others can wait for', async () => {
    const { xds, stream } = await startMesh(registered({}, [upstream('api', 9000)]));
    xds.agent.say('/v1/discovery-chain/api', chainTo('api', 'http'));
    const balancing = async (LoadBalancer: object, policy: string) => {
      xds.agent.say('/v1/config/service-resolver/api', { LoadBalancer });
      const isIt = (all: readonly Any[]) => all.some((each) => each.lb_policy === policy);
      const clusters = await told(stream, 'clusters', [], isIt);
      return clusters.find((each) => each.lb_policy === policy);
    };
    const LeastRequestConfig = { ChoiceCount: 4_294_967_295 };
    const least = await balancing({ Policy: 'least_request', LeastRequestConfig }, 'LEAST_REQUEST');
    assert.equal(least.least_request_lb_config.choice_count.value, 100);
    const RingHashConfig = { MinimumRingSize: 8_000_000 };
    const { ring_hash_lb_config: ring } = await balancing(
      { Policy: 'ring_hash', RingHashConfig },
      'RING_HASH',
    );
    assert.deepEqual(
      [ring.minimum_ring_size.value, ring.maximum_ring_size.value],
      ['65536', '65536'],
    );
    await until(
      () => warnings(xds).length >= 2,
      () => warnings(xds).join('\n'),
    );
    const [choices, size] = warnings(xds);
    assert.match(choices ?? '', /ChoiceCount 4294967295 of "api" is left out: it is taken for 100/);
    assert.match(size ?? '', /MinimumRingSize 8000000 of "api" is left out: it is taken for 65536/);
  });

  it('is left out by the field, or by the route, and the log says so', async () => {
    const { xds, stream } = await startMesh(registered({}, [upstream('api', 9000)]));
    const many = Array.from({ length: 1001 }, (_, i) => [`x-${i}`, '1'] as const);
    const headers = (said: object) => ({ Destination: { RequestHeaders: { Set: said } } });
    const matching = (HTTP: object) => ({ Match: { HTTP } });
    xds.agent.say(
      '/v1/discovery-chain/api',
      routed('api', [
        headers({ 'x-long': 'x'.repeat(16_385), 'x-most': 'x'.repeat(16_384) }),
        headers(Object.fromEntries(many)),
        { Destination: { PrefixRewrite: '/a\nb' } },
        { Destination: { PrefixRewrite: '/a\0b' } },
        matching({ QueryParam: [{ Name: 'n'.repeat(1025), Present: true }] }),
        matching({ PathRegex: '(' }),
        matching({ QueryParam: [{ Name: 'n'.repeat(1024), Present: true }] }),
      ]),
    );
    const [{ virtual_hosts }] = await told(stream, 'routes', ['api']);
    const all: Any[] = virtual_hosts[0].routes;
    const added = all.map(({ request_headers_to_add: each }) => each.length);
    assert.deepEqual(added, [1, 1000, 0, 0]);
    await until(
      () => warnings(xds).length >= 6,
      () => warnings(xds).join('\n'),
    );
    for (const what of [
      /the header "x-long" of each request of route 1 of "api" is left out: .*max_bytes = 16384/,
      /the header "x-1000" of each request of route 2 of "api" is left out: more than 1000/,
      /route 3 of "api" is left out: route: prefix_rewrite: .*HTTP_HEADER_VALUE/,
      /route 4 of "api" is left out/,
      /route 5 of "api" is left out: match: query_parameters: name: .*max_bytes = 1024/,
      /route 6 of "api" is left out: "\(" is no pattern/,
    ]) {
      assert.ok(
        warnings(xds).some((line) => what.test(line)),
        String(what),
      );
    }
  });

  it('is said once, however many make something without it, and anew when it has come again', async () => {
    const { xds, stream } = await startMesh(registered({}, [upstream('api', 9000)]));
    const bad = [{ Match: { HTTP: { PathRegex: '(' } } }];
    const say = (definitions: readonly object[]) =>
      xds.agent.say('/v1/discovery-chain/api', routed('api', definitions));
    say(bad);
    await told(stream, 'routes', ['api']);
    const other = openAds(xds);
    await told(other, 'routes', ['api']);
    assert.equal(warnings(xds).length, 1);
    const good = { Match: { HTTP: { PathExact: '/x' } } };
    say([good]);
    await told(stream, 'routes', ['api'], ([each]) => each.virtual_hosts[0].routes.length === 2);
    say(bad);
    await told(stream, 'routes', ['api'], ([each]) => each.virtual_hosts[0].routes.length === 1);
    await until(
      () => warnings(xds).length === 2,
      () => warnings(xds).join('\n'),
    );
  });

  it('is kept as it was where a whole resource would be refused', async () => {
    const { xds, stream } = await startMesh(registered({}, [upstream('api', 9000)]));
    const say = (SNI: string, ConnectTimeout: string) => {
      const chain = chainTo('api', 'tcp');
      for (const each of Object.values(chain.Chain.Targets)) Object.assign(each, { SNI });
      for (const each of Object.values(chain.Chain.Nodes)) {
        Object.assign(each.Resolver, { ConnectTimeout });
      }
      xds.agent.say('/v1/discovery-chain/api', chain);
    };
    const isAfter = (seconds: string) => (all: readonly Any[]) =>
      all[1]?.connect_timeout.seconds === seconds;
    say('short', '1s');
    await told(stream, 'clusters', [], isAfter('1'));
    // Envoy would refuse all clusters for a name of that length.
    say('x'.repeat(256), '2s');
    await until(
      () => warnings(xds).some((line) => line.includes('sni')),
      () => warnings(xds).join('\n'),
    );
    assert.ok(isAfter('1')(await told(stream, 'clusters')));
    say('x'.repeat(255), '3s');
    await told(stream, 'clusters', [], isAfter('3'));
  });
});

describe('what was told', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('stands where the agent answers with a fault', async () => {
    const { xds, stream } = await startMesh(registered({}, [upstream('api', 9000)]));
    xds.agent.say('/v1/discovery-chain/api', chainTo('api', 'tcp'));
    const isWhole = (all: readonly Any[]) => all.length === 2;
    await told(stream, 'clusters', [], isWhole);
    xds.agent.say('/v1/discovery-chain/api', 500);
    await until(
      () => warnings(xds).some((line) => line.includes('what was told stands')),
      () => warnings(xds).join('\n'),
    );
    assert.ok(isWhole(await told(stream, 'clusters')));
  });

  it('does not wait for what the agent cannot answer at all', async () => {
    const { xds, stream } = await startMesh(registered({}, [upstream('api', 9000)]));
    xds.agent.say('/v1/discovery-chain/api', 500);
    assert.deepEqual(
      (await told(stream, 'clusters')).map(({ name }) => name),
      ['local_app'],
    );
  });

  it('is of the gateway that the rows are of, where two entries have one name', async () => {
    const { xds, stream } = await startGateway('terminating-gateway');
    xds.agent.say('/v1/catalog/gateway-services/edge', [
      { Service: { Name: 'in' }, GatewayKind: 'ingress-gateway', Port: 80 },
      { Service: { Name: 'out' }, GatewayKind: 'terminating-gateway' },
    ]);
    const clusters = await told(stream, 'clusters');
    assert.deepEqual(
      clusters.map(({ name }) => name.split('.')[0]),
      ['out'],
    );
  });

  it('has the names that TLS asks for, in which there is no case', async () => {
    const { xds, stream } = await startGateway('mesh-gateway');
    xds.agent.say('/v1/catalog/services', { Web: [], web: [], 'a b': [], API: [] });
    const clusters = await told(stream, 'clusters');
    assert.deepEqual(
      clusters.map(({ name, eds_cluster_config: { service_name } }) => [
        name.split('.')[0],
        service_name.split('.')[0],
      ]),
      [
        ['api', 'API'],
        ['web', 'Web'],
      ],
    );
    assert.equal(warnings(xds).length, 2, warnings(xds).join('\n'));
  });

  it('denies by a header that is to be otherwise also whoever sends none', async () => {
    const { xds, stream } = await startMesh(registered({ protocol: 'http' }));
    const Header = [{ Name: 'x-key', Exact: 'secret', Invert: true }];
    const Permissions = [
      { Action: 'deny', HTTP: { Header } },
      { Action: 'allow', HTTP: { PathPrefix: '/' } },
    ];
    intend(xds, [{ SourceName: 'web', Action: '', Permissions }]);
    const [routes] = await told(stream, 'routes', INBOUND);
    const [{ and_rules }] = policiesIn(routes)['of web'].permissions;
    const { header } = and_rules.rules[1].not_rule.not_rule;
    assert.deepEqual(
      [header.name, header.string_match.exact, header.invert_match],
      ['x-key', 'secret', false],
    );
  });

  it('lets TLS be spoken by those alone who may connect, before the program is heard', async () => {
    const { xds, stream } = await startMesh(registered());
    intend(xds, [{ SourceName: 'api', Action: 'deny' }]);
    const namesIn = ({ filter_chains: [chain] }: Any): readonly Any[] =>
      chain.transport_socket.typed_config.common_tls_context.validation_context
        .match_typed_subject_alt_names;
    const isThere = (all: readonly Any[]) => namesIn(all[0]).length === 1;
    const [listener] = await told(stream, 'listeners', [], isThere);
    const [{ san_type, matcher }] = namesIn(listener);
    const pattern = new RegExp(matcher.safe_regex.regex);
    const uri = (service: string) => leafOf(service).ServiceURI;
    assert.deepEqual(
      [san_type, pattern.test(uri('api')), pattern.test(uri('web')), pattern.test(uri('apis'))],
      ['URI', false, true, true],
    );
  });
});

describe("Envoy's own rules", () => {
  before(loadRules);

  const cases: readonly (readonly [string, object, RegExp | undefined])[] = [
    ['envoy.config.core.v3.HeaderValue', { key: 'a', value: 'x\ny' }, /HTTP_HEADER_VALUE/],
    ['envoy.config.core.v3.HeaderValue', { key: '', value: 'x' }, /min_len/],
    ['envoy.config.core.v3.HeaderValue', { key: 'ü'.repeat(9000), value: 'x' }, /max_bytes/],
    ['envoy.config.route.v3.Route', { match: { prefix: '/' } }, /has none of route/],
    ['envoy.config.route.v3.Route', { route: { cluster: 'c' } }, /message.required/],
    ['envoy.config.route.v3.RetryPolicy.RetryBackOff', {}, /duration.required/],
    ['envoy.config.core.v3.KeepaliveSettings', { interval: { nanos: 1 } }, /duration.gte/],
    [
      'envoy.config.cluster.v3.Cluster',
      { name: 'c', ring_hash_lb_config: { minimum_ring_size: { value: 1e9 } } },
      /uint64/,
    ],
    ['envoy.config.cluster.v3.Cluster', { name: 'c' }, undefined],
    ['envoy.config.cluster.v3.Cluster', { name: '' }, /min_len/],
  ];
  for (const [type, message, fault] of cases) {
    it(`${fault === undefined ? 'take' : 'refuse'} ${type} ${JSON.stringify(message).slice(0, 80)}`, () => {
      const found = faultIn(type, message);
      if (fault === undefined) assert.equal(found, undefined);
      else assert.match(found ?? '', fault);
    });
  }
});
