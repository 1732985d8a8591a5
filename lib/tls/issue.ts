/** Makes authorities and the certificates that they vouch for, as Consul's own are made. */
import 'reflect-metadata';
import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate as NodeCertificate,
  randomBytes,
} from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { ProconsulError } from '../errors.ts';
import { identifiers, keyId, pem, publicDer, signingBy } from './x509.ts';

/** A certificate and its key, as PEM texts. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Lifetime {
  readonly days: number;
  readonly now: number;
}

export interface AuthorityOptions extends Lifetime {
  /** Only for names beneath these may it vouch; empty for all. */
  readonly permitted?: readonly string[];
}

export interface CertificateOptions extends Lifetime {
  readonly authority: Pair;
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  readonly ips: readonly string[];
  /** What it is good for, in this order; empty where it does not say. */
  readonly usages: readonly ('server' | 'client')[];
}

const DAY_MS = 24 * 3600_000;
const CURVE = 'P-256';
const NAME_CONSTRAINTS = '2.5.29.30';
/** Tags of DER: a sequence, the list of what is permitted, and the name of a host in it. */
const SEQUENCE = 0x30;
const PERMITTED = 0xa0;
const DNS_NAME = 0x82;

export async function createAuthority(options: AuthorityOptions): Promise<Pair> {
  const { permitted = [] } = options;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: CURVE });
  const serial = serialNumber();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial.toString('hex'),
    subject: authorityName(serial),
    issuer: authorityName(serial),
    ...validity(options),
    publicKey: publicDer(privateKey),
    ...(await signingBy(privateKey)),
    extensions: [
      new KeyUsagesExtension(
        KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
        true,
      ),
      new BasicConstraintsExtension(true, undefined, true),
      ...identifiers(keyId(privateKey), keyId(privateKey)),
      ...(permitted.length === 0 ? [] : [nameConstraints(permitted)]),
    ],
  });
  return { cert: pem(certificate), key: sec1(privateKey) };
}

/**
 * Throws ProconsulError 'invalid' where the authority's certificate and key are none or no pair, and
 * where it may not vouch for a name.
 */
export async function issueCertificate(options: CertificateOptions): Promise<Pair> {
  const { authority, commonName, dnsNames, ips, usages } = options;
  const { issuer, issuerKey } = read(authority);
  const permitted = attempt('its name constraints cannot be read', () => permittedNames(issuer));
  refuseForbidden(dnsNames, permitted);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: CURVE });
  const names = [
    ...dnsNames.map((value) => ({ type: 'dns', value }) as const),
    ...ips.map((value) => ({ type: 'ip', value }) as const),
  ];
  const issuerId = issuer.getExtension(SubjectKeyIdentifierExtension)?.keyId;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber().toString('hex'),
    subject: [{ CN: [commonName] }],
    issuer: issuer.subjectName,
    ...validity(options),
    publicKey: publicDer(privateKey),
    ...(await signingBy(issuerKey)),
    extensions: [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
      ...(usages.length === 0 ? [] : [new ExtendedKeyUsageExtension(usages.map(usage))]),
      new BasicConstraintsExtension(false, undefined, true),
      ...identifiers(keyId(privateKey), issuerId ?? keyId(issuerKey)),
      new SubjectAlternativeNameExtension(names),
    ],
  });
  return { cert: pem(certificate), key: sec1(privateKey) };
}

function read({ cert, key }: Pair): { issuer: X509Certificate; issuerKey: KeyObject } {
  const issuerKey = attempt('no private key can be read', () => createPrivateKey(key));
  const known = attempt('no certificate can be read', () => new NodeCertificate(cert));
  if (!known.checkPrivateKey(issuerKey)) {
    throw new ProconsulError('invalid', "the key is not that of the authority's certificate");
  }
  return { issuer: new X509Certificate(known.raw), issuerKey };
}

/** What was given is not repeated: it may be a key. */
function attempt<T>(fault: string, act: () => T): T {
  try {
    return act();
  } catch {
    throw new ProconsulError('invalid', fault);
  }
}

/** Consul's, down to the street: tools that look at the subject find what they know. */
function authorityName(serial: Buffer) {
  return [
    { C: ['US'] },
    { ST: ['CA'] },
    { L: ['San Francisco'] },
    { '2.5.4.9': ['101 Second Street'] },
    { '2.5.4.17': ['94105'] },
    { O: ['HashiCorp Inc.'] },
    { CN: [`Consul Agent CA ${BigInt(`0x${serial.toString('hex')}`)}`] },
  ];
}

/** Positive, and as long as it may be without a byte more in front. */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

function validity({ days, now }: Lifetime) {
  return { notBefore: new Date(now), notAfter: new Date(now + days * DAY_MS) };
}

function usage(name: 'server' | 'client'): ExtendedKeyUsage {
  return name === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth;
}

function nameConstraints(names: readonly string[]): Extension {
  const permitted = names.map((name) => der(SEQUENCE, der(DNS_NAME, Buffer.from(name))));
  return new Extension(NAME_CONSTRAINTS, true, der(SEQUENCE, der(PERMITTED, ...permitted)));
}

/** The names beneath which an authority may vouch; none where it may for all. */
function permittedNames(issuer: X509Certificate): readonly string[] {
  const extension = issuer.getExtension(NAME_CONSTRAINTS);
  if (extension === null) return [];
  const within = (bytes: Buffer): readonly string[] =>
    valuesIn(bytes).flatMap(({ tag, body }) => {
      if (tag === DNS_NAME) return [body.toString()];
      return tag === SEQUENCE || tag === PERMITTED ? within(body) : [];
    });
  return within(Buffer.from(extension.value));
}

/** In Go's words: nobody would trust the certificate. */
function refuseForbidden(names: readonly string[], permitted: readonly string[]): void {
  const isPermitted = (name: string) =>
    permitted.some((base) => name === base || name.endsWith(`.${base.replace(/^\./, '')}`));
  const wrong = permitted.length === 0 ? undefined : names.find((name) => !isPermitted(name));
  if (wrong === undefined) return;
  throw new ProconsulError(
    'invalid',
    'x509: a root or intermediate certificate is not authorized to sign for this name: ' +
      `DNS name "${wrong}" is not permitted by any constraint`,
  );
}

/** The values that stand one behind the other. */
function valuesIn(bytes: Buffer): readonly { readonly tag: number; readonly body: Buffer }[] {
  const values: { tag: number; body: Buffer }[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const [tag = 0, short = 0] = bytes.subarray(at, at + 2);
    const size = short < 128 ? 0 : short - 128;
    const length = size === 0 ? short : bytes.readUIntBE(at + 2, size);
    const start = at + 2 + size;
    values.push({ tag, body: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return values;
}

/** One value of DER of less than 64 KB. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? [length] : long)]), body]);
}

function sec1(key: KeyObject): string {
  return key.export({ type: 'sec1', format: 'pem' }).toString();
}
