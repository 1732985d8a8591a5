/**
 * Texts that are sealed: AES-256-GCM, with the id of the key in front. What a box is about (the
 * proposal, the place in a snapshot, the file) is bound to it: moved elsewhere it does not open.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { ProconsulError } from '../errors.ts';
import { KEY_ID_LENGTH, type Key } from './key.ts';

/** JSON never begins so. The digit is the format's. */
const MARK = '~1';
const BOX_AT = MARK.length + KEY_ID_LENGTH;
const ALGORITHM = 'aes-256-gcm';
const PREFIX_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAX_COUNT = 2 ** 32 - 1;

export function isSealed(text: string): boolean {
  return text.startsWith('~');
}

/** The id of the key that a sealed text names. */
export function keyIdOf(text: string): string {
  return text.slice(MARK.length, BOX_AT);
}

/**
 * Seals texts. A nonce is eight bytes of chance that are drawn once, and a counter: none comes twice
 * from here, and two that draw alike are as unlikely as docs/decisions/sealed-log.md says.
 */
export class Sealing {
  #nonce = randomNonce();
  #count = 0;

  seal(key: Key, plain: string | Buffer, about: string): string {
    if (this.#count === MAX_COUNT) {
      this.#nonce = randomNonce();
      this.#count = 0;
    }
    this.#nonce.writeUInt32BE(this.#count++, PREFIX_BYTES);
    const cipher = createCipheriv(ALGORITHM, key.secret, this.#nonce);
    cipher.setAAD(Buffer.from(about));
    const bytes = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain);
    cipher.final();
    const box = Buffer.allocUnsafe(NONCE_BYTES + bytes.length + TAG_BYTES);
    this.#nonce.copy(box);
    bytes.copy(box, NONCE_BYTES);
    cipher.getAuthTag().copy(box, NONCE_BYTES + bytes.length);
    return `${MARK}${key.id}${box.toString('base64')}`;
  }
}

function randomNonce(): Buffer {
  return Buffer.concat([randomBytes(PREFIX_BYTES)], NONCE_BYTES);
}

/**
 * Throws a ProconsulError that says why it does not open, and shows nothing of it: 'invalid' where the
 * key is missing, 'internal' where somebody else has had his hands in it.
 */
export function open(text: string, keys: ReadonlyMap<string, Key>, about: string): Buffer {
  if (!isSealed(text)) throw refused('it is not sealed');
  if (!text.startsWith(MARK)) throw refused('it is sealed by a later version');
  const id = keyIdOf(text);
  const key = keys.get(id);
  if (key === undefined) {
    const shown = /^[\w-]*$/.test(id) ? id : 'that has no id';
    const why = `it is sealed under the key ${shown}, which is not in this keyring (encrypt)`;
    throw new ProconsulError('invalid', why);
  }
  const plain = opened(key, Buffer.from(text.slice(BOX_AT), 'base64'), about);
  if (plain !== undefined) return plain;
  throw refused(`it does not open under the key ${id}: it was changed, forged or moved`);
}

function opened(key: Key, box: Buffer, about: string): Buffer | undefined {
  const end = box.length - TAG_BYTES;
  if (end < NONCE_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key.secret, box.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(about));
  decipher.setAuthTag(box.subarray(end));
  const plain = decipher.update(box.subarray(NONCE_BYTES, end));
  try {
    decipher.final();
  } catch {
    // The one error there is: the tag is not that of these bytes.
    return undefined;
  }
  return plain;
}

function refused(why: string): ProconsulError {
  return new ProconsulError('internal', why);
}
