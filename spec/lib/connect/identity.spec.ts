import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseIdentity, serviceUri } from '../../../lib/connect/identity.ts';
import { SEED } from '../../support/seed.ts';

const where = { trustDomain: 'd.consul', namespace: 'default', datacenter: 'dc1' };

describe('the id of a service', () => {
  it('is written as Go writes a path', () => {
    for (const [service, written] of [
      ['web', 'web'],
      ['With Space', 'With%20Space'],
      ['UPPER', 'UPPER'],
      ['a+b:c@d', 'a+b:c@d'],
      ['ü', '%C3%BC'],
    ] as const) {
      const uri = serviceUri({ ...where, service });
      assert.equal(uri, `spiffe://d.consul/ns/default/dc/dc1/svc/${written}`);
    }
  });

  it('is read back as it was, but for a slash, which no id can have', () => {
    const name = fc.string({ minLength: 1 }).filter((text) => !/[/\0]|^\.+$/.test(text));
    fc.assert(
      fc.property(name, (service) => {
        const found = parseIdentity(serviceUri({ ...where, service }));
        assert.deepEqual(found, { kind: 'service', identity: { ...where, service } });
      }),
      { seed: SEED },
    );
    assert.throws(() => parseIdentity(serviceUri({ ...where, service: 'a/b' })), {
      message:
        'SPIFFE ID is not in the expected format: spiffe://d.consul/ns/default/dc/dc1/svc/a/b',
    });
  });

  it('is refused where it is none', () => {
    for (const uri of ['', 'web', 'http://d.consul/ns/default/dc/dc1/svc/web', 'spiffe://']) {
      assert.throws(() => parseIdentity(uri), /SPIFFE ID must have URI scheme/);
    }
    for (const uri of ['spiffe://d.consul/svc/web', 'spiffe://d.consul/ns/a/dc/b/svc/%zz']) {
      assert.throws(() => parseIdentity(uri), /not in the expected format/);
    }
    const [domain] = [parseIdentity('spiffe://d.consul')];
    assert.deepEqual(domain, { kind: 'domain', trustDomain: 'd.consul' });
  });
});
