/** Certificates and requests as a library makes them that is not ours: what is made here is held against it. */
import 'reflect-metadata';
import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { generateKey, type KeyPair, publicDer } from '../../lib/connect/keys.ts';
import type { LeafOptions } from '../../lib/connect/leaf.ts';
import { keyId, signingBy } from '../../lib/tls/x509.ts';

const USES =
  KeyUsageFlags.digitalSignature |
  KeyUsageFlags.keyEncipherment |
  KeyUsageFlags.dataEncipherment |
  KeyUsageFlags.keyAgreement;

export async function libraryLeaf(options: LeafOptions): Promise<string> {
  const { by, publicKey, commonName, serial, validity } = options;
  const hex = serial.toString(16);
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' });
  const certificate = await X509CertificateGenerator.create({
    serialNumber: hex.length % 2 === 0 ? hex : `0${hex}`,
    notBefore: new Date(validity.from),
    notAfter: new Date(validity.to),
    subject: [{ CN: [commonName] }],
    issuer: new Name(by.name),
    publicKey,
    ...(await signingBy(by.key)),
    extensions: [
      new KeyUsagesExtension(USES, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth]),
      new BasicConstraintsExtension(false, undefined, true),
      new SubjectKeyIdentifierExtension(keyId(key)),
      new AuthorityKeyIdentifierExtension(by.keyId),
      new SubjectAlternativeNameExtension([{ type: 'url', value: options.uri }]),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/** With these names in it. */
export async function libraryRequest(
  pair: KeyPair,
  names: JsonGeneralNames,
  algorithm: { readonly name: string; readonly hash: string; readonly namedCurve?: string },
): Promise<string> {
  const keys = await cryptoKeys(pair, algorithm);
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: { ...keys.privateKey.algorithm, hash: algorithm.hash },
    extensions: names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : [],
  });
  return `${request.toString('pem')}\n`;
}

async function cryptoKeys({ privateKey, publicKey }: KeyPair, algorithm: Algorithm) {
  const { subtle } = webcrypto;
  const [own, shown] = [der(privateKey, 'pkcs8'), der(publicKey, 'spki')];
  return {
    privateKey: await subtle.importKey('pkcs8', own, algorithm, false, ['sign']),
    publicKey: await subtle.importKey('spki', shown, algorithm, true, ['verify']),
  };
}

type Algorithm = Parameters<typeof libraryRequest>[2];

function der(key: KeyObject, type: 'pkcs8' | 'spki'): Buffer {
  return type === 'pkcs8'
    ? key.export({ type, format: 'der' })
    : key.export({ type, format: 'der' });
}

export interface GivenRoot {
  readonly publicKey: KeyObject;
  readonly from: number;
  readonly isAuthority?: boolean;
  readonly maySign?: boolean;
  /** As others reckon it, who do not as Consul does. */
  readonly keyId?: string;
}

const DAY_MS = 24 * 3600_000;

/** One that somebody brings. Who has signed it nobody looks at: keys of any kind are in it. */
export async function libraryRoot(given: GivenRoot): Promise<string> {
  const { publicKey, from, isAuthority = true, maySign = true } = given;
  const signer = createPrivateKey(await generateKey({ type: 'ec', bits: 256 }));
  const { keyCertSign, digitalSignature } = KeyUsageFlags;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: '01',
    notBefore: new Date(from),
    notAfter: new Date(from + 300 * DAY_MS),
    subject: 'CN=A root, O=of its own',
    issuer: 'CN=A root, O=of its own',
    publicKey: publicDer(publicKey),
    ...(await signingBy(signer)),
    extensions: [
      new KeyUsagesExtension(maySign ? keyCertSign : digitalSignature, true),
      new BasicConstraintsExtension(isAuthority, undefined, true),
      new SubjectKeyIdentifierExtension(given.keyId ?? '00112233445566778899'),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}
