/** Roots of the mesh, as Consul's authority makes them, and those that were made elsewhere. */
import type { X509Certificate as NodeCertificate } from 'node:crypto';
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { identifiers, keyId, pem, publicDer, signingBy } from '../tls/x509.ts';
import { constructed, DerReader, TAG } from './der.ts';
import { domainUri } from './identity.ts';
import { asGoWrites, fingerprintOf, inPairs, readCertificate, readKey } from './keys.ts';
import type { Issuer, Validity } from './leaf.ts';
import { signatureOf } from './signed.ts';

export interface RootOptions {
  readonly privateKey: string;
  readonly commonName: string;
  readonly trustDomain: string;
  readonly serial: number;
  readonly validity: Validity;
}

export async function makeRoot(options: RootOptions): Promise<string> {
  const key = readKey(options.privateKey);
  const name = [{ CN: [options.commonName] }];
  const certificate = await X509CertificateGenerator.create({
    ...common(options),
    subject: name,
    issuer: name,
    publicKey: publicDer(key),
    ...(await signingBy(key)),
    extensions: [...authority(), ...identifiers(keyId(key), keyId(key)), uri(options.trustDomain)],
  });
  return pem(certificate);
}

/** Throws 'invalid' where its key does not sign here. */
export async function issuerOf(cert: string, privateKey: string): Promise<Issuer> {
  const key = readKey(privateKey);
  signatureOf(key);
  const read = readCertificate(cert);
  return { name: subjectOf(read.raw), keyId: keyIdOf(read), key };
}

/** What it says itself, which is what its leaves name it by: others reckon it in another way. */
function keyIdOf({ raw, publicKey }: NodeCertificate): string {
  const said = new X509Certificate(raw).getExtension(SubjectKeyIdentifierExtension)?.keyId;
  return said ?? keyId(publicKey);
}

/** Its bytes as they are: the library might write them in another way. */
function subjectOf(raw: Buffer): Buffer {
  const fields = new DerReader(raw).inside(TAG.sequence).inside(TAG.sequence);
  if (fields.isNext(constructed(0))) fields.next();
  fields.next(TAG.integer);
  // Its algorithm, its issuer and its days stand before it.
  for (let before = 0; before < 3; before++) fields.next(TAG.sequence);
  return fields.next(TAG.sequence).whole;
}

export interface CrossSignOptions {
  readonly by: Issuer;
  /** The root that is to be trusted by those who know the issuer alone. */
  readonly root: string;
  readonly trustDomain: string;
  readonly serial: number;
  readonly validity: Validity;
}

export async function crossSign(options: CrossSignOptions): Promise<string> {
  const { by, trustDomain } = options;
  const root = readCertificate(options.root);
  const certificate = await X509CertificateGenerator.create({
    ...common(options),
    subject: new X509Certificate(root.raw).subjectName,
    issuer: new Name(by.name),
    publicKey: publicDer(root.publicKey),
    ...(await signingBy(by.key)),
    extensions: [...authority(), ...identifiers(keyIdOf(root), by.keyId), uri(trustDomain)],
  });
  return pem(certificate);
}

/** What a client recognises it by. */
export interface CertificateFacts {
  readonly fingerprint: string;
  readonly signingKeyId: string;
  readonly from: string;
  readonly to: string;
}

/** Throws 'invalid' where the text is no certificate. */
export function factsOf(cert: string): CertificateFacts {
  const read = readCertificate(cert);
  return {
    fingerprint: fingerprintOf(cert),
    signingKeyId: inPairs(keyIdOf(read)),
    from: asGoWrites(read.validFrom),
    to: asGoWrites(read.validTo),
  };
}

function common({ serial, validity }: { serial: number; validity: Validity }) {
  return {
    serialNumber: inPairs(serial.toString(16)).replaceAll(':', ''),
    notBefore: new Date(validity.from),
    notAfter: new Date(validity.to),
  };
}

function authority() {
  return [
    new KeyUsagesExtension(
      KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
      true,
    ),
    new BasicConstraintsExtension(true, undefined, true),
  ];
}

function uri(trustDomain: string) {
  return new SubjectAlternativeNameExtension([{ type: 'url', value: domainUri(trustDomain) }]);
}
