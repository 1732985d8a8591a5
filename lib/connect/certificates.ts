/** The certificates of the mesh, as Consul's authority makes them. */
import 'reflect-metadata';
import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  type Name,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { ProconsulError } from '../errors.ts';
import {
  identifiers,
  keyId,
  keyPair,
  pem,
  publicDer,
  type Signing,
  signingBy,
} from '../tls/x509.ts';
import { domainUri } from './identity.ts';
import { asGoWrites, fingerprintOf, inPairs, kindOf, readCertificate, readKey } from './keys.ts';

/** A certificate that may sign, with its key, read once for all that it signs. */
export interface Issuer {
  readonly name: Name;
  readonly keyId: string;
  readonly signing: Signing;
}

export interface Validity {
  readonly from: number;
  readonly to: number;
}

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

export async function issuerOf(cert: string, privateKey: string): Promise<Issuer> {
  const key = readKey(privateKey);
  const read = new X509Certificate(readCertificate(cert).raw);
  return {
    name: read.subjectName,
    keyId: read.getExtension(SubjectKeyIdentifierExtension)?.keyId ?? keyId(key),
    signing: await signingBy(key),
  };
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
  const { publicKey, raw } = readCertificate(options.root);
  const certificate = await X509CertificateGenerator.create({
    ...common(options),
    subject: new X509Certificate(raw).subjectName,
    issuer: by.name,
    publicKey: publicDer(publicKey),
    ...by.signing,
    extensions: [...authority(), ...identifiers(keyId(publicKey), by.keyId), uri(trustDomain)],
  });
  return pem(certificate);
}

export interface LeafOptions {
  readonly by: Issuer;
  /** Whose certificate it is to be. */
  readonly publicKey: KeyObject;
  readonly commonName: string;
  readonly uri: string;
  readonly serial: number;
  readonly validity: Validity;
}

export async function makeLeaf(options: LeafOptions): Promise<string> {
  const { by, publicKey, commonName } = options;
  const certificate = await X509CertificateGenerator.create({
    ...common(options),
    subject: [{ CN: [commonName] }],
    issuer: by.name,
    publicKey: publicDer(publicKey),
    ...by.signing,
    extensions: [
      new KeyUsagesExtension(LEAF_USES, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth]),
      new BasicConstraintsExtension(false, undefined, true),
      ...identifiers(keyId(publicKey), by.keyId),
      new SubjectAlternativeNameExtension([{ type: 'url', value: options.uri }]),
    ],
  });
  return pem(certificate);
}

const LEAF_USES =
  KeyUsageFlags.digitalSignature |
  KeyUsageFlags.keyEncipherment |
  KeyUsageFlags.dataEncipherment |
  KeyUsageFlags.keyAgreement;

/** Asks for a certificate of a key, for who is named by this URI. */
export async function makeRequest(privateKey: string, value: string): Promise<string> {
  const keys = await keyPair(readKey(privateKey));
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: { ...keys.privateKey.algorithm, hash: 'SHA-256' },
    extensions: [new SubjectAlternativeNameExtension([{ type: 'url', value }])],
  });
  return `${request.toString('pem')}\n`;
}

/** Shorter ones are broken. */
const MIN_RSA_BITS = 2048;

export interface LeafRequest {
  readonly publicKey: KeyObject;
  readonly uri: string;
}

/** Throws 'invalid' where it is none, or whoever sends it does not have the key. */
export async function readRequest(text: string): Promise<LeafRequest> {
  const request = parsed(text);
  if (!(await request.verify().catch(() => false))) {
    throw new ProconsulError('invalid', 'the signature of the CSR is not that of its key');
  }
  const given = request.extensions.find(isAlternativeName);
  const names = given?.names.items ?? [];
  const [uri, ...more] = names.filter(({ type }) => type === 'url').map(({ value }) => value);
  if (uri === undefined || more.length > 0) {
    throw new ProconsulError('invalid', 'the CSR must have one URI in it');
  }
  const der = Buffer.from(request.publicKey.rawData);
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const { type, bits } = kindOf(publicKey);
  if (type === 'rsa' && bits < MIN_RSA_BITS) {
    throw new ProconsulError('invalid', `a key of RSA needs ${MIN_RSA_BITS} bits, and not ${bits}`);
  }
  return { publicKey, uri };
}

function isAlternativeName(extension: Extension): extension is SubjectAlternativeNameExtension {
  return extension instanceof SubjectAlternativeNameExtension;
}

function parsed(text: string): Pkcs10CertificateRequest {
  try {
    return new Pkcs10CertificateRequest(text);
  } catch {
    throw new ProconsulError('invalid', 'no CSR can be read');
  }
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
  const id = new X509Certificate(read.raw).getExtension(SubjectKeyIdentifierExtension)?.keyId;
  return {
    fingerprint: fingerprintOf(cert),
    signingKeyId: inPairs(id ?? keyId(read.publicKey)),
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
