import type { ConfigEntryDefinition } from '../entry.ts';
import { always, text } from '../fields.ts';
import { HEAD, type Kind, META } from '../kind.ts';

export interface InlineCertificate extends ConfigEntryDefinition {
  readonly Certificate: string;
  readonly PrivateKey: string;
}

export const INLINE_CERTIFICATE: Kind<InlineCertificate> = {
  kind: 'inline-certificate',
  says: 'a certificate of an API gateway, with its key',
  changedBy: 'mesh',
  seenBy: 'mesh',
  secrets: ['PrivateKey'],
  fields: { ...HEAD, Certificate: always(text), PrivateKey: always(text), ...META },
  fault: ({ Name, Certificate, PrivateKey }) => {
    if (Name === '') return 'Name is required';
    if (!isPem(PrivateKey, 'PRIVATE KEY')) return 'failed to parse private key PEM';
    return isPem(Certificate, 'CERTIFICATE') ? undefined : 'failed to parse certificate PEM';
  },
};

function isPem(pem: string, what: string): boolean {
  const block = /-----BEGIN (?<name>[A-Z ]+)-----\s[A-Za-z0-9+/=\s]+-----END \k<name>-----/.exec(
    pem,
  );
  return block?.groups?.['name']?.endsWith(what) === true;
}
