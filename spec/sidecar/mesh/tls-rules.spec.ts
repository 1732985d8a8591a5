/** What the mesh's entry says of TLS, as Node speaks it. */
import assert from 'node:assert/strict';
import { tlsRulesIn, USUAL_RULES } from '../../../sidecar/mesh/tls-rules.ts';

const USUAL = { minVersion: 'TLSv1.2' };
const suite = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256';
const called = (Incoming: unknown) => {
  const { called: options, unheeded } = tlsRulesIn([{ TLS: { Incoming } }]);
  return { options, unheeded };
};

describe('how a sidecar speaks TLS', () => {
  it('is as usual where the mesh says nothing of it, whatever it says', () => {
    for (const json of [[], [{}], undefined, {}, [{ TLS: 1 }], [{ TLS: { Incoming: [] } }]]) {
      assert.deepEqual(tlsRulesIn(json), USUAL_RULES);
    }
    assert.deepEqual(called({ TLSMinVersion: 'TLS_AUTO' }).options, USUAL);
  });

  it('is as it says', () => {
    assert.deepEqual(called({ TLSMinVersion: 'TLSv1_3' }).options, { minVersion: 'TLSv1.3' });
    const { options } = called({ TLSMaxVersion: 'TLSv1_2', CipherSuites: [suite, 'TLS_NONE'] });
    const ciphers = 'ECDHE-RSA-AES128-GCM-SHA256';
    assert.equal(options.maxVersion, 'TLSv1.2');
    assert.ok(options.ciphers?.endsWith(`:${ciphers}`), options.ciphers);
    const { calling } = tlsRulesIn([{ TLS: { Outgoing: { TLSMinVersion: 'TLSv1_3' } } }]);
    assert.deepEqual(calling, { minVersion: 'TLSv1.3' });
  });

  it('is never older than 1.2, and what has no effect is named', () => {
    const old = called({ TLSMinVersion: 'TLSv1_0', TLSMaxVersion: 'TLSv1_1', CipherSuites: ['x'] });
    assert.deepEqual(old.options, USUAL);
    assert.deepEqual(old.unheeded, [
      'TLS.Incoming.TLSMinVersion TLSv1_0',
      'TLS.Incoming.TLSMaxVersion TLSv1_1',
      'TLS.Incoming.CipherSuites x',
    ]);
    assert.deepEqual(called({ TLSMinVersion: 'tls13' }).unheeded, [
      'TLS.Incoming.TLSMinVersion tls13',
    ]);
  });
});
