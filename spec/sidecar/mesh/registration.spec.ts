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
      upstreams: [],
      refused: [],
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
      { DestinationName: 'cache', LocalBindPort: 99_999 },
      { LocalBindPort: 1 },
      null,
      'text',
    ];
    const { upstreams, refused } = registrationIn(
      proxy({ DestinationServiceName: 'web', Upstreams }),
    );
    assert.deepEqual(upstreams, [
      { service: 'db', datacenter: 'dc2', at: { host: '127.0.0.1', port: 9191 } },
    ]);
    const none = 'it has no name or no port';
    assert.deepEqual(refused, [
      ['geo', 'upstreams of the type prepared_query are not called'],
      ...['cache', '', '', ''].map((name) => [name, none]),
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
