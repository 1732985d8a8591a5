/**
 * What a login by a browser must remember between going and coming back, in the `state` that goes
 * with it: sealed under a key of the client's secret, which the servers and the provider have alone.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  timingSafeEqual,
} from 'node:crypto';
import type { StringMap } from '../../../lib/model.ts';

export interface Remembered {
  readonly redirectUri: string;
  /** What whoever began it must know to end it. */
  readonly clientNonce: string;
  readonly meta: StringMap;
  readonly endsAt: number;
  /** No two are the same. */
  readonly randomId: string;
}

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

export class OidcState {
  readonly #secret: string;
  readonly #client: string;

  constructor(secret: string, client: string) {
    this.#secret = secret;
    this.#client = client;
  }

  seal(remembered: Remembered): string {
    const text = JSON.stringify(remembered);
    // Of a random id, so that it is another one each time.
    const iv = createHash('sha256').update(remembered.randomId).digest().subarray(0, IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key('state'), iv);
    const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** Undefined where it is none of ours, is too old, or was begun by somebody else. */
  open(
    state: string,
    { clientNonce, now }: { readonly clientNonce: string; readonly now: number },
  ): Remembered | undefined {
    const remembered = this.#opened(Buffer.from(state, 'base64url'));
    if (remembered === undefined || remembered.endsAt < now) return undefined;
    return isSame(remembered.clientNonce, clientNonce) ? remembered : undefined;
  }

  /** What the provider must show and be shown again: known to nobody who sees the state. */
  secretsOf(state: string): { readonly nonce: string; readonly verifier: string } {
    const of = (what: string) =>
      createHmac('sha256', this.#key(what)).update(state).digest('base64url');
    return { nonce: of('nonce'), verifier: of('verifier') };
  }

  #opened(bytes: Buffer): Remembered | undefined {
    if (bytes.length <= IV_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv(CIPHER, this.#key('state'), bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    try {
      const sealed = bytes.subarray(IV_BYTES + TAG_BYTES);
      const text = Buffer.concat([decipher.update(sealed), decipher.final()]).toString();
      return JSON.parse(text) as Remembered;
    } catch {
      return undefined;
    }
  }

  #key(what: string): Buffer {
    const info = `proconsul oidc ${what} ${this.#client}`;
    return Buffer.from(hkdfSync('sha256', this.#secret, '', info, KEY_BYTES));
  }
}

function isSame(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return x !== undefined && y !== undefined && timingSafeEqual(x, y);
}
