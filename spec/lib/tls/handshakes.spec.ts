import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { createApp } from '../../../lib/http/app.ts';
import { FastPath } from '../../../lib/http/fast/fast-path.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { type Files, TestAuthority, tlsSettings } from '../../support/certificates.ts';
import { serveHttps } from '../../support/servers/https-servers.ts';
import { getText, RawClient, withoutDate } from '../../support/servers/raw-client.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

const here: RequestListener = (_, response) => void response.end('here');
const GET = getText('/');

describe('a listener that speaks TLS', () => {
  let authority: TestAuthority;
  let files: Files;
  beforeEach(async () => {
    authority = await TestAuthority.create();
    files = await authority.files();
  });

  const trusting = (more: ConnectionOptions = {}): ConnectionOptions => ({
    ca: authority.pair.cert,
    ...more,
  });

  /** Whether a client gets in, and a request through. */
  async function enters(port: number, options: ConnectionOptions): Promise<boolean> {
    const client = await RawClient.connectTls(port, options).catch(() => undefined);
    client?.send(GET);
    await until(() => client === undefined || client.unread > 0 || client.hasEnded);
    return client?.rest().includes('here') === true;
  }

  it('gives the same bytes as one in the clear, and by the fast path too', async () => {
    const { server, port: plain, put } = await startServer();
    await put('/v1/kv/a', 'x'.repeat(70_000));
    const fastPath = new FastPath();
    const app = createApp({ routes: server.routes() }, { fastPath, logger: silentLogger });
    const { port, parsed } = await serveHttps(tlsSettings(files), app, { fastPath });
    const clear = await RawClient.connect(plain);
    const secure = await RawClient.connectTls(port, trusting());
    await secure.ask(getText('/v1/status/leader'));
    for (const path of ['/v1/kv/a', '/v1/kv/a?raw', '/v1/catalog/nodes', '/v1/nowhere']) {
      const expected = await clear.ask(getText(path));
      for (let n = 0; n < 2; n++) {
        const { head, body } = await secure.ask(getText(path));
        assert.equal(withoutDate(head), withoutDate(expected.head));
        assert.deepEqual(body, expected.body);
      }
    }
    // Once for each, and once more for the one that is no row.
    assert.equal(parsed(), 1 + 4 + 1);
  });

  it('speaks HTTP/1.1 with whoever would rather have HTTP/2, and with nobody who takes nothing else', async () => {
    const { port, parsed } = await serveHttps(tlsSettings(files), here);
    const spoken = (ALPNProtocols?: string[]) =>
      new Promise((resolve) => {
        const asked = { port, host: '127.0.0.1', servername: 'localhost', ...trusting() };
        const socket = connectTls({ ...asked, ...(ALPNProtocols && { ALPNProtocols }) }, () => {
          resolve(socket.alpnProtocol);
          socket.destroy();
        });
        socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
      });
    assert.equal(await spoken(['h2', 'http/1.1']), 'http/1.1');
    assert.equal(await spoken(['http/1.1']), 'http/1.1');
    assert.equal(await spoken(), false);
    assert.match(String(await spoken(['h2'])), /NO_APPLICATION_PROTOCOL/);
    assert.equal(parsed(), 0);
    assert.equal(await enters(port, trusting({ ALPNProtocols: ['h2', 'http/1.1'] })), true);
  });

  it('answers whoever begins with HTTP/2 in the clear, and whoever asks for it, by HTTP/1.1', async () => {
    const { port } = await serveHttps(tlsSettings({}), here, { forAgents: true });
    const begins = await RawClient.connect(port);
    begins.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await begins.ended();
    assert.match(begins.rest(), /^HTTP\/1\.1 400 Bad Request\r\n/);
    const asks = await RawClient.connect(port);
    const upgrade =
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n';
    asks.send(`GET / HTTP/1.1\r\nHost: localhost\r\n${upgrade}\r\n`);
    await until(() => asks.rest().includes('here'));
    assert.match(asks.rest(), /^HTTP\/1\.1 200 OK\r\n/);
  });

  it('tells who speaks in the clear what is spoken here', async () => {
    const { port, refused } = await serveHttps(tlsSettings(files), here);
    const client = await RawClient.connect(port);
    client.send(GET);
    await client.ended();
    assert.match(
      client.rest(),
      /^HTTP\/1\.0 400 .*\r\n\r\nClient sent an HTTP request to an HTTPS/,
    );
    assert.deepEqual(refused, ['127.0.0.1: it did not speak TLS']);
  });

  it('sends away who says nothing, and who never comes to the end of a handshake', async () => {
    const { port } = await serveHttps(tlsSettings(files), here, { handshakeMs: 60 });
    const [silent, slow] = [await RawClient.connect(port), await RawClient.connect(port)];
    slow.send(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]));
    await Promise.all([silent.ended(), slow.ended()]);
    assert.equal(silent.rest() + slow.rest(), '');
  });

  it('takes no harm from nonsense and from those who go in the middle', async () => {
    const { port } = await serveHttps(tlsSettings(files), here);
    for (const bytes of [[0x16], [0x16, 1, 2, 3, 4, 5, 6, 7, 8, 9], [0x16, 3, 1, 0xff, 0xff, 1]]) {
      const client = await RawClient.connect(port);
      client.send(Buffer.concat([Buffer.from(bytes), Buffer.alloc(2000, 7)]));
      client.reset();
      await client.ended();
    }
    assert.equal(await enters(port, trusting()), true);
  });

  it('reads a handshake that comes byte by byte', async () => {
    const { port } = await serveHttps(tlsSettings(files), here);
    const socket = connect(port, '127.0.0.1');
    const under = trusting({ socket: byteByByte(socket), servername: 'localhost' });
    const client = RawClient.of(connectTls(under));
    assert.equal((await client.ask(GET)).body.toString(), 'here');
  });

  it('answers who has closed its side', async () => {
    const { port } = await serveHttps(tlsSettings(files), here);
    const client = await RawClient.connectTls(port, trusting({ allowHalfOpen: true } as object));
    client.send(GET);
    client.end();
    assert.equal((await client.answer()).body.toString(), 'here');
    await client.ended();
  });

  it('takes no more connections of one address than are allowed', async () => {
    const { port } = await serveHttps(tlsSettings(files), here, { maxConnections: 2 });
    const [first] = [
      await RawClient.connectTls(port, trusting()),
      await RawClient.connectTls(port, trusting()),
    ];
    const refused = await RawClient.connectTls(port, trusting());
    // Whoever is told nothing takes a server that is full for one that is gone.
    assert.match((await refused.ask(GET)).head, /^HTTP\/1\.1 429 /);
    await refused.ended();
    first?.close();
    await until(() => enters(port, trusting()));
  });

  it('counts those who are still at the door', async () => {
    const { port } = await serveHttps(tlsSettings(files), here, { maxConnections: 1 });
    const silent = await RawClient.connect(port);
    const refused = await RawClient.connectTls(port, trusting());
    assert.match((await refused.ask(GET)).head, /^HTTP\/1\.1 429 /);
    silent.close();
    await until(() => enters(port, trusting()));
  });

  it('has a handshake with some of those who are too many, and none with the others', async () => {
    const { port, parsed, stop } = await serveHttps(tlsSettings(files), here, {
      maxConnections: 1,
    });
    const held = [await RawClient.connect(port)];
    // At the door, and saying nothing: they are counted among those who are told.
    for (let i = 0; i < 32; i++) held.push(await RawClient.connect(port));
    await assert.rejects(RawClient.connectTls(port, trusting()));
    assert.equal(parsed(), 0);
    await stop();
    for (const client of held) await client.ended();
  });

  it('stops while somebody stands at the door', async () => {
    const { port, stop } = await serveHttps(tlsSettings(files), here);
    const client = await RawClient.connect(port);
    client.send(Buffer.from([0x16]));
    const inside = await RawClient.connectTls(port, trusting());
    await stop();
    await Promise.all([client.ended(), inside.ended()]);
  });

  for (const [name, options] of [
    ['TLS 1.0', { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' }],
    ['TLS 1.1', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }],
    ['no forward secrecy', { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:AES256-SHA' }],
    ['CBC', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA' }],
    ['nobody to be known', { maxVersion: 'TLSv1.2', ciphers: 'aNULL:@SECLEVEL=0' }],
  ] as const) {
    it(`refuses ${name}`, async () => {
      const { port } = await serveHttps(tlsSettings(files), here);
      assert.equal(await enters(port, trusting(options)), false);
    });
  }

  it('speaks the versions and suites that are asked for, and no others', async () => {
    const [old, one] = ['ECDHE-ECDSA-AES256-SHA', 'ECDHE-ECDSA-AES256-GCM-SHA384'];
    const only = await serveHttps(tlsSettings({ ...files, suites: [one] }), here);
    const max = { maxVersion: 'TLSv1.2' } as const;
    assert.equal(await enters(only.port, trusting({ ...max, ciphers: one })), true);
    const other = 'ECDHE-ECDSA-AES128-GCM-SHA256';
    assert.equal(await enters(only.port, trusting({ ...max, ciphers: other })), false);
    const low = await serveHttps(tlsSettings({ ...files, minVersion: 'TLSv1' }), here);
    const asOf2006 = { minVersion: 'TLSv1', maxVersion: 'TLSv1' } as const;
    assert.equal(
      await enters(low.port, trusting({ ...asOf2006, ciphers: `${old}:@SECLEVEL=0` })),
      true,
    );
    const high = await serveHttps(tlsSettings({ ...files, minVersion: 'TLSv1.3' }), here);
    assert.equal(await enters(high.port, trusting(max)), false);
    assert.equal(await enters(high.port, trusting()), true);
  });

  it('makes no second handshake on a connection', async () => {
    const { port } = await serveHttps(tlsSettings(files), here);
    const max = { maxVersion: 'TLSv1.2' } as const;
    const socket = connectTls(trusting({ port, host: '127.0.0.1', ...max }));
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const fault = await new Promise<Error | null>((resolve) => {
      socket.once('error', resolve);
      socket.renegotiate({}, resolve);
    });
    assert.match(String(fault), /renegotiation/i);
    socket.destroy();
    assert.equal(await enters(port, trusting(max)), true);
  });

  it('agrees on HTTP/1.1 with whoever asks what is spoken', async () => {
    const { port } = await serveHttps(tlsSettings(files), here);
    const socket = connectTls(
      trusting({ port, host: '127.0.0.1', ALPNProtocols: ['h2', 'http/1.1'] }),
    );
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.destroy();
  });

  describe('with verify_incoming', () => {
    /** Who is to be let in: by the certificate that is shown. */
    const visitors = async () => {
      const stranger = await TestAuthority.create();
      const self = stranger.pair;
      return {
        'an own one': [await authority.issue({ names: ['client.dc1.consul'] }), true],
        'one for clients alone': [await authority.issue({ usages: ['client'] }), true],
        none: [{}, false],
        "a stranger's": [await stranger.issue({ names: ['client.dc1.consul'] }), false],
        'one that names itself': [self, false],
        'one that has ended': [await authority.issue({ days: -1 }), false],
        'one for servers alone': [await authority.issue({ usages: ['server'] }), false],
      } as const;
    };

    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`lets in who shows a certificate of its authority, by ${version}`, async () => {
        const { caFile } = authority;
        const settings = tlsSettings({ ...files, caFile, verifyIncoming: true });
        const { port, refused, parsed } = await serveHttps(settings, here);
        for (const [name, [pair, isLetIn]] of Object.entries(await visitors())) {
          const options = trusting({ ...pair, minVersion: version, maxVersion: version });
          assert.equal(await enters(port, options), isLetIn, name);
        }
        // Nothing of what the others sent was ever read as a request.
        assert.equal(parsed(), 2);
        await until(() => refused.length === 5);
        for (const line of refused) assert.match(line, /^127\.0\.0\.1: /);
      });
    }

    it('does not take up again a session that another side began', async () => {
      const { caFile } = authority;
      const open = tlsSettings({ ...files, caFile });
      const { port, identities } = await serveHttps(open, here);
      const max = { maxVersion: 'TLSv1.2' } as const;
      const first = connectTls(trusting({ port, host: '127.0.0.1', ...max }));
      await new Promise((resolve) => first.once('secureConnect', resolve));
      const session = first.getSession();
      first.destroy();
      identities.takeOver(tlsSettings({ ...files, caFile, verifyIncoming: true }));
      assert.equal(await enters(port, trusting({ ...max, session })), false);
    });
  });

  it('shows a new certificate after a reload, and breaks nothing off', async () => {
    let answer: () => void = () => undefined;
    const waits: RequestListener = ({ url }, response) => {
      if (url === '/wait') answer = () => response.end('late');
      else response.end('here');
    };
    const { port, identities, parsed } = await serveHttps(tlsSettings(files), waits);
    const before = await RawClient.connectTls(port, trusting());
    before.send(getText('/wait'));
    await until(() => parsed() === 1);
    await authority.files({ names: ['renewed.example'] }, files);
    const renewed = trusting({ servername: 'renewed.example' });
    await assert.rejects(RawClient.connectTls(port, renewed), {
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    identities.takeOver(tlsSettings(files));
    const after = await RawClient.connectTls(port, renewed);
    assert.equal((await after.ask(GET)).body.toString(), 'here');
    answer();
    assert.equal((await before.answer()).body.toString(), 'late');
    assert.equal((await before.ask(GET)).body.toString(), 'here');
  });
});

/** What is written goes out one byte at a time. */
function byteByByte(socket: Socket): Duplex {
  socket.setNoDelay(true);
  const duplex = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _, done) {
      const next = (at: number) => {
        if (at === chunk.length) done();
        else socket.write(chunk.subarray(at, at + 1), () => next(at + 1));
      };
      next(0);
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk) => duplex.push(chunk));
  socket.on('close', () => duplex.push(null));
  return duplex;
}
