/** How TLS is to be spoken, as entries say it: what would be passed over is refused. */
import assert from 'node:assert/strict';
import { decodeEntry, refuseFaulty, refuseUnwritable } from '../../../lib/config-entries/kinds.ts';
import { messageOf } from '../../../lib/errors.ts';

const complaint = (said: object) => {
  try {
    refuseUnwritable(decodeEntry(said));
    return '';
  } catch (error) {
    return messageOf(error);
  }
};
const VERSIONS = 'TLS_AUTO, TLSv1_0, TLSv1_1, TLSv1_2, TLSv1_3';
const SUITE = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256';
const Services = [{ Name: 'web' }];

/** Each place where it is said, how an entry is made of it, and how its versions are called there. */
const PLACES: readonly (readonly [at: string, entry: (tls: object) => object, prefix?: string])[] =
  [
    ['TLS.Incoming', (tls) => ({ Kind: 'mesh', TLS: { Incoming: tls } })],
    ['TLS.Outgoing', (tls) => ({ Kind: 'mesh', TLS: { Outgoing: tls } })],
    [
      'TLS',
      (tls) => ({
        ...{ Kind: 'ingress-gateway', Name: 'edge', TLS: { Enabled: true, ...tls } },
        Listeners: [{ Port: 80, Protocol: 'http', Services }],
      }),
    ],
    [
      'Listeners[port 80].TLS',
      (tls) => ({
        ...{ Kind: 'ingress-gateway', Name: 'edge' },
        Listeners: [{ Port: 80, Protocol: 'http', Services, TLS: { Enabled: true, ...tls } }],
      }),
    ],
    [
      'Listeners[port 80].TLS',
      (tls) => ({
        ...{ Kind: 'api-gateway', Name: 'edge' },
        Listeners: [
          {
            ...{ Name: 'a', Port: 80, Protocol: 'http' },
            TLS: Object.fromEntries(
              Object.entries(tls).map(([name, value]) => [name.replace(/^TLS/, ''), value]),
            ),
          },
        ],
      }),
      '',
    ],
  ];

describe('how TLS is spoken', () => {
  for (const [at, entry, prefix = 'TLS'] of PLACES) {
    const { Kind } = entry({}) as { readonly Kind: string };
    const [min, max] = [`${prefix}MinVersion`, `${prefix}MaxVersion`];

    it(`is taken of ${Kind}, ${at}, by the names that Envoy has`, () => {
      assert.equal(complaint(entry({})), '');
      const TLS = { TLSMinVersion: 'TLSv1_2', TLSMaxVersion: 'TLSv1_3', CipherSuites: [SUITE] };
      assert.equal(complaint(entry(TLS)), '');
      assert.equal(complaint(entry({ TLSMinVersion: 'TLS_AUTO', TLSMaxVersion: 'TLSv1_0' })), '');
    });

    it(`is refused of ${Kind}, ${at}, where nobody would speak so`, () => {
      for (const said of ['TLSv1.2', 'tls12', 'TLSV1_2']) {
        const why = `must be one of ${VERSIONS}, and not "${said}"`;
        assert.equal(complaint(entry({ TLSMinVersion: said })), `${at}.${min} ${why}`);
        assert.equal(complaint(entry({ TLSMaxVersion: said })), `${at}.${max} ${why}`);
        // As archives may have it that were made before it was looked at.
        refuseFaulty(decodeEntry(entry({ TLSMinVersion: said })));
      }
      assert.equal(
        complaint(entry({ CipherSuites: [SUITE, 'ECDHE-RSA-AES128-GCM-SHA256'] })),
        `${at}.CipherSuites: there is no cipher suite "ECDHE-RSA-AES128-GCM-SHA256"`,
      );
      assert.equal(
        complaint(entry({ TLSMinVersion: 'TLSv1_3', TLSMaxVersion: 'TLSv1_2' })),
        `${at}: ${max} TLSv1_2 is older than ${min} TLSv1_3`,
      );
      assert.equal(
        complaint(entry({ TLSMinVersion: 'TLSv1_3', CipherSuites: [SUITE] })),
        `${at}.CipherSuites are of TLS 1.2 and older, and ${min} is TLSv1_3`,
      );
    });
  }

  it('is looked at of a listener together with what the gateway says', () => {
    const listener = { Port: 80, Protocol: 'http', Services, TLS: { TLSMaxVersion: 'TLSv1_1' } };
    assert.equal(
      complaint({
        ...{ Kind: 'ingress-gateway', Name: 'edge', TLS: { TLSMinVersion: 'TLSv1_2' } },
        Listeners: [listener],
      }),
      'Listeners[port 80].TLS: TLSMaxVersion TLSv1_1 is older than TLSMinVersion TLSv1_2',
    );
  });
});
