/** How much of an answer is read, and what is made of a refusal. */
import assert from 'node:assert/strict';
import { createApiClient } from '../../cli/api-client.ts';
import { serveHttp } from '../support/servers/http-servers.ts';

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
