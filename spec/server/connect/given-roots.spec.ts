import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { generatePair, keyPem } from '../../../lib/connect/keys.ts';
import { type CaRoots, type Leaf, SIGN_PATH } from '../../../lib/connect/model.ts';
import { makeRequest } from '../../../lib/connect/request.ts';
import { type GivenRoot, libraryRoot } from '../../support/library-certificates.ts';
import { complaintOfOpenssl } from '../../support/openssl.ts';
import { startServerWith } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

const EC = { type: 'ec', bits: 256 } as const;
const DAY_MS = 24 * 3600_000;

async function start() {
  const server = await startServerWith({ connect: { provider: 'consul', config: {} } });
  const { get, put, clock } = server;
  const roots = async () => (await get('/v1/connect/ca/roots')).json as CaRoots;
  await until(async () => (await roots()).ActiveRootID !== '');
  const configure = (PrivateKey: string, RootCert = '') =>
    put('/v1/connect/ca/configuration', { Provider: 'consul', Config: { PrivateKey, RootCert } });
  const rootOf = (publicKey: KeyObject, more: Partial<GivenRoot> = {}) =>
    libraryRoot({ publicKey, from: clock.now() - DAY_MS, ...more });
  const leaf = async () => {
    const uri = `spiffe://${(await roots()).TrustDomain}/ns/default/dc/dc1/svc/web`;
    const answer = await put(SIGN_PATH, { CSR: await makeRequest(await generatePair(EC), uri) });
    assert.equal(answer.status, 200, answer.text);
    return answer.json as Leaf;
  };
  return { ...server, roots, configure, rootOf, leaf };
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

describe('a root that somebody brings', () => {
  it('is believed by those who know the one before alone, whatever it names its key by', async () => {
    const { roots, configure, rootOf, leaf, clock } = await start();
    const [{ RootCert: first = '' } = {}] = (await roots()).Roots;
    let before = first;
    for (const keyId of ['00112233445566778899', 'aabb']) {
      const { privateKey, publicKey } = await generatePair(EC);
      const given = await rootOf(publicKey, { keyId });
      const { status, text } = await configure(keyPem(privateKey), given);
      assert.equal(status, 200, text);
      const { CertPEM: chain } = await leaf();
      for (const root of [given, before]) {
        assert.equal(await complaintOfOpenssl({ roots: [root], chain, at: clock.now() }), '');
      }
      before = given;
    }
  });

  it('of a key by which no certificate would be made is refused, and the next is taken', async () => {
    const { roots, configure, rootOf, leaf } = await start();
    const before = await roots();
    for (const { privateKey, publicKey } of [
      generateKeyPairSync('ed25519'),
      generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
      generateKeyPairSync('rsa', { modulusLength: 1024 }),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('ec', { namedCurve: 'P-224' }),
      generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }),
    ]) {
      const { status, text } = await configure(pemOf(privateKey), await rootOf(publicKey));
      assert.equal(status, 500);
      assert.match(
        text,
        /^error configuring provider: certificates are made by keys of other kinds/,
      );
    }
    assert.deepEqual(await roots(), before);
    const { privateKey, publicKey } = await generatePair(EC);
    assert.equal((await configure(keyPem(privateKey), await rootOf(publicKey))).status, 200);
    await leaf();
  });

  it('that nobody would believe is refused', async () => {
    const { roots, configure, rootOf, clock } = await start();
    const before = await roots();
    for (const [more, why] of [
      [{ isAuthority: false }, /is not that of an authority/],
      [{ maySign: false }, /is not that of an authority|may not vouch/],
      [{ from: clock.now() - 400 * DAY_MS }, /is valid from .* to/],
      [{ from: clock.now() + DAY_MS }, /is valid from .* to/],
    ] as const) {
      const { privateKey, publicKey } = await generatePair(EC);
      const { status, text } = await configure(keyPem(privateKey), await rootOf(publicKey, more));
      assert.equal(status, 500, JSON.stringify(more));
      assert.match(text, why);
    }
    assert.deepEqual(await roots(), before);
  });
});
