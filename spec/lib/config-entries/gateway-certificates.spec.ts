/** What an ingress gateway's entry says of certificates: what nobody could be shown is refused. */
import assert from 'node:assert/strict';
import { decodeEntry, refuseFaulty } from '../../../lib/config-entries/kinds.ts';
import { messageOf } from '../../../lib/errors.ts';

const complaint = (service: object, at: object = {}, entry: object = {}) => {
  const listener = { Port: 8080, Protocol: 'http', ...at, Services: [{ Name: 'web', ...service }] };
  try {
    const said = { Kind: 'ingress-gateway', Name: 'edge', Listeners: [listener], ...entry };
    refuseFaulty(decodeEntry(said));
    return '';
  } catch (error) {
    return messageOf(error);
  }
};

const Hosts = ['web.example'];
const SDS = { ClusterName: 'sds', CertResource: 'own' };
const cluster = { TLS: { SDS: { ClusterName: 'sds' } } };
const resource = { TLS: { SDS: { CertResource: 'own' } } };

describe('a certificate of an ingress gateway', () => {
  it('is taken where it can be asked for, and shown to somebody', () => {
    assert.equal(complaint({ Hosts, TLS: { SDS } }), '');
    assert.equal(complaint({ Hosts, ...resource }, { TLS: { SDS } }), '');
    assert.equal(complaint({ Hosts, ...resource }, {}, { TLS: { SDS } }), '');
    assert.equal(complaint({}, resource, { TLS: { SDS } }), '');
    assert.equal(complaint({ Hosts: ['*'] }), '');
  });

  it('is refused in the words of later Consuls where it cannot', () => {
    const needsHosts =
      'A service specifying TLS.SDS.CertResource must have at least one item in Hosts (service "web" on listener on port 8080)';
    const needsCluster = 'TLS.SDS.ClusterName is required if CertResource is set';
    const needsResource = 'TLS.SDS.CertResource is required if ClusterName is set';
    assert.equal(complaint({ TLS: { SDS } }), needsHosts);
    assert.equal(complaint({ TLS: { SDS } }, { Protocol: 'tcp' }), needsHosts);
    assert.match(complaint({ Hosts: ['*'], TLS: { SDS } }), /^Host '\*' is not allowed/);
    assert.equal(
      complaint({ Hosts, ...resource }),
      `${needsCluster} (service "web" on listener on port 8080)`,
    );
    assert.equal(complaint({}, resource), `${needsCluster} (listener on port 8080)`);
    assert.equal(complaint({}, {}, resource), `${needsCluster} (listener on port 8080)`);

    assert.equal(complaint({}, cluster), `${needsResource} for listener (listener on port 8080)`);
    assert.equal(
      complaint({}, {}, cluster),
      `${needsResource} for gateway (listener on port 8080)`,
    );
    assert.match(complaint({ Hosts, ...cluster }), /CertResource is required .*service "web"/);
  });

  it('is of one service alone by each host, in whose names there is no case', () => {
    assert.equal(
      complaint({ Hosts: ['A.example', 'a.example'] }),
      'Hosts must be unique within a specific listener (listener on port 8080)',
    );
  });
});
