/**
 * Logging in: with a token, with what proves who somebody is, or at a provider of OpenID Connect, from where
 * the browser comes back to an address of the page.
 */
import { signal } from '@preact/signals';
import type { TokenInFull } from './access.ts';
import { ask } from './api.ts';
import { forgetDrafts } from './drafts.ts';
import { readJson, writeJson } from './exact-json.ts';
import { someoneLeaves, stay } from './left.ts';
import { Refusal } from './refusal.ts';
import { go, isOfPage, ownHref, pageAddress } from './router.ts';
import { CHOSEN_FORMS, stored } from './stored.ts';
import { setToken, token } from './token.ts';

/** What came of a login at a provider, where it is not done. */
export const comingBack = signal<'' | 'busy' | Error>('');

/** The method by which somebody last logged in here. */
export const lastMethod = stored('method');

interface Begun {
  readonly method: string;
  readonly nonce: string;
  readonly remembers: boolean;
  /** Where it was begun. */
  readonly from: string;
}

/** Of this tab: whoever did not begin it cannot end it. */
const begun = stored('login', 'session');
const CALLBACK = 'oidc/callback';

/** Where the browser comes back to: an operator allows it in the method. */
export const callbackAddress = location.origin + pageAddress(CALLBACK);

interface How {
  readonly remembers: boolean;
}

/** Rejects with a Refusal where nobody knows the token; then the page asks by the one before. */
export async function logInByToken(secret: string, how: How): Promise<void> {
  await ask<TokenInFull>('/v1/acl/token/self', { by: secret });
  setToken(secret, how);
}

export async function logInByProof(method: string, proof: string, how: How): Promise<void> {
  const body = { AuthMethod: method, BearerToken: proof };
  const { value } = await ask<TokenInFull>('/v1/acl/login', { method: 'POST', body, by: '' });
  lastMethod.write(method);
  setToken(value.SecretID, how);
}

/** Leaves the page. */
export async function logInByBrowser(method: string, { remembers }: How): Promise<void> {
  const nonce = newNonce();
  const body = { AuthMethod: method, RedirectURI: callbackAddress, ClientNonce: nonce };
  const { value } = await ask<{ AuthURL: string }>('/v1/acl/oidc/auth-url', {
    method: 'POST',
    body,
    by: '',
  });
  const { protocol } = new URL(value.AuthURL);
  // What a method names is an operator's word; a program is none of what it may name.
  if (!/^https?:$/.test(protocol)) throw new Refusal('refused', 0, value.AuthURL);
  lastMethod.write(method);
  const from = location.pathname + location.search;
  begun.write(writeJson({ method, nonce, remembers, from } satisfies Begun));
  location.assign(value.AuthURL);
}

/** Before anything is shown: what a provider sent back is taken out of the address at once. */
export function startLogin(): void {
  hearOthers();
  if (location.pathname !== pageAddress(CALLBACK)) return;
  const said = new URLSearchParams(location.search);
  const mine = read();
  begun.write('');
  go(mine?.from ?? ownHref('access'), { replaces: true });
  comingBack.value = 'busy';
  end(mine, said).then(
    () => {
      comingBack.value = '';
      leave();
    },
    (error: unknown) => {
      comingBack.value = error instanceof Error ? error : new Error(String(error));
    },
  );
}

/** Where somebody was refused before he logged in, back to there. */
export function leave(): void {
  const then = new URLSearchParams(location.search).get('then') ?? '';
  if (then !== '' && isOfPage(then)) go(then, { replaces: true });
}

async function end(mine: Begun | undefined, said: URLSearchParams): Promise<void> {
  // Somebody sent the address, or it was begun in another tab: what it says is nobody's whom we asked.
  if (mine === undefined) throw new Refusal('refused', 0, '');
  const refused = said.get('error_description') ?? said.get('error');
  if (refused !== null) throw new Refusal('refused', 0, refused);
  const { value } = await ask<TokenInFull>('/v1/acl/oidc/callback', {
    method: 'POST',
    by: '',
    body: {
      AuthMethod: mine.method,
      State: said.get('state') ?? '',
      Code: said.get('code') ?? '',
      ClientNonce: mine.nonce,
    },
  });
  setToken(value.SecretID, mine);
}

function read(): Begun | undefined {
  try {
    return readJson(begun.read()) as Begun;
  } catch {
    return undefined;
  }
}

/** A page without TLS has no UUIDs of its own, but on loopback. */
function newNonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Who logs out leaves nothing to whoever comes next: what any part of the page has kept goes with it. */
export function forgetToken(): void {
  const name = newNonce();
  someoneLeaves(name);
  others?.postMessage({ left: token.peek(), name } satisfies Left);
  // A window of the version before hears this.
  others?.postMessage(token.peek());
  leaveNothing();
}

function leaveNothing(): void {
  setToken('');
  forgetDrafts();
  stored(CHOSEN_FORMS).write('');
  location.reload();
}

/** What they are told: by which token somebody was here who left, and the name of that. */
interface Left {
  readonly left: string;
  readonly name: string;
}

/** The other tabs of this browser. */
let others: BroadcastChannel | undefined;

function hearOthers(): void {
  // A browser may keep what was left, with the token of then, for whoever goes back.
  addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
  others = new BroadcastChannel('proconsul.logout');
  others.addEventListener('message', ({ data }: MessageEvent<Left | string>) => {
    const { left, name } = typeof data === 'string' ? { left: data, name: undefined } : data;
    // The storage may not say it here yet.
    if (name !== undefined) stay(name);
    if (left !== '' && left === token.peek()) leaveNothing();
  });
}
