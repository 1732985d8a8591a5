/** How TLS is spoken, as entries say it of the mesh and of gateways: by Envoy's names of versions, and IANA's of suites. */

import { quote } from '../go-literals.ts';
import { CIPHER_SUITES, IN_ORDER, NEWEST, TLS_VERSIONS } from '../tls-names.ts';
import type { Table } from './fields.ts';
import { text, texts } from './fields.ts';
import { firstFault } from './kind.ts';

export interface TlsParams {
  readonly TLSMinVersion?: string;
  readonly TLSMaxVersion?: string;
  readonly CipherSuites?: readonly string[] | null;
}

export const tls: Table = { TLSMinVersion: text, TLSMaxVersion: text, CipherSuites: texts };

interface Where {
  /** In the entry. */
  readonly at: string;
  /** Before the names of versions there. */
  readonly prefix?: string;
  /** Says what it does not say itself. */
  readonly above?: TlsParams;
}

/** What is wrong with it. */
export function tlsFault(
  { TLSMinVersion, TLSMaxVersion, CipherSuites }: TlsParams,
  { at, prefix = 'TLS', above = {} }: Where,
): string | undefined {
  const [min, max] = [`${prefix}MinVersion`, `${prefix}MaxVersion`];
  const fault =
    versionFault(`${at}.${min}`, TLSMinVersion) ??
    versionFault(`${at}.${max}`, TLSMaxVersion) ??
    firstFault(CipherSuites ?? [], (each) =>
      CIPHER_SUITES.has(each)
        ? undefined
        : `${at}.CipherSuites: there is no cipher suite ${quote(each)}`,
    );
  if (fault !== undefined) return fault;
  const [least = '', most = ''] = [
    TLSMinVersion || above.TLSMinVersion,
    TLSMaxVersion || above.TLSMaxVersion,
  ];
  if (isNewer(least, most)) {
    return `${at}: ${max} ${most} is older than ${min} ${least}`;
  }
  if (least !== NEWEST || (CipherSuites ?? []).length === 0) return undefined;
  return `${at}.CipherSuites are of TLS 1.2 and older, and ${min} is ${least}`;
}

function versionFault(at: string, said = ''): string | undefined {
  if (said === '' || TLS_VERSIONS.includes(said)) return undefined;
  return `${at} must be one of ${TLS_VERSIONS.join(', ')}, and not ${quote(said)}`;
}

function isNewer(a: string, b: string): boolean {
  const [first, second] = [IN_ORDER.indexOf(a), IN_ORDER.indexOf(b)];
  return second >= 0 && first > second;
}
