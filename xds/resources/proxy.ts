/** How a proxy is registered with its agent, and who it is in the mesh. */
import { isIP } from 'node:net';
import { parseIdentity } from '../../lib/connect/identity.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { MAX_UPSTREAMS } from '../../lib/limits.ts';
import type { Know } from '../derived.ts';
import type { Message } from '../resource.ts';

export interface MeshProxy {
  readonly service: string;
  readonly listens: Place;
  readonly program: Place;
  readonly config: Said;
  readonly upstreams: readonly Upstream[];
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

export interface Upstream {
  readonly name: string;
  readonly isQuery: boolean;
  /** '' for the agent's own. */
  readonly datacenter: string;
  readonly at: Place;
  readonly config: Said;
}

/** Whoever may register says these: nothing of it is sure but that it is JSON. */
export type Said = Readonly<Record<string, unknown>>;

const LOCAL = '127.0.0.1';

/** Undefined while no proxy is registered by this id. */
export function proxyNamed(know: Know, id: string): MeshProxy | undefined {
  const path = `/v1/agent/service/${encodeURIComponent(id)}`;
  const said = objectIn(know({ path, query: [], by: 'hash' }));
  const proxy = objectIn(said['Proxy']);
  const service = textIn(proxy['DestinationServiceName']);
  if (said['Kind'] !== 'connect-proxy' || service === '') return undefined;
  const config = objectIn(proxy['Config']);
  const upstreams = Array.isArray(proxy['Upstreams']) ? proxy['Upstreams'] : [];
  return {
    service,
    config,
    listens: {
      host: addressIn(config['bind_address']) || addressIn(said['Address']) || '0.0.0.0',
      port: numberIn(config['bind_port']) || numberIn(said['Port']),
    },
    program: {
      host: addressIn(proxy['LocalServiceAddress']) || LOCAL,
      port: numberIn(proxy['LocalServicePort']),
    },
    upstreams: upstreams.slice(0, MAX_UPSTREAMS).flatMap((each) => upstreamIn(objectIn(each))),
  };
}

function upstreamIn(said: Said): Upstream[] {
  const name = textIn(said['DestinationName']);
  const port = numberIn(said['LocalBindPort']);
  if (name === '' || port === 0) return [];
  const host = addressIn(said['LocalBindAddress']) || LOCAL;
  const isQuery = said['DestinationType'] === 'prepared_query';
  const datacenter = textIn(said['Datacenter']);
  return [{ name, isQuery, datacenter, at: { host, port }, config: objectIn(said['Config']) }];
}

export interface Identity {
  readonly certificate: string;
  readonly key: string;
  readonly roots: string;
  readonly trustDomain: string;
  readonly datacenter: string;
}

/** Undefined until the agent has both, or where the token may not have them. */
export function identityOf(know: Know, service: string): Identity | undefined {
  const leaf = `/v1/agent/connect/ca/leaf/${encodeURIComponent(service)}`;
  const own = objectIn(know({ path: leaf, query: [] }));
  const { Roots } = objectIn(know({ path: '/v1/agent/connect/ca/roots', query: [] }));
  const [certificate, key] = [textIn(own['CertPEM']), textIn(own['PrivateKeyPEM'])];
  const roots = (Array.isArray(Roots) ? Roots : []).map((each) =>
    textIn(objectIn(each)['RootCert']),
  );
  const uri = uriIn(textIn(own['ServiceURI']));
  if (certificate === '' || roots.length === 0 || uri === undefined) return undefined;
  return { certificate, key, roots: roots.join(''), ...uri };
}

function uriIn(text: string) {
  try {
    const parsed = parseIdentity(text);
    return parsed.kind === 'service' ? parsed.identity : undefined;
  } catch (error) {
    if (error instanceof ProconsulError) return undefined;
    throw error;
  }
}

const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3';

/** What both sides show, and by which roots they know the other. */
function common({ certificate, key, roots }: Identity, more: Message = {}): Message {
  const own = { certificate_chain: text(certificate), private_key: text(key) };
  return {
    tls_certificates: [own],
    validation_context: { trusted_ca: text(roots), ...more },
  };
}

function text(inline_string: string): Message {
  return { inline_string };
}

export function serverTls(identity: Identity): Message {
  return socket({
    '@type': `${TLS}.DownstreamTlsContext`,
    common_tls_context: common(identity),
    require_client_certificate: { value: true },
  });
}

/** Only these services are meant, whoever else has a certificate. */
export function clientTls(identity: Identity, sni: string, uris: readonly string[]): Message {
  const names = uris.map((exact) => ({ san_type: 'URI', matcher: { exact } }));
  return socket({
    '@type': `${TLS}.UpstreamTlsContext`,
    common_tls_context: common(identity, { match_typed_subject_alt_names: names }),
    ...(sni !== '' && { sni }),
  });
}

function socket(typed_config: Message): Message {
  return { name: 'envoy.transport_sockets.tls', typed_config };
}

export function objectIn(said: unknown): Said {
  return typeof said === 'object' && said !== null && !Array.isArray(said) ? (said as Said) : {};
}

export function textIn(said: unknown): string {
  return typeof said === 'string' ? said : '';
}

/** '' for what is no address: a proxy listens at addresses, and names are none. */
function addressIn(said: unknown): string {
  return isIP(textIn(said)) === 0 ? '' : textIn(said);
}

/** A whole number above 0; else 0. Durations and counts are written as texts too. */
export function numberIn(said: unknown): number {
  const number = Number(said);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}
