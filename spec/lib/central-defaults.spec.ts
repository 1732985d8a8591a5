import assert from 'node:assert/strict';
import { defaultsOf, withDefaults } from '../../lib/central-defaults.ts';
import type { ServiceDefinition } from '../../lib/model.ts';
import { serviceNamed } from '../support/factories.ts';

const NOTHING = { Proxy: {}, Upstreams: [] };

function sidecar(proxy: object): ServiceDefinition {
  const whose = { DestinationServiceName: 'web', DestinationServiceID: 'web' };
  return { ...serviceNamed('p'), Kind: 'connect-proxy', Proxy: { ...whose, ...proxy } };
}

function configOf(own: object, central: object): unknown {
  return withDefaults(sidecar({ Config: own }), { ...NOTHING, Proxy: { Config: central } }).Proxy[
    'Config'
  ];
}

describe('defaultsOf', () => {
  it('names the service that a sidecar is of, and those it calls, each once', () => {
    const Upstreams = [
      { DestinationName: 'db' },
      { DestinationName: 'a', DestinationType: 'service' },
      { DestinationName: 'geo', DestinationType: 'prepared_query' },
      { DestinationName: 'db' },
    ];
    assert.deepEqual(defaultsOf(sidecar({ Upstreams })), {
      service: 'web',
      upstreams: ['a', 'db'],
    });
  });
});

/** As a real Consul merges them. */
describe('withDefaults', () => {
  it('fills in what the registration leaves out or empty, at any depth', () => {
    const own = { s: '', z: 0, b: false, l: [], n: null, m: { x: { y: 0, q: 2 } }, mine: 1 };
    const central = { s: 'g', z: 5, b: true, l: [1], n: 1, m: { x: { y: 1 } }, theirs: 2 };
    assert.deepEqual(configOf(own, central), {
      ...{ s: 'g', z: 5, b: true, l: [1], n: 1, m: { x: { q: 2, y: 1 } } },
      ...{ mine: 1, theirs: 2 },
    });
  });

  it('leaves what it says, whatever else is said', () => {
    const own = { s: 'own', l: [9], mix: 'text', map: { a: 1 }, cap: 2 };
    const central = { s: 'g', l: [1, 2], mix: { a: 1 }, map: 't', Cap: 1 };
    assert.deepEqual(configOf(own, central), { ...own, Cap: 1 });
  });

  it('takes names that mean something to JavaScript for names', () => {
    const central = JSON.parse('{"__proto__":{"polluted":1},"constructor":"x"}');
    const config = configOf({}, central) as Record<string, unknown>;
    assert.deepEqual(Object.keys(config), ['__proto__', 'constructor']);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  it('gives upstreams what is said of each, and how the proxy reaches others', () => {
    const Upstreams = [
      { DestinationName: 'DB', Config: null, MeshGateway: {} },
      { DestinationName: 'own', Config: { protocol: 'tcp' }, MeshGateway: { Mode: 'none' } },
      { DestinationName: 'geo', DestinationType: 'prepared_query', Config: null, MeshGateway: {} },
    ];
    const said = (Name: string) => ({ Name, Config: { protocol: 'grpc' }, MeshGateway: {} });
    const { Proxy: proxy } = withDefaults(sidecar({ Upstreams }), {
      Proxy: { MeshGateway: { Mode: 'local' } },
      Upstreams: [said('db'), said('own'), said('geo')],
    });
    assert.deepEqual(proxy['Upstreams'], [
      { DestinationName: 'DB', Config: { protocol: 'grpc' }, MeshGateway: { Mode: 'local' } },
      Upstreams[1],
      Upstreams[2],
    ]);
  });
});
