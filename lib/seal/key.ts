/** A key of `encrypt`, as Consul writes it: 16, 24 or 32 bytes in base64. */
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { ProconsulError } from '../errors.ts';

export interface Key {
  /** Says which key it is, and nothing else of it: it stands in front of whatever is sealed under it. */
  readonly id: string;
  /** As it was given. A secret: it goes to the keyring's file and routes, and nowhere else. */
  readonly text: string;
  readonly secret: KeyObject;
}

export const KEY_ID_LENGTH = 8;
const SIZES: readonly number[] = [16, 24, 32];

/** Throws in Consul's words, which show nothing of the key. */
export function parseKey(text: string): Key {
  const complaint = keyComplaint(text);
  if (complaint !== undefined) throw new ProconsulError('rejected', complaint);
  const bytes = Buffer.from(text, 'base64');
  if (!SIZES.includes(bytes.length)) {
    throw new ProconsulError('rejected', 'key size must be 16, 24 or 32 bytes');
  }
  const derive = (use: string, length: number) =>
    Buffer.from(hkdfSync('sha256', bytes, '', `proconsul seal 1 ${use}`, length));
  // Derived whatever its size: AES gets its 32 bytes, and the id has nothing to do with them.
  const secret = createSecretKey(derive('key', 32));
  const id = derive('id', 6).toString('base64url');
  return { id, text: bytes.toString('base64'), secret };
}

const DIGIT = /[A-Za-z0-9+/]/;

/** What Go's decoder would say of text that is no base64; undefined where it is. */
export function keyComplaint(text: string): string | undefined {
  const illegal = (at: number) => `illegal base64 data at input byte ${at}`;
  // As Go does: a group that is not whole is wrong from its beginning on.
  const body = text.replace(/={1,2}$/, '');
  const wrong = [...body].findIndex((digit) => !DIGIT.test(digit));
  if (wrong >= 0) return illegal(wrong);
  if (text.length % 4 === 0) return undefined;
  return illegal(text.length - body.length > 0 ? text.length : body.length - (body.length % 4));
}
