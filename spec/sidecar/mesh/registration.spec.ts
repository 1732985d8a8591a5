import assert from 'node:assert/strict';
import { registrationIn } from '../../../sidecar/mesh/registration.ts';

const proxy = (said: object, more: object = {}) => ({
  Kind: 'connect-proxy',
  ID: 'p',
  Port: 21000,
  Proxy: said,
  ...more,
});

describe('the registration of a proxy', () => {
  it('says whom it stands before, and where', () => {
    const said = registrationIn(
      proxy(
        { DestinationServiceName: 'web', DestinationServiceID: 'web-1', LocalServicePort: 80 },
        { Address: '10.0.0.1' },
      ),
    );
    assert.deepEqual(said, {
      service: 'web',
      serviceId: 'web-1',
      listens: { host: '10.0.0.1', port: 21000 },
      program: { host: '127.0.0.1', port: 80 },
      protocol: '',
      ...{ connectMs: undefined, requestMs: undefined, maxConnections: undefined },
      upstreams: [],
      refused: [],
      unheeded: [],
    });
    const Config = { bind_address: '127.0.0.9', bind_port: 5, protocol: 'HTTP' };
    const { listens, protocol } = registrationIn(proxy({ DestinationServiceName: 'web', Config }));
    assert.deepEqual([listens, protocol], [{ host: '127.0.0.9', port: 5 }, 'http']);
  });

  it('names what it cannot call, and takes nothing for an address that is none', () => {
    const Upstreams = [
      {
        DestinationName: 'db',
        LocalBindPort: 9191,
        LocalBindAddress: 'localhost',
        Datacenter: 'dc2',
      },
      { DestinationType: 'prepared_query', DestinationName: 'geo', LocalBindPort: 9192 },
      { DestinationType: 'peer', DestinationName: 'far', LocalBindPort: 9193 },
      { DestinationName: 'cache', LocalBindPort: 99_999 },
      { LocalBindPort: 1 },
      null,
      'text',
    ];
    const { upstreams, refused } = registrationIn(
      proxy({ DestinationServiceName: 'web', Upstreams }),
    );
    assert.deepEqual(
      upstreams.map(({ kind, name, datacenter, at: { host, port } }) => [
        ...[kind, name, datacenter, host, port],
      ]),
      [
        ['service', 'db', 'dc2', '127.0.0.1', 9191],
        ['query', 'geo', '', '127.0.0.1', 9192],
      ],
    );
    const none = 'it has no name or no port';
    assert.deepEqual(refused, [
      ['far', 'upstreams of the type peer are not called'],
      ...['cache', '', '', ''].map((name) => [name, none]),
    ]);
  });

  it('says how upstreams are called, as proxies write it and as config entries come to it', () => {
    const limits = { max_connections: 1, max_pending_requests: 2, max_concurrent_requests: 3 };
    const Limits = { MaxConnections: 1, MaxPendingRequests: 2, MaxConcurrentRequests: 3 };
    const passive_health_check = { interval: '4s', max_failures: 5, enforcing_consecutive_5xx: 0 };
    const PassiveHealthCheck = {
      ...{ Interval: '4s', MaxFailures: 5, EnforcingConsecutive5xx: 0 },
      ...{ BaseEjectionTime: '6s', MaxEjectionPercent: 70 },
    };
    const rulesOf = (Config: object) => {
      const { upstreams } = registrationIn(
        proxy({
          DestinationServiceName: 'web',
          Upstreams: [{ DestinationName: 'db', LocalBindPort: 1, Config }],
        }),
      );
      return upstreams[0]?.rules;
    };
    const kept = { connections: 1, pending: 2, requests: 3 };
    assert.deepEqual(
      rulesOf({ protocol: 'HTTP2', connect_timeout_ms: 7, limits, passive_health_check }),
      {
        ...{ protocol: 'http2', connectMs: 7, limits: kept },
        outliers: { inARow: 5, intervalMs: 4000, enforced: 0 },
      },
    );
    assert.deepEqual(rulesOf({ limits: Limits, passive_health_check: PassiveHealthCheck }), {
      ...{ protocol: '', connectMs: undefined, limits: kept },
      outliers: { inARow: 5, intervalMs: 4000, ejectMs: 6000, maxShare: 0.7, enforced: 0 },
    });
    assert.deepEqual(rulesOf({ limits: { max_connections: -1 }, passive_health_check: {} }), {
      ...{ protocol: '', connectMs: undefined, limits: {}, outliers: undefined },
    });
  });

  it('names what has no effect here', () => {
    const { unheeded, maxConnections, connectMs, requestMs } = registrationIn(
      proxy({
        DestinationServiceName: 'web',
        Mode: 'transparent',
        Expose: { Checks: false, Paths: [{ Path: '/' }] },
        Config: {
          ...{ envoy_public_listener_json: '{}', max_inbound_connections: 9 },
          ...{ local_connect_timeout_ms: 8, local_request_timeout_ms: 7, envoy_tracing_json: '' },
        },
        Upstreams: [
          {
            ...{ DestinationName: 'db', LocalBindPort: 1, MeshGateway: { Mode: 'local' } },
            Config: { envoy_cluster_json: '{}', limits: { max_retries: 1 } },
          },
        ],
      }),
    );
    assert.deepEqual([maxConnections, connectMs, requestMs], [9, 8, 7]);
    assert.deepEqual(unheeded, [
      ...['Config.envoy_public_listener_json', 'Mode', 'Expose'],
      'Config.envoy_cluster_json of the upstream db',
      'Config.limits.max_retries of the upstream db',
      'MeshGateway.Mode of the upstream db',
    ]);
  });

  it('is refused where it is no proxy of a service', () => {
    for (const json of [
      null,
      [],
      'x',
      {},
      { Kind: '' },
      proxy({}),
      proxy({ DestinationServiceName: 7 }),
    ]) {
      assert.throws(() => registrationIn(json), /is no proxy of a service/);
    }
  });
});
