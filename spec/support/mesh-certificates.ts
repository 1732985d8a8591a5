/** An authority of a mesh of a spec's own, and certificates by it, also such as no authority should make. */
import 'reflect-metadata';
import {
  type JsonGeneralNames,
  Name,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { issuerOf, makeRoot } from '../../lib/connect/certificates.ts';
import { generateKey, generatePair, keyPem, publicDer } from '../../lib/connect/keys.ts';
import { signingBy } from '../../lib/tls/x509.ts';

const DAY_MS = 24 * 3600_000;

export interface Shown {
  readonly cert: string;
  readonly key: string;
}

export async function meshAuthority(trustDomain = 'mesh.consul') {
  const now = Date.now();
  const validity = { from: now - 9 * DAY_MS, to: now + 9 * DAY_MS };
  const privateKey = await generateKey({ type: 'ec', bits: 256 });
  const root = await makeRoot({ privateKey, commonName: 'root', trustDomain, serial: 1, validity });
  const by = await issuerOf(root, privateKey);
  let serial = 1;
  /** `days` from now to its end; less than 0 for one that has ended. */
  const issue = async (names: JsonGeneralNames, days = 3): Promise<Shown> => {
    const pair = await generatePair({ type: 'ec', bits: 256 });
    serial++;
    const certificate = await X509CertificateGenerator.create({
      serialNumber: serial.toString(16).padStart(2, '0'),
      notBefore: new Date(now - 5 * DAY_MS),
      notAfter: new Date(now + days * DAY_MS),
      subject: [{ CN: ['web'] }],
      issuer: new Name(by.name),
      publicKey: publicDer(pair.publicKey),
      ...(await signingBy(by.key)),
      extensions: names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : [],
    });
    return { cert: certificate.toString('pem'), key: keyPem(pair.privateKey) };
  };
  const uriOf = (service: string) => `spiffe://${trustDomain}/ns/default/dc/dc1/svc/${service}`;
  const leaf = (service: string, days = 3) => issue([{ type: 'url', value: uriOf(service) }], days);
  return { root, issue, leaf, uriOf };
}
