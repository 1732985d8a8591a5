/** Who a proxy is in the mesh, and how it speaks TLS with others of it. */
import { parseIdentity } from '../../lib/connect/identity.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { inPath } from '../../lib/well-formed.ts';
import { objectIn, textIn } from '../../sidecar/said.ts';
import type { Question } from '../questions.ts';
import type { Message } from '../resource.ts';
import type { Fact, Know } from '../worked.ts';

export interface Identity {
  readonly certificate: string;
  readonly key: string;
  readonly roots: string;
  readonly trustDomain: string;
  readonly datacenter: string;
}

/** The same for all that is told of a proxy. */
export function identityFact(service: string): Fact<Identity> {
  return { key: ['identity', service], of: (know) => identityOf(know, service) };
}

/** Undefined until the agent has both, or where the token may not have them. `ingress`: of which names of DNS. */
export function identityOf(know: Know, service: string, ingress = ''): Identity | undefined {
  const leaf = `/v1/agent/connect/ca/leaf/${inPath(service)}`;
  const named: Question['query'] = ingress === '' ? [] : [['ingress', ingress]];
  const own = objectIn(know({ path: leaf, query: named }));
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

/** What both sides show, by which roots they know the other, and how they speak. */
function common(
  { certificate, key, roots }: Identity,
  tls_params: Message,
  more: Message = {},
): Message {
  const own = { certificate_chain: text(certificate), private_key: text(key) };
  return {
    tls_certificates: [own],
    validation_context: { trusted_ca: text(roots), ...more },
    ...(Object.keys(tls_params).length > 0 && { tls_params }),
  };
}

function text(inline_string: string): Message {
  return { inline_string };
}

/** For callers who bear a name that one of these matches; undefined for any of the mesh. */
export function serverTls(
  identity: Identity,
  params: Message,
  names: readonly Message[] | undefined,
): Message {
  const match_typed_subject_alt_names = names?.map((matcher) => ({ san_type: 'URI', matcher }));
  return socket({
    '@type': `${TLS}.DownstreamTlsContext`,
    common_tls_context: common(identity, params, names && { match_typed_subject_alt_names }),
    require_client_certificate: { value: true },
  });
}

/** A certificate that Envoy asks another service for, at a cluster that its own configuration has. */
export interface Secret {
  readonly cluster: string;
  readonly name: string;
}

function secretConfig({ cluster, name }: Secret): Message {
  const grpc_services = [{ envoy_grpc: { cluster_name: cluster }, timeout: { seconds: 5 } }];
  const api_config_source = { api_type: 'GRPC', transport_api_version: 'V3', grpc_services };
  return { name, sds_config: { api_config_source, resource_api_version: 'V3' } };
}

/** For callers from outside, who need no certificate. */
export function gatewayTls(
  identity: Identity,
  tls_params: Message,
  secret: Secret | undefined,
): Message {
  const own = { certificate_chain: text(identity.certificate), private_key: text(identity.key) };
  const shown =
    secret === undefined
      ? { tls_certificates: [own] }
      : { tls_certificate_sds_secret_configs: [secretConfig(secret)] };
  return socket({
    '@type': `${TLS}.DownstreamTlsContext`,
    common_tls_context: { ...shown, tls_params },
  });
}

/** Files on the gateway's machine; '' for none. */
export interface Origination {
  readonly authorities: string;
  readonly certificate: string;
  readonly key: string;
  readonly sni: string;
}

/** To a service outside the mesh, by its own authority and name. */
export function outsideTls({ authorities, certificate, key, sni }: Origination): Message {
  const isMutual = certificate !== '' && key !== '';
  const own = { certificate_chain: { filename: certificate }, private_key: { filename: key } };
  const named = [{ san_type: 'DNS', matcher: { exact: sni } }];
  return socket({
    '@type': `${TLS}.UpstreamTlsContext`,
    common_tls_context: {
      ...(isMutual && { tls_certificates: [own] }),
      validation_context: {
        trusted_ca: { filename: authorities },
        ...(sni !== '' && { match_typed_subject_alt_names: named }),
      },
    },
    ...(sni !== '' && { sni }),
  });
}

export interface Calling {
  readonly identity: Identity;
  readonly params: Message;
  readonly sni: string;
  /** Only these services are meant, whoever else has a certificate. */
  readonly uris: readonly string[];
}

export function clientTls({ identity, params, sni, uris }: Calling): Message {
  const names = uris.map((exact) => ({ san_type: 'URI', matcher: { exact } }));
  return socket({
    '@type': `${TLS}.UpstreamTlsContext`,
    common_tls_context: common(identity, params, { match_typed_subject_alt_names: names }),
    ...(sni !== '' && { sni }),
  });
}

function socket(typed_config: Message): Message {
  return { name: 'envoy.transport_sockets.tls', typed_config };
}
