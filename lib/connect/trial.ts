/** Whether a root that was made elsewhere can vouch for services: tried before it is to. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { ProconsulError } from '../errors.ts';
import { readCertificate, readKey } from './keys.ts';
import { makeLeaf } from './leaf.ts';
import { makeRequest, readRequest } from './request.ts';

const SOMEBODY = 'spiffe://trial.consul/ns/default/dc/dc1/svc/trial';
const HOUR_MS = 3600_000;

/**
 * Throws 'rejected' where no service would have a certificate by it, or one that nobody believes. Then it
 * could not sign for another root that is to follow it either, and so would be the last one.
 */
export async function tryRoot(cert: string, privateKey: string, now: number): Promise<void> {
  const publicKey = await requestedBy(privateKey);
  // Loaded already where roots are made: see certificates() of the server.
  const { issuerOf } = await import('./certificates.ts');
  const leaf = await makeLeaf({
    by: await issuerOf(cert, privateKey),
    publicKey,
    commonName: 'trial',
    uri: SOMEBODY,
    serial: 1,
    validity: { from: now, to: now + HOUR_MS },
  });
  refuseUnbelievable(readCertificate(cert), new X509Certificate(leaf), now);
}

/** By its own key: those of services are of the same kind. */
async function requestedBy(privateKey: string): Promise<Buffer> {
  const key = readKey(privateKey);
  const pair = { privateKey: key, publicKey: createPublicKey(key) };
  try {
    return (await readRequest(await makeRequest(pair, SOMEBODY))).publicKey;
  } catch (cause) {
    const kinds = 'EC of 256, 384 or 521 bits, or RSA of 2048 bits or more';
    throw useless(`certificates are made by keys of other kinds: ${kinds}`, cause);
  }
}

function refuseUnbelievable(root: X509Certificate, leaf: X509Certificate, now: number): void {
  if (!root.ca) throw useless('the root certificate is not that of an authority');
  if (!leaf.checkIssued(root) || !leaf.verify(root.publicKey)) {
    throw useless('the root certificate may not vouch for others');
  }
  if (now < Date.parse(root.validFrom) || now >= Date.parse(root.validTo)) {
    throw useless(`the root certificate is valid from ${root.validFrom} to ${root.validTo}`);
  }
}

function useless(why: string, cause?: unknown): ProconsulError {
  return new ProconsulError('rejected', `error configuring provider: ${why}`, { cause });
}
