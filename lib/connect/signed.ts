/** What certificates of services and requests for them have in common: who signs how, and the URI in them. */
import { type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { ProconsulError } from '../errors.ts';
import { bare, bits, der, oid, sequence, TAG } from './der.ts';

/** For no parameters, where something is to stand. */
export const NULL = Buffer.from([0x05, 0x00]);

const ECDSA = '1.2.840.10045.4.3';
const RSA = '1.2.840.113549.1.1';

export interface SignatureKind {
  readonly key: 'ec' | 'rsa' | 'ed25519';
  /** Null where the signature has a hash of its own. */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null;
  /** As it stands in what is signed. */
  readonly identifier: Buffer;
}

const ECDSA_SHA256: SignatureKind = {
  key: 'ec',
  hash: 'sha256',
  identifier: sequence(oid(`${ECDSA}.2`)),
};
const RSA_SHA256: SignatureKind = {
  key: 'rsa',
  hash: 'sha256',
  identifier: sequence(oid(`${RSA}.11`), NULL),
};

/** Those that are taken. SHA-1 is not: others can make two texts of one hash. */
export const SIGNATURES: readonly SignatureKind[] = [
  ECDSA_SHA256,
  { key: 'ec', hash: 'sha384', identifier: sequence(oid(`${ECDSA}.3`)) },
  { key: 'ec', hash: 'sha512', identifier: sequence(oid(`${ECDSA}.4`)) },
  RSA_SHA256,
  { key: 'rsa', hash: 'sha384', identifier: sequence(oid(`${RSA}.12`), NULL) },
  { key: 'rsa', hash: 'sha512', identifier: sequence(oid(`${RSA}.13`), NULL) },
  { key: 'ed25519', hash: null, identifier: sequence(oid('1.3.101.112')) },
];

/** How a key of this kind signs here. */
export function signatureOf({ asymmetricKeyType: type }: KeyObject): SignatureKind {
  if (type === 'ec') return ECDSA_SHA256;
  if (type === 'rsa') return RSA_SHA256;
  throw new ProconsulError('invalid', `a key of ${type} does not sign here`);
}

/** In a thread of its own: a long key takes milliseconds. */
const signAside = promisify(
  (
    hash: string | null,
    bytes: Buffer,
    key: KeyObject,
    done: (error: Error | null, signature: Buffer) => void,
  ) => sign(hash, bytes, { key, dsaEncoding: 'der' }, done),
);

/** As PEM: what is signed, how, and the signature. */
export async function signed(label: string, body: Buffer, key: KeyObject): Promise<string> {
  const { hash, identifier } = signatureOf(key);
  const signature = await signAside(hash, body, key);
  return pem(label, sequence(body, identifier, bits(signature)));
}

const LINE = /.{1,64}/g;

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(LINE) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

const CRITICAL = der(TAG.boolean, Buffer.from([0xff]));

export function extension(id: Buffer, value: Buffer): Buffer {
  return sequence(id, der(TAG.octets, value));
}

/** Whoever does not know it refuses the certificate. */
export function criticalExtension(id: Buffer, value: Buffer): Buffer {
  return sequence(id, CRITICAL, der(TAG.octets, value));
}

export const ALTERNATIVE_NAME = oid('2.5.29.17');
export const URI = bare(6);
const DNS = bare(2);
const URI_CHARACTERS = /^[\x21-\x7e]+$/;

/** With names of DNS in front. Throws 'invalid' for what would be another one where it is read. */
export function alternativeName(uri: string, hosts: readonly string[] = []): Buffer {
  if (![uri, ...hosts].every(isUri)) {
    throw new ProconsulError('invalid', 'a URI in a certificate is ASCII, and so is a host');
  }
  const named = hosts.map((host) => der(DNS, Buffer.from(host)));
  return extension(ALTERNATIVE_NAME, sequence(...named, der(URI, Buffer.from(uri))));
}

export function isUri(text: string): boolean {
  return URI_CHARACTERS.test(text);
}
