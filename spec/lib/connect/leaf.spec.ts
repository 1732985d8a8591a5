import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { issuerOf, makeRoot } from '../../../lib/connect/certificates.ts';
import { DerReader, TAG } from '../../../lib/connect/der.ts';
import { generateKey, generatePair, type KeyKind, publicDer } from '../../../lib/connect/keys.ts';
import { makeLeaf } from '../../../lib/connect/leaf.ts';
import { libraryLeaf } from '../../support/library-certificates.ts';
import { textOfOpenssl } from '../../support/openssl.ts';

const NOW = Date.UTC(2026, 10, 25);
const DAY_MS = 24 * 3600_000;
const DOMAIN = '11111111-2222-3333-4444-555555555555.consul';
const validity = { from: NOW, to: NOW + 3 * DAY_MS };
const EC = { type: 'ec', bits: 256 } as const;

async function issuer(kind: KeyKind) {
  const privateKey = await generateKey(kind);
  const named = { commonName: 'pri-1.consul.ca.11111111.consul', trustDomain: DOMAIN };
  return issuerOf(await makeRoot({ privateKey, ...named, serial: 7, validity }), privateKey);
}

async function optionsFor(kind: KeyKind, ofLeaf: KeyKind = EC) {
  return {
    by: await issuer(kind),
    publicKey: publicDer((await generatePair(ofLeaf)).publicKey),
    commonName: 'web.svc.default.11111111.consul',
    uri: `spiffe://${DOMAIN}/ns/default/dc/dc1/svc/web`,
    serial: 300,
    validity,
  };
}

/** What is signed, and how: all but the signature, which is another one each time. */
function signedPart(pem: string): string {
  const outer = new DerReader(new X509Certificate(pem).raw).inside(TAG.sequence);
  const parts = [outer.next().whole, outer.next().whole];
  return Buffer.concat(parts).toString('hex');
}

describe('a leaf certificate', () => {
  for (const kind of [
    EC,
    { type: 'ec', bits: 384 },
    { type: 'ec', bits: 521 },
    { type: 'rsa', bits: 2048 },
  ] as const) {
    it(`by ${kind.type} ${kind.bits} says to openssl what the library's says, field by field`, async () => {
      const options = await optionsFor(kind, kind);
      const [ours, theirs] = [await makeLeaf(options), await libraryLeaf(options)];
      const text = await textOfOpenssl(ours);
      assert.equal(text, await textOfOpenssl(theirs));
      assert.match(text, /X509v3 Basic Constraints: critical\s+CA:FALSE/);
      assert.equal(signedPart(ours), signedPart(theirs));
    });
  }

  it('is the library’s byte by byte, whatever its serial number, names and days', async () => {
    const given = await optionsFor(EC);
    const seconds = (from: number, to: number) =>
      fc.integer({ min: Date.UTC(from) / 1000, max: Date.UTC(to) / 1000 }).map((s) => s * 1000);
    const name = fc.string({ unit: fc.constantFrom(...'abcXYZ019-._*@& ü€'), maxLength: 60 });
    const path = fc.string({ unit: fc.constantFrom(...'abcxyz019-._~/%:@!$&+=') });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 70_000 }).chain((n) => fc.constantFrom(n, n * 2 ** 35 + n)),
        name,
        path,
        seconds(1970, 2049),
        seconds(2049, 2100),
        async (serial, middle, rest, from, to) => {
          // The library leaves out spaces at the ends.
          const commonName = `n${middle}n`;
          const uri = `spiffe://a/${rest}`;
          const options = { ...given, serial, commonName, uri, validity: { from, to } };
          assert.equal(signedPart(await makeLeaf(options)), signedPart(await libraryLeaf(options)));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('is for no URI that would be another one where it is read', async () => {
    const options = await optionsFor(EC);
    for (const uri of ['', 'spiffe://a/ü', 'spiffe://a/ b', 'spiffe://a/\0']) {
      await assert.rejects(async () => makeLeaf({ ...options, uri }), /URI in a certificate/);
    }
    const uri = `spiffe://a/${'x'.repeat(70_000)}`;
    await assert.rejects(async () => makeLeaf({ ...options, uri }), /too long/);
  });
});
