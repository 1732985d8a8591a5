/** By which names an ingress gateway is asked for from outside. */
import assert from 'node:assert/strict';
import { type IngressSaid, ingressNames } from '../../../lib/config-entries/ingress-names.ts';

const HERE = { domain: 'Consul.', datacenter: 'DC1' };
const USUAL = ['*.ingress.consul', '*.ingress.dc1.consul'];

const entry = (Hosts: readonly string[], gateway = true, listener = false): IngressSaid => ({
  TLS: { Enabled: gateway },
  Listeners: [
    {
      ...{ Port: 80, Protocol: 'http', TLS: { Enabled: listener } },
      Services: [
        { Name: 'web', Hosts },
        { Name: 'api', Hosts: null },
      ],
    },
  ],
});

describe('names in the certificate of an ingress gateway', () => {
  it('are those of its hosts, each once, and those by which Consul has services of it', () => {
    const names = ingressNames(entry(['B.example', '*.a.example.', 'b.example']), HERE);
    assert.deepEqual(names, [...USUAL, '*.a.example', 'b.example']);
  });

  it('are none where no TLS is spoken, and there where one listener speaks it', () => {
    assert.deepEqual(ingressNames(entry(['a.example'], false), HERE), []);
    assert.deepEqual(ingressNames(entry(['a.example'], false, true), HERE), [
      ...[...USUAL, 'a.example'],
    ]);
    assert.deepEqual(ingressNames({ TLS: { Enabled: false }, Listeners: null }, HERE), []);
  });

  it('have none that is no name, and no more than a handshake can carry', () => {
    const bad = ['*', '', 'a b', 'ü.example', 'x'.repeat(254), 'a..b', '\n', 'a.*.b'];
    assert.deepEqual(ingressNames(entry(bad), HERE), USUAL);
    const many = Array.from({ length: 600 }, (_, i) => `${i}.example`);
    assert.equal(ingressNames(entry(many), HERE).length, 502);
  });
});
