import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { crossSign, factsOf, issuerOf, makeRoot } from '../../../lib/connect/certificates.ts';
import { generateKey, generatePair, isPair, kindOf, readKey } from '../../../lib/connect/keys.ts';
import { makeLeaf } from '../../../lib/connect/leaf.ts';
import { makeRequest, readRequest } from '../../../lib/connect/request.ts';
import { complaintOfOpenssl } from '../../support/openssl.ts';

const DAY_MS = 24 * 3600_000;
const NOW = Date.UTC(2026, 10, 25);
const DOMAIN = '11111111-2222-3333-4444-555555555555.consul';
const WEB = `spiffe://${DOMAIN}/ns/default/dc/dc1/svc/web`;
const validity = { from: NOW, to: NOW + 30 * DAY_MS };

async function root(kind: Parameters<typeof generateKey>[0], serial: number) {
  const privateKey = await generateKey(kind);
  const commonName = `pri-${serial}.consul.ca.11111111.consul`;
  const cert = await makeRoot({ privateKey, commonName, trustDomain: DOMAIN, serial, validity });
  return { privateKey, cert, issuer: await issuerOf(cert, privateKey) };
}

async function leafBy(by: Awaited<ReturnType<typeof issuerOf>>) {
  const pair = await generatePair({ type: 'ec', bits: 256 });
  const { publicKey, uri } = await readRequest(await makeRequest(pair, WEB));
  return makeLeaf({ by, publicKey, uri, commonName: 'web.svc', serial: 300, validity });
}

describe('certificates of the mesh', () => {
  for (const kind of [
    { type: 'ec', bits: 256 },
    { type: 'ec', bits: 384 },
    { type: 'rsa', bits: 2048 },
  ] as const) {
    it(`are verified by openssl with a root of ${kind.type} ${kind.bits}`, async () => {
      const { cert, privateKey, issuer } = await root(kind, 7);
      const chain = await leafBy(issuer);
      assert.equal(await complaintOfOpenssl({ roots: [cert], chain, at: NOW + DAY_MS }), '');
      assert.deepEqual(kindOf(readKey(privateKey)), kind);
      assert.ok(isPair(cert, readKey(privateKey)));
    });
  }

  it('are trusted by whoever knows the root before alone, through the cross-signed one', async () => {
    const [old, next] = [
      await root({ type: 'ec', bits: 256 }, 7),
      await root({ type: 'ec', bits: 256 }, 8),
    ];
    const cross = await crossSign({
      by: old.issuer,
      root: next.cert,
      trustDomain: DOMAIN,
      serial: 9,
      validity,
    });
    const leaf = await leafBy(next.issuer);
    const at = NOW + DAY_MS;
    assert.equal(await complaintOfOpenssl({ roots: [old.cert], chain: leaf + cross, at }), '');
    assert.equal(await complaintOfOpenssl({ roots: [next.cert], chain: leaf + cross, at }), '');
    assert.match(
      await complaintOfOpenssl({ roots: [old.cert], chain: leaf, at }),
      /unable to get local issuer/,
    );
  });

  it('say what Consul’s do, and are found by their fingerprint', async () => {
    const { cert, issuer } = await root({ type: 'ec', bits: 256 }, 0x1234);
    const read = new X509Certificate(await leafBy(issuer));
    assert.equal(read.subject, 'CN=web.svc');
    assert.equal(read.subjectAltName, `URI:${WEB}`);
    assert.equal(read.serialNumber, '012C');
    assert.equal(read.ca, false);
    assert.deepEqual(read.keyUsage, ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1']);
    const { fingerprint, from } = factsOf(cert);
    assert.equal(fingerprint, new X509Certificate(cert).fingerprint.toLowerCase());
    assert.equal(from, '2026-11-25T00:00:00Z');
  });

  it('are refused to who cannot show that the key is theirs, or has one that is too short', async () => {
    const request = await makeRequest(await generatePair({ type: 'ec', bits: 256 }), WEB);
    const der = Buffer.from(request.replace(/-----.*-----|\n/g, ''), 'base64');
    der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1;
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    await assert.rejects(readRequest(forged), /signature of the CSR/);
    await assert.rejects(readRequest('nonsense'), /no CSR can be read/);
    const short = await makeRequest(await generatePair({ type: 'rsa', bits: 1024 }), WEB);
    await assert.rejects(readRequest(short), /RSA needs 2048 bits, and not 1024/);
  });
});
