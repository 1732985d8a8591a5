/** How much of an answer is read, and what is made of a refusal. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createApiClient } from '../../cli/api-client.ts';
import { TestAuthority, tlsSettings } from '../support/certificates.ts';
import { serveHttp } from '../support/servers/http-servers.ts';
import { serveHttps } from '../support/servers/https-servers.ts';

describe('an answer that is larger than is taken', () => {
  for (const [what, headers] of [
    ['says so', { 'Content-Length': '1001' }],
    ['does not say so', {}],
  ] as const) {
    it(`is refused as that where it ${what}`, async () => {
      const { port } = await serveHttp((_, response) => {
        response.writeHead(200, headers).write('x'.repeat(1000));
        response.end('x');
      });
      const target = { scheme: 'http', address: `127.0.0.1:${port}`, headers: {} } as const;
      const { signal } = new AbortController();
      const client = createApiClient({ target, query: [], signal });
      const request = { method: 'GET', path: '/' } as const;
      const refused = client.send({ ...request, maxBytes: 1000 });
      await assert.rejects(refused, { code: 'too-large' });
      assert.equal((await client.send({ ...request, maxBytes: 1001 })).text.length, 1001);
    });
  }
});

describe('an answer that is none to what was asked', () => {
  for (const [status, code] of [
    [400, 'invalid'],
    [403, 'forbidden'],
    [429, 'busy'],
    [500, 'unavailable'],
  ] as const) {
    it(`of status ${status} is said to be '${code}'`, async () => {
      const { port } = await serveHttp((_, response) => response.writeHead(status).end('no'));
      const target = { scheme: 'http', address: `127.0.0.1:${port}`, headers: {} } as const;
      const { signal } = new AbortController();
      const client = createApiClient({ target, query: [], signal });
      await assert.rejects(client.send({ method: 'GET', path: '/' }), { code });
    });
  }
});

describe('an agent by TLS that has no room for one more connection', () => {
  const { signal } = new AbortController();
  const request = { method: 'GET', path: '/' } as const;

  it("is said to be 'busy', and what was asked on a connection before goes on on that", async () => {
    const authority = await TestAuthority.create();
    const settings = tlsSettings(await authority.files());
    const { port } = await serveHttps(settings, (_, response) => response.end('here'), {
      maxConnections: 1,
    });
    const none = { cert: undefined, key: undefined, rejectUnauthorized: true };
    const tls = { ...none, ca: [Buffer.from(authority.pair.cert)], servername: 'localhost' };
    const target = { scheme: 'https', address: `127.0.0.1:${port}`, headers: {}, tls } as const;
    const resting = {};
    const client = createApiClient({ target, query: [], signal, resting });
    const kept = { ...request, isOfMany: true } as const;
    assert.equal((await client.send(kept)).text, 'here');
    await assert.rejects(client.send(request), { code: 'busy' });
    // What is asked on a connection that was kept needs no other, whichever client asks.
    const other = createApiClient({ target, query: [], signal, resting });
    assert.equal((await other.send(kept)).text, 'here');
  });

  for (const [how, cut] of [
    ['resets', (socket: Socket) => void socket.resetAndDestroy()],
    ['ends', (socket: Socket) => void socket.end()],
  ] as const) {
    it(`is said to be 'busy' where it ${how} what it has just taken, and in the clear, or once it is gone, to be away`, async () => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        // Not before it speaks, or nobody knows that it was there.
        socket.once('data', () => cut(socket));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const asked = async (scheme: 'http' | 'https') => {
        const target = { scheme, address: `127.0.0.1:${port}`, headers: {} } as const;
        return await createApiClient({ target, query: [], signal }).send(request);
      };
      await assert.rejects(asked('https'), { code: 'busy' });
      await assert.rejects(asked('http'), { code: 'unavailable' });
      await new Promise((resolve) => server.close(resolve));
      await assert.rejects(asked('https'), { code: 'unavailable' });
    });
  }
});
