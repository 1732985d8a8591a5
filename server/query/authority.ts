/** Queries of /v1/connect/ca. */
import { trustDomainOf } from '../../lib/connect/identity.ts';
import type { CaRoot, CaRoots } from '../../lib/connect/model.ts';
import { keyOf, type Query } from './query.ts';
import type { Reader } from './reader.ts';

export function caRoots(): Query {
  return { key: keyOf('ca/roots'), run: (reader) => ({ json: rootsOf(reader) }) };
}

/** The certificates alone, as programs take them that trust what they find in a file. */
export function caRootsAsPem(): Query {
  return {
    key: keyOf('ca/roots', 'pem'),
    run: (reader) => ({
      bytes: Buffer.from(rootsOf(reader).Roots.map(certificates).join('')),
      contentType: 'application/pem-certificate-chain',
    }),
  };
}

function rootsOf(reader: Reader): CaRoots {
  const { config, roots } = reader.authority();
  const Roots = [...roots.values()].sort((a, b) => (a.ID < b.ID ? -1 : 1));
  return {
    ActiveRootID: Roots.find(({ Active }) => Active)?.ID ?? '',
    TrustDomain: config === undefined ? '' : trustDomainOf(config.ClusterID),
    Roots,
  };
}

function certificates({ RootCert, IntermediateCerts }: CaRoot): string {
  return [RootCert, ...(IntermediateCerts ?? [])].join('');
}
