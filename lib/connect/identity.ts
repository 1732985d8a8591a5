/** SPIFFE ids: who somebody is in the mesh, as a URI in a certificate. */
import { ProconsulError } from '../errors.ts';
import { isWellFormed } from '../well-formed.ts';

export interface ServiceIdentity {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly datacenter: string;
  readonly service: string;
}

/** Beyond it no certificate is made: a name of DNS has as many, escaped. */
const MAX_URI_LENGTH = 2048;
const SERVICE = /^\/ns\/([^/]+)\/dc\/([^/]+)\/svc\/([^/]+)$/;
const SCHEME = 'spiffe://';

export function trustDomainOf(clusterId: string): string {
  return `${clusterId}.consul`;
}

export function domainUri(trustDomain: string): string {
  return SCHEME + trustDomain;
}

export function serviceUri({ trustDomain, datacenter, service }: ServiceIdentity): string {
  return `${domainUri(trustDomain)}/ns/default/dc/${datacenter}/svc/${asInUrl(service)}`;
}

/**
 * As Go writes a path: a slash in a name stays one, and makes it a name that nobody can have. Throws 'invalid' for half of a
 * character: it must not come to be another's name.
 */
export function asInUrl(name: string): string {
  if (!isWellFormed(name)) {
    throw new ProconsulError('invalid', `${JSON.stringify(name)} is in no certificate`);
  }
  return encodeURIComponent(name).replace(/%(?:2F|24|26|2B|3A|3D|40)/g, decodeURIComponent);
}

/** The host part of the id, and what is behind it; undefined for what is no SPIFFE id. */
function partsOf(uri: string): { readonly domain: string; readonly path: string } | undefined {
  if (uri.length > MAX_URI_LENGTH || !uri.startsWith(SCHEME)) return undefined;
  const [, domain, path = ''] = /^spiffe:\/\/([^/?#]+)([^?#]*)$/.exec(uri) ?? [];
  return domain === undefined ? undefined : { domain, path };
}

export type Identity =
  | { readonly kind: 'service'; readonly identity: ServiceIdentity }
  /** A whole trust domain. */
  | { readonly kind: 'domain'; readonly trustDomain: string };

/** Throws 'invalid' for what is no id of the mesh. */
export function parseIdentity(uri: string): Identity {
  const parts = partsOf(uri);
  if (parts === undefined) throw new ProconsulError('invalid', 'SPIFFE ID must have URI scheme');
  const { domain, path } = parts;
  if (path === '') return { kind: 'domain', trustDomain: domain };
  const [, namespace, datacenter, service] = (SERVICE.exec(path) ?? []).map(decoded);
  if (namespace === undefined || datacenter === undefined || service === undefined) {
    throw new ProconsulError('invalid', `SPIFFE ID is not in the expected format: ${uri}`);
  }
  return {
    kind: 'service',
    identity: { trustDomain: domain, namespace, datacenter, service },
  };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
