import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import {
  constructed,
  DerReader,
  der,
  integer,
  oid,
  sequence,
  TAG,
} from '../../../lib/connect/der.ts';
import { generatePair, type KeyPair, publicDer } from '../../../lib/connect/keys.ts';
import { type LeafRequest, makeRequest, readRequest } from '../../../lib/connect/request.ts';
import { alternativeName, SIGNATURES } from '../../../lib/connect/signed.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { libraryRequest } from '../../support/library-certificates.ts';

const WEB = 'spiffe://11111111-2222-3333-4444-555555555555.consul/ns/default/dc/dc1/svc/web';
const EC = { type: 'ec', bits: 256 } as const;
const EXTENSIONS = oid('1.2.840.113549.1.9.14');
const [ECDSA] = SIGNATURES;
const VERSION = integer(0);
const NOBODY = sequence();

function bytesOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----.*-----|\n/g, ''), 'base64');
}

function asPem(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE REQUEST-----\n${text}\n-----END CERTIFICATE REQUEST-----\n`;
}

/** What it comes to; undefined where it is refused in our words. Throws where it fails in another way. */
async function meaningOf(text: string): Promise<LeafRequest | undefined> {
  try {
    return await readRequest(text);
  } catch (error) {
    assert.ok(error instanceof ProconsulError && error.code === 'invalid', String(error));
    return undefined;
  }
}

/** Any body, with a signature that is good. */
function signedBy({ privateKey }: KeyPair, ...fields: readonly Buffer[]): string {
  const body = sequence(...fields);
  const signature = der(TAG.bits, Buffer.from([0]), sign('sha256', body, privateKey));
  return asPem(sequence(body, ECDSA?.identifier ?? NOBODY, signature));
}

function asking(...extensions: readonly Buffer[]): Buffer {
  return sequence(EXTENSIONS, der(TAG.set, sequence(...extensions)));
}

function attributes(...all: readonly Buffer[]): Buffer {
  return der(constructed(0), ...all);
}

describe('a request for a certificate', () => {
  for (const [kind, algorithm] of [
    [EC, { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }],
    [
      { type: 'ec', bits: 384 },
      { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
    ],
    [
      { type: 'ec', bits: 521 },
      { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' },
    ],
    [
      { type: 'rsa', bits: 2048 },
      { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    ],
  ] as const) {
    it(`of ${kind.type} ${kind.bits} is read, whether it is ours or the library's`, async () => {
      const pair = await generatePair(kind);
      const publicKey = publicDer(pair.publicKey);
      const others = [
        { type: 'dns', value: 'web.example' },
        { type: 'url', value: WEB },
      ] as const;
      const theirs = await libraryRequest(pair, [...others], algorithm);
      assert.deepEqual(await readRequest(await makeRequest(pair, WEB)), { publicKey, uri: WEB });
      assert.deepEqual(await readRequest(theirs), { publicKey, uri: WEB });
    });
  }

  it('is written as the library writes it, but for the signature', async () => {
    const pair = await generatePair(EC);
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const theirs = await libraryRequest(pair, [{ type: 'url', value: WEB }], algorithm);
    const upToSignature = (pem: string) => {
      const outer = new DerReader(bytesOf(pem)).inside(TAG.sequence);
      return Buffer.concat([outer.next().whole, outer.next().whole]);
    };
    assert.deepEqual(upToSignature(await makeRequest(pair, WEB)), upToSignature(theirs));
  });

  it('with any byte changed or cut is refused, or means the same', async () => {
    const text = await makeRequest(await generatePair(EC), WEB);
    const good = bytesOf(text);
    const meant = await readRequest(text);
    for (let at = 0; at < good.length; at++) {
      const changed = Buffer.from(good);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      const shorter = Buffer.concat([good.subarray(0, at), good.subarray(at + 1)]);
      for (const bytes of [changed, shorter]) {
        assert.deepEqual((await meaningOf(asPem(bytes))) ?? meant, meant);
      }
      const longer = Buffer.concat([good, good.subarray(0, at + 1)]);
      for (const bytes of [good.subarray(0, at), longer]) {
        assert.equal(await meaningOf(asPem(bytes)), undefined);
      }
    }
  });

  it('with any letter of its text left out or in is refused, or means the same', async () => {
    const text = await makeRequest(await generatePair(EC), WEB);
    const meant = await readRequest(text);
    for (let at = 0; at < text.length; at++) {
      for (const behind of [text.slice(at + 1), `=${text.slice(at)}`]) {
        assert.deepEqual((await meaningOf(text.slice(0, at) + behind)) ?? meant, meant);
      }
    }
  });

  it('of bytes by chance is refused in our words', async () => {
    const pair = await generatePair(EC);
    const key = publicDer(pair.publicKey);
    const bytes = fc.uint8Array({ maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(bytes, fc.string(), async (random, text) => {
        assert.equal(await meaningOf(text), undefined);
        assert.equal(await meaningOf(asPem(random)), undefined);
        const part = Buffer.from(random);
        // Behind a good signature too: nobody hinders him to sign nonsense.
        for (const fields of [
          [part],
          [VERSION, NOBODY, part],
          [VERSION, NOBODY, key, part],
          [VERSION, NOBODY, key, attributes(part)],
          [VERSION, NOBODY, key, attributes(asking(part))],
          [VERSION, NOBODY, key, attributes(asking(alternativeName(WEB)), part)],
        ]) {
          const found = await meaningOf(signedBy(pair, ...fields));
          if (found !== undefined) assert.deepEqual(found, { publicKey: key, uri: WEB });
        }
      }),
      { numRuns: 50 },
    );
  });

  it('has one URI in it, in one place, and nothing behind what it says', async () => {
    const pair = await generatePair(EC);
    const key = publicDer(pair.publicKey);
    const san = alternativeName(WEB);
    const read = (...fields: readonly Buffer[]) => readRequest(signedBy(pair, ...fields));
    const wanted = attributes(asking(san));
    assert.equal((await read(VERSION, NOBODY, key, wanted)).uri, WEB);
    const none = /must have one URI/;
    await assert.rejects(read(VERSION, NOBODY, key), none);
    await assert.rejects(read(VERSION, NOBODY, key, attributes()), none);
    await assert.rejects(read(VERSION, NOBODY, key, attributes(asking())), none);
    const unreadable = /no CSR can be read/;
    const two = [attributes(asking(san, san)), attributes(asking(san), asking(san))];
    for (const each of [...two, attributes(asking(san, integer(1)))]) {
      await assert.rejects(read(VERSION, NOBODY, key, each), unreadable);
    }
    await assert.rejects(read(VERSION, NOBODY, key, wanted, NOBODY), unreadable);
    await assert.rejects(read(integer(1), NOBODY, key, wanted), unreadable);
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const uri = { type: 'url', value: WEB } as const;
    await assert.rejects(readRequest(await libraryRequest(pair, [uri, uri], algorithm)), none);
    await assert.rejects(readRequest(await libraryRequest(pair, [], algorithm)), none);
  });

  it('is of a key that can be certified, signed with no broken hash, by that key', async () => {
    const wanted = attributes(asking(alternativeName(WEB)));
    const [pair, other] = [await generatePair(EC), await generatePair(EC)];
    const by = (signer: KeyPair, shown: Buffer) =>
      readRequest(signedBy(signer, VERSION, NOBODY, shown, wanted));
    await assert.rejects(by(pair, publicDer(other.publicKey)), /signature of the CSR/);
    const strange = [
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }),
      generateKeyPairSync('ec', { namedCurve: 'P-224' }),
    ];
    for (const each of strange) {
      await assert.rejects(by(each, publicDer(each.publicKey)), /no CSR can be read/);
    }
    const sha1 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-1' };
    const request = await libraryRequest(pair, [{ type: 'url', value: WEB }], sha1);
    await assert.rejects(readRequest(request), /no CSR can be read/);
  });

  it('is bounded, and as PEM', async () => {
    const text = await makeRequest(await generatePair(EC), WEB);
    const bare = bytesOf(text);
    for (const each of [bare.toString('base64'), bare.toString('hex'), bare.toString('latin1')]) {
      await assert.rejects(readRequest(each), /no CSR can be read/);
    }
    await assert.rejects(readRequest(text + ' '.repeat(8192)), /no CSR can be read/);
    await assert.rejects(readRequest(text + text), /no CSR can be read/);
    assert.equal((await readRequest(text.replaceAll('\n', '\r\n'))).uri, WEB);
  });
});
