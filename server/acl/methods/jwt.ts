/** JSON Web Tokens of others: known by the keys of whoever signs them. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { ProconsulError } from '../../../lib/errors.ts';
import { areWellFormed, refuseClaims } from './claim-rules.ts';
import { CLAIM_FIELDS, type Claims, claimVariables, identityOf, refuseTwins } from './claims.ts';
import { hasCertificate, invalid, readConfig, type Values } from './config.ts';
import { refuseMalformed } from './jws.ts';
import type { Asking, MethodConfig, MethodType } from './method-type.ts';
import { discover, fetchKeys, type KeySet, RemoteKeys } from './remote-keys.ts';

const FIELDS = {
  JWTValidationPubKeys: 'texts',
  JWKSURL: 'text',
  JWKSCACert: 'text',
  OIDCDiscoveryURL: 'text',
  OIDCDiscoveryCACert: 'text',
  JWTSupportedAlgs: 'texts',
  BoundIssuer: 'text',
  BoundAudiences: 'texts',
  ClaimMappings: 'map',
  ListClaimMappings: 'map',
  ExpirationLeeway: 'duration',
  NotBeforeLeeway: 'duration',
  ClockSkewLeeway: 'duration',
} as const;
type JwtConfig = Values<typeof FIELDS>;

/** None that takes a secret, which public keys are not, and never `none`. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'EdDSA'],
];

export const jwt: MethodType = {
  fields: CLAIM_FIELDS,
  variables: (config) => claimVariables(readConfig(config, FIELDS)),
  async check(config, asking) {
    const read = readConfig(config, FIELDS);
    refuseSources(read);
    read.JWTValidationPubKeys.forEach(publicKey);
    refuseAlgorithms(read.JWTSupportedAlgs);
    refuseTwins(read);
    await refuseUnreachable(read, asking);
  },
  async login(config, bearer, asking) {
    if (bearer === '') throw new ProconsulError('rejected', 'missing jwt');
    const read = readConfig(config, FIELDS);
    const claims = await provenClaims(config, read, bearer, asking);
    const BoundIssuer = read.OIDCDiscoveryURL === '' ? read.BoundIssuer : '';
    refuseClaims(claims, { ...read, BoundIssuer }, asking.now());
    return identityOf(claims, read);
  },
};

function refuseSources(config: JwtConfig): void {
  const { JWTValidationPubKeys, JWKSURL, JWKSCACert } = config;
  const { OIDCDiscoveryURL, OIDCDiscoveryCACert } = config;
  const given = [JWTValidationPubKeys.length > 0, JWKSURL !== '', OIDCDiscoveryURL !== ''];
  if (given.filter(Boolean).length !== 1) {
    throw invalid(
      "exactly one of 'JWTValidationPubKeys', 'JWKSURL', or 'OIDCDiscoveryURL' must be set for type " +
        '"jwt"',
    );
  }
  if (JWKSCACert !== '' && JWKSURL === '') {
    throw invalid("'JWKSCACert' should not be set unless 'JWKSURL' is set");
  }
  if (OIDCDiscoveryCACert !== '' && OIDCDiscoveryURL === '') {
    throw invalid("'OIDCDiscoveryCACert' should not be set unless 'OIDCDiscoveryURL' is set");
  }
  for (const name of ['JWKSCACert', 'OIDCDiscoveryCACert'] as const) refuseCa(name, config[name]);
}

export function refuseCa(name: string, pem: string): void {
  if (pem === '' || hasCertificate(pem)) return;
  throw invalid(`error checking ${name}: could not parse CA PEM value successfully`);
}

export function refuseAlgorithms(names: readonly string[]): void {
  const unknown = names.find((name) => !ALGORITHMS.includes(name));
  if (unknown !== undefined) throw invalid(`Invalid supported algorithm: ${unknown}`);
}

async function refuseUnreachable(config: JwtConfig, asking: Asking): Promise<void> {
  const { JWKSURL, JWKSCACert, OIDCDiscoveryURL, OIDCDiscoveryCACert } = config;
  const failed = (name: string) => (cause: Error) => {
    throw invalid(`error checking ${name}: ${cause.message}`);
  };
  if (JWKSURL !== '') {
    await fetchKeys({ url: JWKSURL, ca: JWKSCACert }, asking).catch(failed('JWKSURL'));
  }
  if (OIDCDiscoveryURL !== '') {
    const provider = { url: OIDCDiscoveryURL, ca: OIDCDiscoveryCACert };
    await discover(provider, asking).catch(failed('OIDCDiscoveryURL'));
  }
}

/** A private key holds a public one too, but stands in no configuration. */
const PUBLIC = /-----BEGIN (?:PUBLIC KEY|RSA PUBLIC KEY|CERTIFICATE)-----/;
const KEY_TYPES = new Set(['rsa', 'ec', 'ed25519']);

function publicKey(pem: string, n: number): KeyObject {
  try {
    const key = PUBLIC.test(pem) ? createPublicKey(pem) : undefined;
    if (key !== undefined && KEY_TYPES.has(key.asymmetricKeyType ?? '')) return key;
  } catch {
    // Said below: what it holds is not for a text.
  }
  throw invalid(
    `error parsing public key JWTValidationPubKeys[${n}]: data does not contain any valid RSA, ` +
      'ECDSA, or ED25519 public keys',
  );
}

/** By a method's configuration, which never changes: another one has keys of its own. */
const REMOTE = new WeakMap<MethodConfig, RemoteKeys>();

function remoteKeys(config: MethodConfig, read: JwtConfig): RemoteKeys {
  const known = REMOTE.get(config);
  if (known !== undefined) return known;
  const { JWKSURL, JWKSCACert, OIDCDiscoveryURL, OIDCDiscoveryCACert } = read;
  const made = new RemoteKeys(async (asking) =>
    JWKSURL !== ''
      ? { url: JWKSURL, ca: JWKSCACert }
      : await discover({ url: OIDCDiscoveryURL, ca: OIDCDiscoveryCACert }, asking),
  );
  REMOTE.set(config, made);
  return made;
}

async function provenClaims(
  config: MethodConfig,
  read: JwtConfig,
  token: string,
  asking: Asking,
): Promise<Claims> {
  if (read.JWTValidationPubKeys.length > 0) return await byStaticKeys(read, token);
  const { OIDCDiscoveryURL: provider } = read;
  const opening = provider === '' ? 'error verifying token' : 'error validating signature';
  const failed = (why: string) => new ProconsulError('rejected', `${opening}: ${why}`);
  refuseMalformed(token, `${opening}: oidc: malformed jwt`);
  const issuer = unproven(token)['iss'] ?? '';
  if (provider !== '' && issuer !== provider) {
    const expected = `expected ${JSON.stringify(provider)} got ${JSON.stringify(issuer)}`;
    throw failed(`oidc: id token issued by a different provider, ${expected}`);
  }
  const keys = remoteKeys(config, read);
  const standard = provider === '' ? ALGORITHMS : ['RS256'];
  const algorithms = read.JWTSupportedAlgs.length > 0 ? read.JWTSupportedAlgs : standard;
  const current = await keys.current(asking);
  const payload =
    (await provenBy(current, token, algorithms)) ??
    (await provenBy(await keys.newer(asking), token, algorithms));
  if (payload === undefined) throw failed('failed to verify id token signature');
  const claims = claimsIn(payload);
  if (claims === undefined) throw failed('the claims are no JSON of the kind that they must be');
  return claims;
}

/** Whoever signed it is not known yet. */
function unproven(token: string): Claims {
  return claimsIn(Buffer.from(token.split('.')[1] ?? '', 'base64url')) ?? {};
}

async function byStaticKeys(read: JwtConfig, token: string): Promise<Claims> {
  refuseMalformed(token, 'error parsing token');
  const { compactVerify } = await import('jose');
  const { JWTSupportedAlgs } = read;
  const algorithms = JWTSupportedAlgs.length > 0 ? [...JWTSupportedAlgs] : ALGORITHMS;
  for (const key of read.JWTValidationPubKeys.map(publicKey)) {
    const payload = await compactVerify(token, key, { algorithms }).then(
      (verified) => verified.payload,
      () => undefined,
    );
    const claims = payload && claimsIn(payload);
    if (claims !== undefined) return claims;
  }
  throw new ProconsulError('rejected', 'no known key successfully validated the token signature');
}

/** Undefined where none of the keys signed it. */
async function provenBy(
  keys: KeySet | undefined,
  token: string,
  algorithms: readonly string[],
): Promise<Uint8Array | undefined> {
  if (keys === undefined) return undefined;
  const { compactVerify, errors } = await import('jose');
  const options = { algorithms: [...algorithms] };
  try {
    return (await compactVerify(token, keys, options)).payload;
  } catch (cause) {
    if (!(cause instanceof errors.JWKSMultipleMatchingKeys)) return undefined;
    // It does not say which of them signed it.
    for await (const key of cause) {
      const verified = await compactVerify(token, key, options).catch(() => undefined);
      if (verified !== undefined) return verified.payload;
    }
    return undefined;
  }
}

function claimsIn(payload: Uint8Array): Claims | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload).toString());
    const isObject = typeof claims === 'object' && claims !== null && !Array.isArray(claims);
    return isObject && areWellFormed(claims as Claims) ? (claims as Claims) : undefined;
  } catch {
    return undefined;
  }
}
