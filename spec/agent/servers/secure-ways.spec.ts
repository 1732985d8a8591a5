import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { ServerList } from '../../../agent/servers/server-list.ts';
import { Upstream, type UpstreamRequest } from '../../../agent/servers/upstream.ts';
import type { RpcTlsSettings } from '../../../lib/config/keys/tls.ts';
import { describeChain } from '../../../lib/errors.ts';
import { Identities } from '../../../lib/tls/identities.ts';
import { TestAuthority, tlsSettings } from '../../support/certificates.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { serveHttps } from '../../support/servers/https-servers.ts';
import { stopped } from '../../support/servers/upstreams.ts';
import { until } from '../../support/until.ts';

const GET: UpstreamRequest = {
  way: 'client',
  method: 'GET',
  target: '/v1/x',
  key: 'x',
  token: 'secret',
  timeoutMs: 5000,
};
const PUT: UpstreamRequest = { ...GET, method: 'PUT', body: Buffer.from('v') };
const SERVER = ['server.dc1.consul', 'localhost'];
const AGENT = ['client.dc1.consul', 'localhost'];

const says =
  (text: string): RequestListener =>
  (_, response) =>
    void response.end(text);

type Rpc = Partial<RpcTlsSettings>;

describe('an agent and its servers', () => {
  let authority: TestAuthority;
  let stranger: TestAuthority;
  beforeEach(async () => {
    authority = await TestAuthority.create();
    stranger = await TestAuthority.create();
  });

  function agent(urls: readonly string[], rpc: Rpc) {
    const clock = new FakeClock();
    const servers = new ServerList(clock, seededRandom(5));
    servers.add(urls.map((Url, i) => ({ ID: `s${i}`, Node: `s${i}`, Datacenter: 'dc1', Url })));
    const identities = new Identities({
      config: tlsSettings({}, rpc),
      warn: () => undefined,
      now: Date.now,
    });
    const security = { tls: () => identities.servers, domain: 'consul.' };
    const upstream = stopped(new Upstream({ servers, clock, node: 'n1', security }));
    const ask = async (request = GET) => (await upstream.ask(request)).body.toString();
    const why = (request = GET) =>
      ask(request).then(
        (text) => `answered: ${text}`,
        (error) => describeChain(error),
      );
    /** What comes of a read that is passed on as it is. */
    const pass = () =>
      new Promise<string>((resolve) => {
        let all = '';
        const request = () => Buffer.from('GET /v1/x HTTP/1.1\r\nHost: a\r\n\r\n');
        upstream.relay.begin(
          { way: 'client', key: 'x', beginMs: 5000, request },
          {
            wants: () => true,
            takes: (bytes) => {
              all += bytes;
              return true;
            },
            ends: () => resolve(all.split('\r\n\r\n')[1] ?? ''),
            breaks: () => resolve('broken'),
            drops: () => undefined,
          },
        );
      });
    return { ask, why, pass, identities, clock };
  }

  /** At ports.server, as agents are told where it is. */
  async function server(rpc: Rpc, text = 'here') {
    const served = await serveHttps(tlsSettings({}, rpc), says(text), { forAgents: true });
    return { ...served, url: `https://127.0.0.1:${served.port}` };
  }

  it('speak in the clear where neither asks for more, whatever the server could', async () => {
    const plain = await serveHttp(says('plain'));
    const { url } = await server(await authority.files({ names: SERVER }));
    assert.equal(await agent([`http://${plain.host}`], {}).ask(), 'plain');
    assert.equal(await agent([url], {}).ask(), 'here');
    const { caFile } = authority;
    assert.equal(await agent([`http://${plain.host}`], { caFile }).ask(), 'plain');
  });

  it('speak TLS where both can, before anybody demands it', async () => {
    const { url, refused } = await server({
      ...(await stranger.files()),
      caFile: authority.caFile,
      verifyIncoming: true,
    });
    const own = await authority.files({ names: AGENT });
    assert.equal(await agent([url], { ...own, caFile: authority.caFile }).ask(), 'here');
    assert.deepEqual(refused, []);
  });

  it('with verify_outgoing say nothing in the clear', async () => {
    let heard = 0;
    const { host } = await serveHttp((_, response) => {
      heard++;
      response.end('plain');
    });
    for (const flag of ['verifyOutgoing', 'verifyServerHostname'] as const) {
      const rpc = { caFile: authority.caFile, verifyOutgoing: true, [flag]: true };
      for (const url of [`http://${host}`, `https://${host}`]) {
        assert.match(await agent([url], rpc).why(), /No cluster leader: .*(wrong version|EPROTO)/i);
      }
    }
    assert.equal(heard, 0);
  });

  it('with verify_outgoing ask only servers of their authority', async () => {
    const rpc = { caFile: authority.caFile, verifyOutgoing: true };
    const good = await server(await authority.files({ names: ['any.example'] }));
    assert.equal(await agent([good.url], rpc).ask(), 'here');
    for (const files of [
      await stranger.files({ names: SERVER }),
      await authority.files({ names: SERVER, days: -1 }),
      await authority.files({ names: SERVER, usages: ['client'] }),
    ]) {
      const { url, parsed } = await server(files);
      assert.match(await agent([url], rpc).why(), /^No cluster leader: .*certificate/);
      assert.equal(parsed(), 0);
    }
  });

  it('with verify_server_hostname ask only what has the certificate of a server', async () => {
    const rpc = { caFile: authority.caFile, verifyOutgoing: true, verifyServerHostname: true };
    for (const [names, isServer] of [
      [SERVER, true],
      [AGENT, false],
      [['server.dc2.consul'], false],
      [['server.dc1.example'], false],
      [['127.0.0.1', 'localhost'], false],
    ] as const) {
      const { url } = await server(await authority.files({ names }));
      const expected = isServer ? /^answered: here$/ : /altnames/;
      assert.match(await agent([url], rpc).why(), expected, names[0]);
    }
  });

  it('with verify_incoming_rpc take only agents that show a certificate of theirs', async () => {
    const { caFile } = authority;
    const files = await authority.files({ names: SERVER });
    const { url, parsed } = await server({ ...files, caFile, verifyIncoming: true });
    const own = await authority.files({ names: AGENT });
    const verifyOutgoing = true;
    assert.equal(await agent([url], { ...own, caFile, verifyOutgoing }).ask(), 'here');
    assert.match(await agent([url], {}).why(), /^answered: Client sent an HTTP request/);
    assert.match(await agent([url], { caFile, verifyOutgoing }).why(), /alert|hung up/);
    for (const wrong of [
      await stranger.files({ names: AGENT }),
      await authority.files({ names: AGENT, days: -1 }),
    ]) {
      const { why } = agent([url], { ...wrong, caFile, verifyOutgoing });
      assert.match(await why(), /it may not trust the certificate of this agent|alert|certificate/);
    }
    assert.equal(parsed(), 1);
  });

  it('send a write to another server where TLS with one does not come about', async () => {
    const bad = await server(await stranger.files({ names: SERVER }));
    const good = await server(await authority.files({ names: SERVER }));
    const rpc = { caFile: authority.caFile, verifyOutgoing: true };
    for (const urls of [
      [bad.url, good.url],
      [good.url, bad.url],
    ]) {
      assert.equal(await agent(urls, rpc).ask(PUT), 'here');
    }
    assert.equal(bad.parsed(), 0);
  });

  it('send it to another one where a server takes the connection and never speaks', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    let taken = 0;
    silent.on('connection', (socket) => {
      taken++;
      socket.on('error', () => undefined);
    });
    const { port } = silent.address() as AddressInfo;
    const good = await server(await authority.files({ names: SERVER }));
    const rpc = { caFile: authority.caFile, verifyOutgoing: true };
    const { ask, clock } = agent([`https://127.0.0.1:${port}`, good.url], rpc);
    try {
      // Whichever the ring names first for a key, some of these meet the silent one.
      for (let n = 0; n < 20 && taken === 0; n++) {
        const asked = ask({ ...PUT, key: `k${n}` });
        await Promise.race([asked, until(() => taken > 0)]);
        if (taken > 0) await clock.advance(PUT.timeoutMs);
        assert.equal(await asked, 'here');
      }
      assert.equal(taken, 1);
    } finally {
      silent.close();
    }
  });

  it('pass reads on in the same way, to the same servers only', async () => {
    const plain = await serveHttp(says('plain'));
    const { caFile } = authority;
    const rpc = { caFile, verifyOutgoing: true, verifyServerHostname: true };
    const own = await authority.files({ names: AGENT });
    const files = await authority.files({ names: SERVER });
    const { url } = await server({ ...files, caFile, verifyIncoming: true });
    assert.equal(await agent([`http://${plain.host}`], {}).pass(), 'plain');
    assert.equal(await agent([url], { ...own, ...rpc }).pass(), 'here');
    assert.equal(await agent([url], rpc).pass(), 'broken');
    assert.equal(await agent([`http://${plain.host}`], rpc).pass(), 'broken');
    for (const wrong of [await authority.files({ names: AGENT }), await stranger.files()]) {
      const { url: elsewhere, parsed } = await server(wrong);
      assert.equal(await agent([elsewhere], { ...own, ...rpc }).pass(), 'broken');
      assert.equal(parsed(), 0);
    }
  });

  it('open a connection anew for reads after a reload', async () => {
    const { url, parsed } = await server(await authority.files({ names: SERVER }));
    const rpc = { caFile: authority.caFile, verifyOutgoing: true };
    const { pass, identities } = agent([url], rpc);
    assert.deepEqual([await pass(), await pass()], ['here', 'here']);
    const another = { caFile: stranger.caFile, verifyOutgoing: true };
    identities.takeOver(tlsSettings({}, another));
    assert.equal(await pass(), 'broken');
    assert.equal(parsed(), 2);
  });

  it('show a new certificate after a reload', async () => {
    const { caFile } = authority;
    const files = await authority.files({ names: SERVER });
    const { url } = await server({ ...files, caFile, verifyIncoming: true });
    const own = await stranger.files({ names: AGENT });
    const rpc = { ...own, caFile, verifyOutgoing: true };
    const { ask, identities } = agent([url], rpc);
    await assert.rejects(ask());
    await authority.files({ names: AGENT }, own);
    identities.takeOver(tlsSettings({}, rpc));
    assert.equal(await ask(), 'here');
  });
});
