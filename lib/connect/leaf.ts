/** Certificates of services, as Consul's authority makes them. */
import { createHash, type KeyObject } from 'node:crypto';
import { bare, constructed, der, integer, oid, sequence, TAG, time } from './der.ts';
import { alternativeName, criticalExtension, extension, signatureOf, signed } from './signed.ts';

/** A certificate that may sign, with its key, read once for all that it signs. */
export interface Issuer {
  /** As DER, as it is in its own certificate: who verifies compares the bytes. */
  readonly name: Buffer;
  readonly keyId: string;
  readonly key: KeyObject;
}

export interface Validity {
  readonly from: number;
  readonly to: number;
}

export interface LeafOptions {
  readonly by: Issuer;
  /** Whose certificate it is to be: the key as DER. */
  readonly publicKey: Buffer;
  readonly commonName: string;
  readonly uri: string;
  /** Names of DNS that it has beside its id. */
  readonly hosts?: readonly string[];
  readonly serial: number;
  readonly validity: Validity;
}

export function makeLeaf(options: LeafOptions): Promise<string> {
  const { by, publicKey, serial, validity } = options;
  const body = sequence(
    VERSION_3,
    integer(serial),
    signatureOf(by.key).identifier,
    by.name,
    sequence(time(validity.from), time(validity.to)),
    commonName(options.commonName),
    publicKey,
    der(
      constructed(3),
      sequence(
        USES,
        ...ROLES,
        extension(SUBJECT_KEY, der(TAG.octets, keyIdOf(publicKey))),
        extension(ISSUER_KEY, sequence(der(bare(0), Buffer.from(by.keyId, 'hex')))),
        alternativeName(options.uri, options.hosts),
      ),
    ),
  );
  return signed('CERTIFICATE', body, by.key);
}

const VERSION_3 = der(constructed(0), integer(2));
const SUBJECT_KEY = oid('2.5.29.14');
const ISSUER_KEY = oid('2.5.29.35');
const COMMON_NAME = oid('2.5.4.3');
/** Signs, and enciphers keys and data, and agrees on keys: five bits, the last three of the byte unused. */
const USES = criticalExtension(oid('2.5.29.15'), der(TAG.bits, Buffer.from([3, 0xb8])));
/** A client and a server, and no authority. */
const ROLES = [
  extension(oid('2.5.29.37'), sequence(oid('1.3.6.1.5.5.7.3.2'), oid('1.3.6.1.5.5.7.3.1'))),
  criticalExtension(oid('2.5.29.19'), sequence()),
];

/** As Consul, the SHA-256 of the public key. */
function keyIdOf(publicKey: Buffer): Buffer {
  return createHash('sha256').update(publicKey).digest();
}

const PRINTABLE = /^[A-Za-z0-9 '()+,./:=?-]*$/;

function commonName(text: string): Buffer {
  const tag = PRINTABLE.test(text) ? TAG.printable : TAG.utf8;
  return sequence(der(TAG.set, sequence(COMMON_NAME, der(tag, Buffer.from(text)))));
}
