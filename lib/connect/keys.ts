/** Keys and certificates as Node reads them by itself, for those who make none. */
import {
  createHash,
  createPrivateKey,
  generateKeyPair,
  type KeyObject,
  X509Certificate as NodeCertificate,
} from 'node:crypto';
import { promisify } from 'node:util';
import { ProconsulError } from '../errors.ts';

export type KeyType = 'ec' | 'rsa';

export interface KeyKind {
  readonly type: KeyType;
  readonly bits: number;
}

const CURVE_OF_BITS: Readonly<Record<number, string>> = {
  224: 'P-224',
  256: 'P-256',
  384: 'P-384',
  521: 'P-521',
};

const generate = promisify(generateKeyPair);

/** As PEM. */
export async function generateKey(kind: KeyKind): Promise<string> {
  return keyPem((await generatePair(kind)).privateKey);
}

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function generatePair({ type, bits }: KeyKind): Promise<KeyPair> {
  if (type === 'rsa') return generate('rsa', { modulusLength: bits });
  return generate('ec', { namedCurve: CURVE_OF_BITS[bits] ?? 'P-256' });
}

export function keyPem(privateKey: KeyObject): string {
  const type = privateKey.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'sec1';
  return privateKey.export({ type, format: 'pem' }).toString();
}

/** Throws 'invalid' where it is none, without a word of what it was. */
export function readKey(privateKey: string): KeyObject {
  try {
    return createPrivateKey(privateKey);
  } catch {
    throw new ProconsulError('invalid', 'the private key cannot be read');
  }
}

/** As certificates have it. */
export function publicDer(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

export function kindOf(key: KeyObject): KeyKind {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  if (asymmetricKeyType === 'rsa') {
    return { type: 'rsa', bits: asymmetricKeyDetails?.modulusLength ?? 0 };
  }
  const digits = /\d+/.exec(asymmetricKeyDetails?.namedCurve ?? '')?.[0];
  return { type: 'ec', bits: Number(digits ?? 0) };
}

/** Whether the certificate is one of that key. */
export function isPair(cert: string, key: KeyObject): boolean {
  try {
    return new NodeCertificate(cert).checkPrivateKey(key);
  } catch {
    return false;
  }
}

export function readCertificate(cert: string): NodeCertificate {
  try {
    return new NodeCertificate(cert);
  } catch {
    throw new ProconsulError('invalid', 'no certificate can be read');
  }
}

/** By which a root is named. */
export function fingerprintOf(cert: string): string {
  return readCertificate(cert).fingerprint.toLowerCase();
}

/** Tells one order for a root from another, as Consul does in its archives: by what was given with it. */
export function madeOf({ privateKey, rootCert }: Given): string {
  const text = `${privateKey},${rootCert},true`;
  return inPairs(createHash('sha256').update(text).digest('hex'));
}

interface Given {
  /** '' where it is to be made. */
  readonly privateKey: string;
  readonly rootCert: string;
}

/** 0a:1b. */
export function inPairs(hex: string): string {
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return even.replace(/..(?!$)/g, '$&:');
}

/** To the second. */
export function asGoWrites(time: string | number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}
