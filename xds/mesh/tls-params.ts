/** How TLS is spoken, as entries say it. */
import { CIPHER_SUITES, NEWEST, TLS_VERSIONS } from '../../lib/tls-names.ts';
import { objectIn, type Said, textIn, textsIn } from '../../sidecar/said.ts';
import type { LeaveOut } from '../omissions.ts';
import type { Message } from '../resource.ts';
import { meshEntry } from '../resources/mesh-entry.ts';
import type { Know } from '../worked.ts';

/** The first of those who say something of a field counts; `{}` where nobody does. */
export function tlsParams(said: readonly Said[], omit: LeaveOut): Message {
  const version = (name: string) =>
    said.map((each) => textIn(each[name])).find((each) => isVersion(each, omit));
  const least = version('TLSMinVersion');
  const most = version('TLSMaxVersion');
  const named = said.map((each) => textsIn(each['CipherSuites']));
  const suites = named.find((all) => all.length > 0)?.flatMap((each) => suiteOf(each, omit)) ?? [];
  return {
    ...(least && { tls_minimum_protocol_version: least }),
    ...(most && { tls_maximum_protocol_version: most }),
    ...(suites.length > 0 && { cipher_suites: suites }),
  };
}

/** Entries that were written before they were looked at may say anything. */
function isVersion(said: string, omit: LeaveOut): boolean {
  if (TLS_VERSIONS.includes(said)) return true;
  if (said !== '') omit(`the version of TLS ${JSON.stringify(said)}`, 'there is none of that name');
  return false;
}

function suiteOf(said: string, omit: LeaveOut): string[] {
  const suite = CIPHER_SUITES.get(said);
  if (suite !== undefined) return [suite];
  omit(`the cipher suite ${JSON.stringify(said)}`, 'Envoy has none of that name');
  return [];
}

/** Among those of the mesh, as its entry says: of those who are called, and of those who call. */
export function meshTlsParams(know: Know): { readonly called: Message; readonly calling: Message } {
  const { Incoming, Outgoing } = objectIn(meshEntry(know)['TLS']);
  const of = (said: unknown, where: string) =>
    tlsParams([objectIn(said)], (what, why) =>
      know.omit(`${what} of TLS.${where} of the mesh`, why),
    );
  const [called, calling] = [of(Incoming, 'Incoming'), of(Outgoing, 'Outgoing')];
  const isNewestAsked = [called, calling].some((each) => each[LEAST] === NEWEST);
  // Envoys that call go up to 1.2 by themselves: none would be understood.
  const most = isNewestAsked && calling[MOST] === undefined && { [MOST]: NEWEST };
  return { called, calling: { ...calling, ...most } };
}

const LEAST = 'tls_minimum_protocol_version';
const MOST = 'tls_maximum_protocol_version';
