/** How TLS is spoken with others of the mesh, as its config entry says it. */
import type { SecureContextOptions } from 'node:tls';
import { CIPHER_SUITES, NEWEST } from '../../lib/tls-names.ts';
import { listIn, objectIn, textIn, textsIn } from '../said.ts';

export interface TlsRules {
  /** Of whoever calls this proxy. */
  readonly called: SecureContextOptions;
  /** Of whom it calls. */
  readonly calling: SecureContextOptions;
  /** What else is said there, and has no effect here. */
  readonly unheeded: readonly string[];
}

/** What is older than 1.2 is not spoken here, whatever is said. */
const USUAL: SecureContextOptions = { minVersion: 'TLSv1.2' };
export const USUAL_RULES: TlsRules = { called: USUAL, calling: USUAL, unheeded: [] };

/** Of which nothing is said: they are another list. */
const OF_TLS_13 = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
];
const AS_USUAL: ReadonlySet<string> = new Set(['', 'TLS_AUTO', 'TLSv1_2']);
const OPEN: ReadonlySet<string> = new Set(['', 'TLS_AUTO', NEWEST]);

/** Of the entries of that kind, of which there is one at most. */
export function tlsRulesIn(json: unknown): TlsRules {
  const { TLS } = listIn(json)[0] ?? {};
  const { Incoming, Outgoing } = objectIn(TLS);
  const [called, calling] = [sideOf('Incoming', Incoming), sideOf('Outgoing', Outgoing)];
  return {
    ...{ called: called.options, calling: calling.options },
    unheeded: [...called.unheeded, ...calling.unheeded],
  };
}

function sideOf(where: string, json: unknown) {
  const said = objectIn(json);
  const [least, most] = [textIn(said['TLSMinVersion']), textIn(said['TLSMaxVersion'])];
  const all = textsIn(said['CipherSuites']);
  const suites = all.flatMap((each) => CIPHER_SUITES.get(each) ?? []);
  const unheeded = [
    ...(least === NEWEST || AS_USUAL.has(least) ? [] : [`TLSMinVersion ${least}`]),
    ...(most === 'TLSv1_2' || OPEN.has(most) ? [] : [`TLSMaxVersion ${most}`]),
    ...all.filter((each) => !CIPHER_SUITES.has(each)).map((each) => `CipherSuites ${each}`),
  ];
  const options: SecureContextOptions = {
    ...USUAL,
    ...(least === NEWEST && { minVersion: 'TLSv1.3' as const }),
    ...(most === 'TLSv1_2' && { maxVersion: 'TLSv1.2' as const }),
    ...(suites.length > 0 && { ciphers: [...OF_TLS_13, ...suites].join(':') }),
  };
  return { options, unheeded: unheeded.map((each) => `TLS.${where}.${each}`) };
}
