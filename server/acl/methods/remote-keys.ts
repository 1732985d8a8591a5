/** Public keys that somebody else publishes: fetched when they are needed, and kept for a while. */
import type { createLocalJWKSet } from 'jose';
import { ProconsulError } from '../../../lib/errors.ts';
import { decodeJson } from '../../../lib/json.ts';
import type { Asking } from './method-type.ts';

/** A key that is taken back counts no longer than this. */
const KEPT_MS = 10 * 60_000;
/** Strangers' tokens of unknown keys make us ask again no more often. */
const COOLDOWN_MS = 30_000;

export type KeySet = ReturnType<typeof createLocalJWKSet>;

export interface Published {
  readonly url: string;
  readonly ca: string;
}

export class RemoteKeys {
  readonly #locate: (asking: Asking) => Promise<Published>;
  #kept: { readonly keys: KeySet; readonly at: number } | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #underWay: Promise<KeySet> | undefined;

  constructor(locate: (asking: Asking) => Promise<Published>) {
    this.#locate = locate;
  }

  async current(asking: Asking): Promise<KeySet> {
    const kept = this.#kept;
    if (kept !== undefined && asking.now() - kept.at < KEPT_MS) return kept.keys;
    return await this.#fetch(asking);
  }

  /** After a token of a key that is not among them; undefined when that was looked for just now. */
  async newer(asking: Asking): Promise<KeySet | undefined> {
    if (asking.now() - this.#triedAt < COOLDOWN_MS) return undefined;
    return await this.#fetch(asking);
  }

  /** Whoever needs them at the same time waits for the same answer. */
  #fetch(asking: Asking): Promise<KeySet> {
    this.#underWay ??= this.#ask(asking).finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #ask(asking: Asking): Promise<KeySet> {
    this.#triedAt = asking.now();
    // Others may wait for it too: it does not end with whoever began it.
    const signal = new AbortController().signal;
    const keys = await fetchKeys(await this.#locate({ ...asking, signal }), { ...asking, signal });
    this.#kept = { keys, at: asking.now() };
    return keys;
  }
}

export async function fetchKeys(published: Published, asking: Asking): Promise<KeySet> {
  const said = await fetchJson(published, asking).catch((cause: Error) => {
    throw new ProconsulError('rejected', `fetching keys oidc: get keys failed ${cause.message}`);
  });
  const { keys } = said as { readonly keys?: unknown };
  const { createLocalJWKSet } = await import('jose');
  try {
    return createLocalJWKSet({ keys: Array.isArray(keys) ? keys : [] });
  } catch {
    throw new ProconsulError('rejected', 'fetching keys oidc: failed to decode keys');
  }
}

async function fetchJson({ url, ca }: Published, asking: Asking): Promise<object> {
  const { status, body } = await asking.outbound.send({ method: 'GET', url, ca }, asking.signal);
  if (status !== 200) throw new ProconsulError('rejected', `status ${status}`);
  const value = parse(body);
  if (typeof value === 'object' && value !== null) return value;
  throw new ProconsulError('rejected', 'what came is no JSON object');
}

function parse(body: Buffer): unknown {
  try {
    return decodeJson(body.toString());
  } catch {
    return undefined;
  }
}

/** Where a provider of OpenID Connect publishes what it has; it must know itself by the same name. */
export async function discover({ url, ca }: Published, asking: Asking): Promise<Published> {
  const at = `${url.replace(/\/+$/, '')}/.well-known/openid-configuration`;
  const said = await fetchJson({ url: at, ca }, asking);
  const { issuer, jwks_uri: keysUrl } = said as {
    readonly issuer?: unknown;
    readonly jwks_uri?: unknown;
  };
  if (issuer !== url) {
    const expected = `expected ${JSON.stringify(url)} got ${JSON.stringify(issuer ?? '')}`;
    throw new ProconsulError(
      'rejected',
      `oidc: issuer did not match the issuer returned by provider, ${expected}`,
    );
  }
  if (typeof keysUrl !== 'string') throw new ProconsulError('rejected', 'oidc: no jwks_uri');
  if (url.startsWith('https:') && !keysUrl.startsWith('https:')) {
    throw new ProconsulError('rejected', 'oidc: jwks_uri is not of https');
  }
  return { url: keysUrl, ca };
}
