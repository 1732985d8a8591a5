/**
 * People whom a provider of OpenID Connect knows: they go there with a browser and come back with a
 * code, for which the provider tells who they are. Nothing is kept in between, so that any server may
 * be asked for either half: what is needed of the first stands in `state`, under a key that only the
 * servers have. See docs/decisions/oidc-state.md.
 */
import type { Configuration } from 'openid-client';
import { ProconsulError } from '../../../lib/errors.ts';
import { areWellFormed, refuseAudience } from './claim-rules.ts';
import { CLAIM_FIELDS, type Claims, claimVariables, identityOf, refuseTwins } from './claims.ts';
import { invalid, readConfig, type Values } from './config.ts';
import { refuseAlgorithms, refuseCa } from './jwt.ts';
import type { Asking, Identity, MethodConfig, MethodType } from './method-type.ts';
import { OidcState, type Remembered } from './oidc-state.ts';
import { outboundFetch } from './outbound-fetch.ts';
import { discover } from './remote-keys.ts';

const FIELDS = {
  OIDCDiscoveryURL: 'text',
  OIDCDiscoveryCACert: 'text',
  OIDCClientID: 'text',
  OIDCClientSecret: 'text',
  OIDCScopes: 'texts',
  OIDCACRValues: 'texts',
  AllowedRedirectURIs: 'texts',
  JWTSupportedAlgs: 'texts',
  BoundAudiences: 'texts',
  ClaimMappings: 'map',
  ListClaimMappings: 'map',
  VerboseOIDCLogging: 'flag',
} as const;
type OidcConfig = Values<typeof FIELDS>;

export const oidc: MethodType = {
  fields: CLAIM_FIELDS,
  variables: (config) => claimVariables(readConfig(config, FIELDS)),
  async check(config, asking) {
    const read = readConfig(config, FIELDS);
    for (const name of ['OIDCDiscoveryURL', 'OIDCClientID', 'OIDCClientSecret'] as const) {
      if (read[name] === '') throw invalid(`'${name}' must be set for type "oidc"`);
    }
    if (read.AllowedRedirectURIs.length === 0) {
      throw invalid('\'AllowedRedirectURIs\' must be set for type "oidc"');
    }
    const bad = read.AllowedRedirectURIs.find((uri) => !URL.canParse(uri));
    if (bad !== undefined) throw invalid(`Invalid AllowedRedirectURIs provided: [${bad}]`);
    // It would write claims of people into the log.
    if (read.VerboseOIDCLogging) throw invalid("'VerboseOIDCLogging' is not to be had here");
    refuseAlgorithms(read.JWTSupportedAlgs);
    refuseTwins(read);
    refuseCa('OIDCDiscoveryCACert', read.OIDCDiscoveryCACert);
    const provider = { url: read.OIDCDiscoveryURL, ca: read.OIDCDiscoveryCACert };
    await discover(provider, asking).catch((cause: Error) => {
      throw invalid(`error checking OIDCDiscoveryURL: ${cause.message}`);
    });
  },
  login: () => {
    throw new ProconsulError(
      'rejected',
      'auth method type "oidc" is logged in to by a browser: see /v1/acl/oidc/auth-url',
    );
  },
};

export function isOidc(type: string): boolean {
  return type === 'oidc';
}

export interface AuthUrlRequest {
  readonly redirectUri: string;
  readonly clientNonce: string;
  readonly meta: Remembered['meta'];
  readonly randomId: string;
}

/** Where somebody's browser is to go. */
export async function authUrl(
  config: MethodConfig,
  request: AuthUrlRequest,
  asking: Asking,
): Promise<string> {
  const read = readConfig(config, FIELDS);
  const { redirectUri, clientNonce, meta, randomId } = request;
  if (!read.AllowedRedirectURIs.some((allowed) => isSameUri(allowed, redirectUri))) {
    throw new ProconsulError('rejected', `unauthorized redirect_uri: ${redirectUri}`);
  }
  const states = new OidcState(read.OIDCClientSecret, read.OIDCClientID);
  const endsAt = asking.now() + STATE_MS;
  const state = states.seal({ redirectUri, clientNonce, meta, randomId, endsAt });
  const client = await import('openid-client');
  const { nonce, verifier } = states.secretsOf(state);
  const url = client.buildAuthorizationUrl(await providerOf(read, asking), {
    redirect_uri: redirectUri,
    scope: [...new Set(['openid', ...read.OIDCScopes])].join(' '),
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...(read.OIDCACRValues.length > 0 && { acr_values: read.OIDCACRValues.join(' ') }),
  });
  return url.href;
}

/** How long somebody has to say who they are. */
const STATE_MS = 5 * 60_000;

/** A program on one's own machine takes whichever port is free (RFC 8252, 7.3). */
function isSameUri(allowed: string, given: string): boolean {
  if (allowed === given) return true;
  if (!URL.canParse(given)) return false;
  const [mine, theirs] = [new URL(allowed), new URL(given)];
  if (mine.protocol !== 'http:' || !LOOPBACK.has(mine.hostname)) return false;
  theirs.port = mine.port;
  return theirs.href === mine.href;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

export interface Callback {
  readonly state: string;
  readonly code: string;
  readonly clientNonce: string;
}

export interface CalledBack {
  readonly identity: Identity;
  readonly meta: Remembered['meta'];
}

/** Who came back, as the provider says for the code. */
export async function calledBack(
  config: MethodConfig,
  { state, code, clientNonce }: Callback,
  asking: Asking,
): Promise<CalledBack> {
  const read = readConfig(config, FIELDS);
  const states = new OidcState(read.OIDCClientSecret, read.OIDCClientID);
  const remembered = states.open(state, { clientNonce, now: asking.now() });
  if (remembered === undefined)
    throw new ProconsulError('rejected', 'Expired or missing OAuth state.');
  if (code === '') throw new ProconsulError('rejected', 'no code was provided');
  const claims = await claimsFor(read, { state, code, remembered, states }, asking);
  refuseAudience(claims, boundAudiences(read));
  return { identity: identityOf(claims, read), meta: remembered.meta };
}

/** The token is for us in any case; a method may ask for more. */
function boundAudiences({ BoundAudiences, OIDCClientID }: OidcConfig): readonly string[] {
  return BoundAudiences.length > 0 ? BoundAudiences : [OIDCClientID];
}

interface Exchange {
  readonly state: string;
  readonly code: string;
  readonly remembered: Remembered;
  readonly states: OidcState;
}

async function claimsFor(
  read: OidcConfig,
  { state, code, remembered, states }: Exchange,
  asking: Asking,
): Promise<Claims> {
  const client = await import('openid-client');
  const provider = await providerOf(read, asking);
  const { nonce, verifier } = states.secretsOf(state);
  const url = new URL(remembered.redirectUri);
  url.searchParams.set('code', code);
  url.searchParams.set('state', state);
  // Whoever calls back does not pass it on; that the code is of this provider, the state says.
  const { issuer, authorization_response_iss_parameter_supported: saysIssuer } =
    provider.serverMetadata();
  if (saysIssuer === true) url.searchParams.set('iss', issuer);
  try {
    const tokens = await client.authorizationCodeGrant(provider, url, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
    const claims = (tokens.claims() ?? {}) as Claims;
    if (!areWellFormed(claims)) throw new Error('claims of the wrong kind');
    return { ...(await userInfo(client, provider, tokens.access_token, claims)), ...claims };
  } catch (cause) {
    // What a library says of it may hold parts of answers.
    const why =
      (cause as { readonly error?: unknown }).error ?? (cause as { readonly code?: unknown }).code;
    const known = typeof why === 'string' && /^[\w-]{1,64}$/.test(why) ? `: ${why}` : '';
    throw new ProconsulError('rejected', `Error exchanging oidc code${known}`);
  }
}

/** More of the same person, where the provider tells it; without it what is known is enough. */
async function userInfo(
  client: typeof import('openid-client'),
  provider: Configuration,
  accessToken: string,
  { sub }: Claims,
): Promise<Claims> {
  if (provider.serverMetadata().userinfo_endpoint === undefined || typeof sub !== 'string')
    return {};
  return await client.fetchUserInfo(provider, accessToken, sub).then(
    (said) => said as Claims,
    () => ({}),
  );
}

async function providerOf(read: OidcConfig, asking: Asking): Promise<Configuration> {
  const client = await import('openid-client');
  const issuer = new URL(read.OIDCDiscoveryURL);
  const fetch = outboundFetch(asking, read.OIDCDiscoveryCACert);
  const [alg] = read.JWTSupportedAlgs;
  try {
    const provider = await client.discovery(
      issuer,
      read.OIDCClientID,
      {
        client_secret: read.OIDCClientSecret,
        ...(alg !== undefined && { id_token_signed_response_alg: alg }),
      },
      client.ClientSecretBasic(read.OIDCClientSecret),
      {
        [client.customFetch]: fetch,
        // Else it would leave out the signature, since TLS vouches for the provider.
        execute: [
          client.enableNonRepudiationChecks,
          ...(issuer.protocol === 'http:' ? [client.allowInsecureRequests] : []),
        ],
      },
    );
    provider[client.customFetch] = fetch;
    return provider;
  } catch {
    throw new ProconsulError('rejected', 'error getting OIDC provider');
  }
}
