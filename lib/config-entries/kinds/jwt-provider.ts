import type { ConfigEntryDefinition } from '../entry.ts';
import { duration, flag, list, maybe, text, texts, whole } from '../fields.ts';
import { firstFault, HEAD, type Kind, META } from '../kind.ts';

interface JwtProvider extends ConfigEntryDefinition {
  readonly JSONWebKeySet?: {
    readonly Local?: { readonly JWKS?: string; readonly Filename?: string };
    readonly Remote?: { readonly URI?: string };
  };
  readonly Locations?: readonly object[];
}

export const JWT_PROVIDER: Kind<JwtProvider> = {
  kind: 'jwt-provider',
  says: 'whose tokens intentions may ask for',
  changedBy: 'mesh',
  seenBy: 'mesh',
  fields: {
    ...HEAD,
    JSONWebKeySet: maybe({
      Local: maybe({ JWKS: text, Filename: text }),
      Remote: maybe({
        URI: text,
        RequestTimeoutMs: whole,
        CacheDuration: duration,
        FetchAsynchronously: flag,
        UseSNI: flag,
        RetryPolicy: maybe({
          NumRetries: whole,
          RetryPolicyBackOff: maybe({ BaseInterval: duration, MaxInterval: duration }),
        }),
        JWKSCluster: maybe({
          DiscoveryType: text,
          TLSCertificates: maybe({
            CaCertificateProviderInstance: maybe({ InstanceName: text, CertificateName: text }),
            TrustedCA: maybe({
              Filename: text,
              EnvironmentVariable: text,
              InlineString: text,
              InlineBytes: text,
            }),
          }),
          ConnectTimeout: duration,
        }),
      }),
    }),
    Audiences: texts,
    Locations: list({
      Header: maybe({ Name: text, ValuePrefix: text, Forward: flag }),
      QueryParam: maybe({ Name: text }),
      Cookie: maybe({ Name: text }),
    }),
    Issuer: text,
    ClockSkewSeconds: whole,
    Forwarding: maybe({ HeaderName: text, PadForwardPayloadHeader: flag }),
    CacheConfig: maybe({ Size: whole }),
    ...META,
  },
  fault: ({ Name, JSONWebKeySet, Locations }) => {
    if (Name === '') return 'Name is required';
    if (JSONWebKeySet === undefined) return 'JSONWebKeySet is required';
    return keySetFault(JSONWebKeySet) ?? firstFault(Locations ?? [], locationFault);
  },
};

function keySetFault({ Local, Remote }: NonNullable<JwtProvider['JSONWebKeySet']>) {
  if ((Local === undefined) === (Remote === undefined)) {
    return 'must specify exactly one of Local or Remote JSON Web key set';
  }
  if (Remote !== undefined) return URL.canParse(Remote.URI ?? '') ? undefined : 'URI is invalid';
  if ((Local?.JWKS === undefined) === (Local?.Filename === undefined)) {
    return 'must specify exactly one of String or filename for local keyset';
  }
  return undefined;
}

function locationFault(location: object): string | undefined {
  if (Object.keys(location).length === 1) return undefined;
  return 'must set exactly one of: JWT location header, query param or cookie';
}
