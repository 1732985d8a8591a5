/** Requests for certificates of services (CSRs): agents write them, and a server reads whatever it is sent. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { ProconsulError } from '../errors.ts';
import { constructed, DerReader, der, integer, malformed, oid, sequence, TAG } from './der.ts';
import { type KeyPair, kindOf, publicDer } from './keys.ts';
import {
  ALTERNATIVE_NAME,
  alternativeName,
  isUri,
  NULL,
  SIGNATURES,
  type SignatureKind,
  signed,
  URI,
} from './signed.ts';

const LABEL = 'CERTIFICATE REQUEST';
const VERSION = integer(0);
const EXTENSIONS_WANTED = oid('1.2.840.113549.1.9.14');
const ATTRIBUTES = constructed(0);
const NOBODY = sequence();

/** Asks for a certificate of a key, for who is named by this URI. */
export function makeRequest({ privateKey, publicKey }: KeyPair, uri: string): Promise<string> {
  const wanted = der(TAG.set, sequence(alternativeName(uri)));
  const attributes = der(ATTRIBUTES, sequence(EXTENSIONS_WANTED, wanted));
  const body = sequence(VERSION, NOBODY, publicDer(publicKey), attributes);
  return signed(LABEL, body, privateKey);
}

/** Of the largest key that anybody uses, RSA's of 16,384 bits, it takes less. */
const MAX_REQUEST = 8 * 1024;
/** Shorter ones are broken. */
const MIN_RSA_BITS = 2048;

interface Certifiable {
  readonly key: SignatureKind['key'];
  /** What stands before it. */
  readonly identifier: Buffer;
  /** Of the key itself, where all are as long; a point of a curve is whole, which its first byte says. */
  readonly bytes?: number;
}

const EC = '1.2.840.10045.2.1';
const WHOLE_POINT = 0x04;
/** Keys that are certified; curves are named, and not described. */
const CERTIFIABLE: readonly Certifiable[] = [
  { key: 'ec', identifier: sequence(oid(EC), oid('1.2.840.10045.3.1.7')), bytes: 65 },
  { key: 'ec', identifier: sequence(oid(EC), oid('1.3.132.0.34')), bytes: 97 },
  { key: 'ec', identifier: sequence(oid(EC), oid('1.3.132.0.35')), bytes: 133 },
  { key: 'rsa', identifier: sequence(oid('1.2.840.113549.1.1.1'), NULL) },
  { key: 'ed25519', identifier: sequence(oid('1.3.101.112')), bytes: 32 },
];

export interface LeafRequest {
  /** As DER: the very bytes that the signature was verified by. */
  readonly publicKey: Buffer;
  readonly uri: string;
}

/** Throws 'invalid' where it is none, or whoever sends it does not have the key. */
export async function readRequest(text: string): Promise<LeafRequest> {
  const request = parsed(text);
  if (!(await isSigned(request))) {
    throw new ProconsulError('invalid', 'the signature of the CSR is not that of its key');
  }
  const [uri, ...more] = request.uris;
  if (uri === undefined || more.length > 0) {
    throw new ProconsulError('invalid', 'the CSR must have one URI in it');
  }
  const { type, bits } = kindOf(request.key);
  if (type === 'rsa' && bits < MIN_RSA_BITS) {
    throw new ProconsulError('invalid', `a key of RSA needs ${MIN_RSA_BITS} bits, and not ${bits}`);
  }
  return { publicKey: request.publicKey, uri };
}

interface Parsed {
  /** What is signed. */
  readonly body: Buffer;
  readonly publicKey: Buffer;
  readonly key: KeyObject;
  readonly signatureKind: SignatureKind;
  readonly signature: Buffer;
  readonly uris: readonly string[];
}

const verifyAside = promisify(
  (
    { body, key, signature, signatureKind }: Parsed,
    done: (error: Error | null, isTrue: boolean) => void,
  ) => verify(signatureKind.hash, body, { key, dsaEncoding: 'der' }, signature, done),
);

function isSigned(request: Parsed): Promise<boolean> {
  return verifyAside(request).catch(() => false);
}

function parsed(text: string): Parsed {
  try {
    return parse(derOf(text));
  } catch {
    throw new ProconsulError('invalid', 'no CSR can be read');
  }
}

const PEM =
  /^\s*-----BEGIN CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE REQUEST-----\s*$/;

function derOf(text: string): Buffer {
  if (text.length > MAX_REQUEST) throw malformed();
  const written = PEM.exec(text)?.[1]?.replace(/[\r\n]/g, '') ?? '';
  const bytes = Buffer.from(written, 'base64');
  // Node skips what it cannot read.
  if (bytes.toString('base64') !== written) throw malformed();
  return bytes;
}

function parse(bytes: Buffer): Parsed {
  const document = new DerReader(bytes);
  const outer = document.inside(TAG.sequence);
  document.end();
  const body = outer.next(TAG.sequence);
  const identifier = outer.next(TAG.sequence).whole;
  const signature = bytesOf(outer.next(TAG.bits).content);
  outer.end();
  const signatureKind = SIGNATURES.find((each) => each.identifier.equals(identifier));
  const fields = new DerReader(body.content);
  if (!fields.next(TAG.integer).whole.equals(VERSION)) throw malformed();
  // Who he says he is does not count, but for the URI.
  fields.next(TAG.sequence);
  const publicKey = fields.next(TAG.sequence).whole;
  const uris = urisOf(fields);
  if (signatureKind === undefined) throw malformed();
  const key = keyOf(publicKey, signatureKind);
  return { body: body.whole, publicKey, key, signatureKind, signature, uris };
}

/** Whole bytes alone. */
function bytesOf(content: Buffer): Buffer {
  if (content[0] !== 0) throw malformed();
  return content.subarray(1);
}

/** Throws where it is not of the kind that signs so, or is written in another way than all write it. */
function keyOf(publicKey: Buffer, signatureKind: SignatureKind): KeyObject {
  const fields = new DerReader(publicKey).inside(TAG.sequence);
  const identifier = fields.next(TAG.sequence).whole;
  const bytes = bytesOf(fields.next(TAG.bits).content);
  fields.end();
  const kind = CERTIFIABLE.find((each) => each.identifier.equals(identifier));
  if (kind?.key !== signatureKind.key) throw malformed();
  if (kind.bytes !== undefined && kind.bytes !== bytes.length) throw malformed();
  if (kind.key === 'ec' && bytes[0] !== WHOLE_POINT) throw malformed();
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' });
  if (kind.bytes === undefined && !publicDer(key).equals(publicKey)) throw malformed();
  return key;
}

/** Of all attributes. Where one of them is there twice, others might heed another one: it is refused. */
function urisOf(fields: DerReader): readonly string[] {
  if (fields.isAtEnd) return [];
  const attributes = fields.inside(ATTRIBUTES);
  fields.end();
  const wanted = valuesOf(attributes, EXTENSIONS_WANTED);
  if (wanted === undefined) return [];
  const set = wanted.inside(TAG.set);
  wanted.end();
  const extensions = set.inside(TAG.sequence);
  set.end();
  const given = valuesOf(extensions, ALTERNATIVE_NAME);
  if (given === undefined) return [];
  if (given.isNext(TAG.boolean)) given.next();
  const octets = given.inside(TAG.octets);
  given.end();
  const names = octets.inside(TAG.sequence);
  octets.end();
  const uris = [...names.rest()].filter(({ tag }) => tag === URI);
  return uris.map(({ content }) => content.toString('latin1')).map(checkedUri);
}

/** What stands behind the id, of the one element that has it. */
function valuesOf(list: DerReader, id: Buffer): DerReader | undefined {
  const all = [...list.rest(TAG.sequence)].map(({ content }) => new DerReader(content));
  const [found, ...more] = all.filter((each) => each.next(TAG.oid).whole.equals(id));
  if (more.length > 0) throw malformed();
  return found;
}

function checkedUri(uri: string): string {
  if (!isUri(uri)) throw malformed();
  return uri;
}
