/** What all certificates that are made here have in common, as Consul's own are made. */
import 'reflect-metadata';
import { createHash, createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  type Extension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
} from '@peculiar/x509';
import { ProconsulError } from '../errors.ts';

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

/** As Consul, the SHA-256 of the public key. */
export function keyId(key: KeyObject): string {
  return createHash('sha256').update(publicDer(key)).digest('hex');
}

export function identifiers(own: string, issuer: string): readonly Extension[] {
  return [new SubjectKeyIdentifierExtension(own), new AuthorityKeyIdentifierExtension(issuer)];
}

/** How somebody signs, as the library wants it. */
export interface Signing {
  readonly signingKey: webcrypto.CryptoKey;
  readonly signingAlgorithm: EcdsaOrRsa;
}

type EcdsaOrRsa = ReturnType<typeof algorithmOf>;

export async function signingBy(signer: KeyObject): Promise<Signing> {
  return { signingKey: await importPrivate(signer), signingAlgorithm: algorithmOf(signer) };
}

function importPrivate(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const der = key.export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, algorithmOf(key), false, ['sign']);
}

export function pem(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

export function publicDer(key: KeyObject): Buffer {
  const half = key.type === 'public' ? key : createPublicKey(key);
  return half.export({ type: 'spki', format: 'der' });
}

/** An authority may have been made elsewhere. */
function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) {
  const namedCurve = CURVES[asymmetricKeyDetails?.namedCurve ?? ''];
  if (namedCurve !== undefined) return { name: 'ECDSA', namedCurve, hash: 'SHA-256' };
  if (asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  throw new ProconsulError(
    'invalid',
    `an authority with a key of ${asymmetricKeyType} is not known`,
  );
}
