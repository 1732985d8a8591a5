import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { generateKey, generatePair } from '../../../lib/connect/keys.ts';
import { type CaRoots, type Leaf, SIGN_PATH } from '../../../lib/connect/model.ts';
import { makeRequest } from '../../../lib/connect/request.ts';
import { complaintOfOpenssl } from '../../support/openssl.ts';
import { type AclServer, MASTER, startAclServer } from '../../support/servers/acl-server.ts';
import {
  startServer,
  startServerWith,
  type TestServer,
} from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

const CONFIG = '/v1/connect/ca/configuration';
const ROOTS = '/v1/connect/ca/roots';
const HOUR_MS = 3600_000;
const connect = { provider: 'consul', config: {} };

async function rootsOf({ get }: Pick<TestServer, 'get'>): Promise<CaRoots> {
  return (await get(ROOTS)).json as CaRoots;
}

async function start(rules: typeof connect = connect) {
  const server = await startServerWith({ connect: rules });
  await until(async () => (await rootsOf(server)).ActiveRootID !== '');
  const sign = async (uri: string, more: object = {}) => {
    const CSR = await makeRequest(await generatePair({ type: 'ec', bits: 256 }), uri);
    return server.put(SIGN_PATH, { CSR, ...more });
  };
  const roots = () => rootsOf(server);
  const idOf = async (service: string) =>
    `spiffe://${(await roots()).TrustDomain}/ns/default/dc/dc1/svc/${service}`;
  const leaf = async (service: string) => {
    const answer = await sign(await idOf(service));
    assert.equal(answer.status, 200, answer.text);
    return answer.json as Leaf;
  };
  const configure = (Config: object | null, more: object = {}) =>
    server.put(CONFIG, { Provider: 'consul', Config, ...more });
  return { ...server, sign, leaf, idOf, roots, configure };
}

const anotherKey = async () => ({ PrivateKey: await generateKey({ type: 'ec', bits: 256 }) });

describe('the certificate authority', () => {
  it('begins with a root of its own, and signs by it', async () => {
    const { leaf, roots, clock } = await start();
    const { Roots } = await roots();
    assert.equal(Roots.length, 1);
    const { CertPEM, ServiceURI, SerialNumber, ModifyIndex } = await leaf('web');
    const [{ RootCert = '' } = {}] = Roots;
    const at = clock.now();
    assert.equal(await complaintOfOpenssl({ roots: [RootCert], chain: CertPEM, at }), '');
    assert.match(ServiceURI, /\/ns\/default\/dc\/dc1\/svc\/web$/);
    const next = await leaf('web');
    assert.notEqual(next.SerialNumber, SerialNumber);
    assert.ok(next.ModifyIndex > ModifyIndex);
  });

  it('says nothing where there is no mesh', async () => {
    const { get, put } = await startServer();
    const off = 'Connect must be enabled in order to use this endpoint';
    for (const { status, text } of [
      await get(ROOTS),
      await get(CONFIG),
      await put(CONFIG, { Provider: 'consul', Config: {} }),
      await put(SIGN_PATH, { CSR: 'x' }),
    ]) {
      assert.deepEqual([status, text], [500, off]);
    }
  });

  it('names a gateway as its entry says, for callers from outside, and nobody else', async () => {
    const { sign, idOf, put, roots, clock } = await start();
    const namesIn = async (service: string, more: object = {}) => {
      const { json } = await sign(await idOf(service), more);
      const { CertPEM } = json as Leaf;
      const chain = { roots: (await roots()).Roots.map((each) => each.RootCert), chain: CertPEM };
      assert.equal(await complaintOfOpenssl({ ...chain, at: clock.now() }), '');
      const all = new X509Certificate(CertPEM).subjectAltName?.split(', ') ?? [];
      return all.filter((each) => each.startsWith('DNS:'));
    };
    const Services = [{ Name: 'web', Hosts: ['web.example'] }];
    await put('/v1/config', { Kind: 'service-defaults', Name: 'web', Protocol: 'http' });
    const entry = { Kind: 'ingress-gateway', Name: 'edge', TLS: { Enabled: true } };
    const Listeners = [{ Port: 8080, Protocol: 'http', Services }];
    assert.equal((await put('/v1/config', { ...entry, Listeners })).status, 200);
    assert.deepEqual(await namesIn('edge', { ForIngress: true }), [
      ...['DNS:*.ingress.consul', 'DNS:*.ingress.dc1.consul', 'DNS:web.example'],
    ]);
    assert.deepEqual(await namesIn('edge'), []);
    assert.deepEqual(await namesIn('web', { ForIngress: true }), []);
  });

  it('takes another key for another root, by which those who know the old one can go', async () => {
    const { configure, leaf, roots, clock, get } = await start();
    const [old] = (await roots()).Roots;
    const before = await get(ROOTS);
    const watching = get(`${ROOTS}?index=${before.index}&wait=60s`);
    assert.equal((await configure(await anotherKey())).status, 200);
    assert.notEqual((await watching).index, before.index);
    const { Roots, ActiveRootID } = await roots();
    assert.deepEqual(
      new Map(Roots.map(({ ID, Active }) => [ID, Active])),
      new Map([
        [old?.ID, false],
        [ActiveRootID, true],
      ]),
    );
    const { CertPEM } = await leaf('web');
    for (const { RootCert } of Roots) {
      const chain = { roots: [RootCert], chain: CertPEM, at: clock.now() };
      assert.equal(await complaintOfOpenssl(chain), '');
    }
  });

  it('makes no other root where nothing of it changes, and one for another kind of key', async () => {
    const { configure, roots } = await start();
    const { ActiveRootID } = await roots();
    await configure({ LeafCertTTL: '24h' });
    await configure({ PrivateKeyType: 'ec', PrivateKeyBits: 256 });
    assert.equal((await roots()).ActiveRootID, ActiveRootID);
    await configure({ PrivateKeyType: 'rsa' });
    const { Roots } = await roots();
    assert.deepEqual(Roots.find(({ Active }) => Active)?.PrivateKeyType, 'rsa');
    const key = await anotherKey();
    await configure(key);
    const { ActiveRootID: given } = await roots();
    await configure({ ...key, LeafCertTTL: '48h' });
    assert.equal((await roots()).ActiveRootID, given);
  });

  it('forgets a root when nothing that it has signed can be valid any more', async () => {
    const { configure, roots, clock } = await start();
    // It may have signed for 100 hours, whatever it was told later.
    await configure({ LeafCertTTL: '100h' });
    await configure({ LeafCertTTL: '1h' });
    await configure(await anotherKey());
    await clock.stall(199 * HOUR_MS);
    assert.equal((await roots()).Roots.length, 2);
    await clock.stall(2 * HOUR_MS);
    await until(async () => (await roots()).Roots.length === 1);
  });

  it('refuses what is wrong in its words, and stays as it is', async () => {
    const { configure, put, get, roots } = await start();
    const before = [(await get(CONFIG)).text, await roots()];
    for (const [Config, why] of [
      [{ LeafCertTTL: '1s' }, 'leaf cert TTL must be greater or equal than 1h0m0s'],
      [{ LeafCertTTL: '9000h' }, 'leaf cert TTL must be less than 8760h0m0s'],
      [{ PrivateKeyType: 'dsa' }, "private key type must be either 'ec' or 'rsa'"],
      [{ PrivateKeyBits: 7 }, 'EC key length must be one of (224, 256, 384, 521) bits'],
      [{ RootCert: 'x' }, 'must provide a private key when providing a root cert'],
      [{ IntermediateCertTTL: '1h' }, 'Intermediate Cert TTL must be greater or equal than 3h'],
    ] as const) {
      const { status, text } = await configure(Config);
      assert.deepEqual([status, text], [500, `error configuring provider: ${why}`]);
    }
    const bad = await configure({ PrivateKey: 'a secret, nearly a key' });
    assert.equal(bad.status, 500);
    assert.doesNotMatch(bad.text, /secret/);
    const mine = await anotherKey();
    const { RootCert } = (await roots()).Roots[0] ?? {};
    assert.match((await configure({ ...mine, RootCert })).text, /not that of the private key/);
    const vault = await put(CONFIG, { Provider: 'vault', Config: {} });
    assert.match(vault.text, /"vault" is not offered here/);
    assert.deepEqual([(await get(CONFIG)).text, await roots()], before);
  });

  it('vouches for its own domain and data centre alone', async () => {
    const { sign, idOf, roots } = await start();
    const { TrustDomain } = await roots();
    const web = await idOf('web');
    for (const [uri, why] of [
      [web.replace(TrustDomain, 'other.consul'), /different trust domain/],
      [web.replace('/dc/dc1', '/dc/dc2'), /different datacenter/],
      [`spiffe://${TrustDomain}`, /must be a service ID/],
      [`${web}/more`, /not in the expected format/],
      [web.replace('/ns/default', '/ns/other'), /is to be written/],
      [web.replace('/ns/default', '/ns/default%2Fdc%2Fdc1%2Fsvc%2Fdb'), /is to be written/],
      [web.replace('/svc/web', '/svc/%77eb'), /is to be written/],
      [web.replace('/svc/web', '/svc/db%2Fweb'), /is to be written/],
    ] as const) {
      assert.match((await sign(uri)).text, why);
    }
  });

  it('is the same after a snapshot', async () => {
    const { configure, leaf, roots, port, put } = await start();
    await configure(await anotherKey());
    const before = await roots();
    const archive = await fetch(`http://127.0.0.1:${port}/v1/snapshot`);
    await configure(await anotherKey());
    const bytes = Buffer.from(await archive.arrayBuffer());
    assert.equal((await put('/v1/snapshot', bytes)).status, 200);
    assert.deepEqual(await roots(), before);
    assert.ok((await leaf('web')).CertPEM.length > 0);
  });
});

describe('the certificate authority under access control', () => {
  const policy = (Name: string, Rules: string) => ({ Name, Rules });

  async function made(server: AclServer, rules: string) {
    const { ID } = await server.master('PUT', '/v1/acl/policy', policy(`p${rules.length}`, rules));
    const token = await server.master('PUT', '/v1/acl/token', { Policies: [{ ID }] });
    const revoke = async () => {
      await server.as(MASTER, 'DELETE', `/v1/acl/token/${token['AccessorID']}`);
      return (await server.as(MASTER, 'GET', '/v1/acl/tokens')).index;
    };
    return { token: token['SecretID'] ?? '', revoke };
  }

  async function tokenFor(server: AclServer, rules: string) {
    return (await made(server, rules)).token;
  }

  async function begun(rules: typeof connect = connect) {
    const server = await startAclServer({}, undefined, rules);
    await until(async () => (await rootsOf(server)).ActiveRootID !== '');
    return server;
  }

  it('signs for whoever may write the service, and shows its key to few', async () => {
    const server = await begun();
    const web = await tokenFor(server, 'service "web" { policy = "write" }');
    const reader = await tokenFor(server, 'operator = "read"');
    const { TrustDomain } = await rootsOf(server);
    const key = await generatePair({ type: 'ec', bits: 256 });
    const uri = (name: string) => `spiffe://${TrustDomain}/ns/default/dc/dc1/svc/${name}`;
    const sign = async (token: string, name: string) =>
      (await server.as(token, 'PUT', SIGN_PATH, { CSR: await makeRequest(key, uri(name)) })).status;
    assert.deepEqual(
      [
        await sign(web, 'web'),
        await sign(web, 'db'),
        await sign('', 'web'),
        await sign(reader, 'web'),
      ],
      [200, 403, 403, 403],
    );
    const { PrivateKey } = await anotherKey();
    await server.as(MASTER, 'PUT', CONFIG, { Provider: 'consul', Config: { PrivateKey } });
    const shown = await server.as(reader, 'GET', CONFIG);
    assert.equal(shown.status, 200);
    assert.doesNotMatch(shown.text, /PRIVATE KEY/);
    assert.match((await server.as(MASTER, 'GET', CONFIG)).text, /PRIVATE KEY/);
    assert.equal((await server.as(web, 'GET', CONFIG)).status, 403);
  });

  it('shows its key to few, however the key of its configuration was written', async () => {
    const { PrivateKey: first } = await anotherKey();
    const server = await begun({ provider: 'consul', config: { privatekey: first } });
    const reader = await tokenFor(server, 'operator = "read"');
    const shown = async () => {
      assert.match((await server.as(MASTER, 'GET', CONFIG)).text, /PRIVATE KEY/);
      return (await server.as(reader, 'GET', CONFIG)).text;
    };
    assert.doesNotMatch(await shown(), /PRIVATE KEY/);
    for (const name of ['private_key', 'PRIVATEKEY', 'Private_Key']) {
      const { PrivateKey } = await anotherKey();
      const Config = { [name]: PrivateKey, leaf_cert_ttl: '48h' };
      const { status } = await server.as(MASTER, 'PUT', CONFIG, { Provider: 'consul', Config });
      assert.equal(status, 200);
      const text = await shown();
      assert.doesNotMatch(text, /PRIVATE KEY/, name);
      assert.match(text, /"leaf_cert_ttl":"48h"/);
    }
  });

  it('signs nothing in the log behind the revocation of the token that asked', async () => {
    const server = await begun();
    const { token, revoke } = await made(server, 'service "web" { policy = "write" }');
    const { TrustDomain } = await rootsOf(server);
    const uri = `spiffe://${TrustDomain}/ns/default/dc/dc1/svc/web`;
    const CSR = await makeRequest(await generatePair({ type: 'ec', bits: 256 }), uri);
    const asked = Array.from({ length: 100 }, () => server.as(token, 'PUT', SIGN_PATH, { CSR }));
    await Promise.race(asked);
    const revokedAt = await revoke();
    const answers = await Promise.all(asked);
    const signed = answers.filter(({ status }) => status === 200);
    const last = Math.max(...signed.map(({ json }) => (json as Leaf).ModifyIndex));
    assert.ok(last < revokedAt, `one of entry ${last}, revoked by ${revokedAt}`);
    assert.ok(signed.length < answers.length, 'all were signed before: it shows nothing');
  });

  it('takes no order of whoever is revoked while its key is made', async () => {
    const server = await begun();
    const { token, revoke } = await made(server, 'operator = "write"');
    const before = await rootsOf(server);
    const Config = { PrivateKeyType: 'rsa', PrivateKeyBits: 4096 };
    const order = server.as(token, 'PUT', CONFIG, { Provider: 'consul', Config });
    await revoke();
    const { status } = await order;
    assert.equal(status, 403);
    assert.deepEqual(await rootsOf(server), before);
  });

  it('reads no request for a certificate of whoever may be no service', async () => {
    const server = await begun();
    const nobody = await tokenFor(server, 'key "a" { policy = "write" }');
    for (const token of ['', nobody]) {
      assert.equal((await server.as(token, 'PUT', SIGN_PATH, { CSR: 'none' })).status, 403);
    }
  });
});
