/** Commands of the mesh, from pools as small as those of the others. */
import fc from 'fast-check';
import type { ConnectCommand } from '../../../server/connect-commands.ts';
import { CONFIG_KINDS } from './config-entries.ts';

const ROOTS = ['aa', 'bb'] as const;
const leafTtlMs = fc.constantFrom(3_600_000, 7_200_000);
const serials = fc.nat(9);

type Kinds = {
  readonly [T in ConnectCommand['type']]: [number, fc.Arbitrary<ConnectCommand & { type: T }>];
};

const CONNECT_KINDS: Kinds = {
  'set-ca-config': [
    1,
    fc.record({
      type: fc.constant('set-ca-config'),
      config: fc.record({
        Provider: fc.constant('consul'),
        Config: fc.constantFrom(null, {}, { LeafCertTTL: '24h' }),
        State: fc.constant(null),
        ForceWithoutCrossSigning: fc.boolean(),
        ClusterID: fc.constant('11111111-2222-3333-4444-555555555555'),
      }),
      leafTtlMs,
      replaces: fc.nat(20),
    }),
  ],
  'set-ca-root': [
    1,
    fc.record({
      type: fc.constant('set-ca-root'),
      root: fc.record({
        ID: fc.constantFrom(...ROOTS),
        Name: fc.constant('Consul CA Root Cert'),
        SerialNumber: serials,
        SigningKeyID: fc.constant('cc'),
        ExternalTrustDomain: fc.constant('11111111-2222-3333-4444-555555555555'),
        NotBefore: fc.constant('2026-01-01T00:00:00Z'),
        NotAfter: fc.constant('2036-01-01T00:00:00Z'),
        RootCert: fc.constant('pem'),
        IntermediateCerts: fc.constantFrom(null, ['pem']),
        PrivateKeyType: fc.constant('ec'),
        PrivateKeyBits: fc.constant(256),
      }),
      key: fc.record({
        privateKey: fc.constantFrom('k1', 'k2'),
        madeOf: fc.constantFrom('', 'x'),
        leafTtlMs,
      }),
      replaces: fc.constantFrom('', ...ROOTS),
    }),
  ],
  'reap-ca-roots': [
    1,
    fc.record({
      type: fc.constant('reap-ca-roots'),
      term: fc.nat(20),
      roots: fc.subarray([...ROOTS]),
    }),
  ],
  'take-serial': [1, fc.constant({ type: 'take-serial', service: 'web' })],
};

export const MESH_KINDS = { ...CONFIG_KINDS, ...CONNECT_KINDS };
