/** Requests of one connection of HTTP/1.1 that come before those before them are answered. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { ask, startHttp } from '../../support/servers/http-sidecars.ts';
import { call, plain } from '../../support/servers/sidecars.ts';
import { until } from '../../support/until.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** Answers when it is told to. */
async function slow() {
  const asked = new Map<string, ServerResponse>();
  const { port } = await serveHttp(({ url = '' }, response) => void asked.set(url, response));
  return { ...(await startHttp([{ id: 'a', port }])), asked };
}

describe('a caller by HTTP/1.1 who asks for more before he is answered', () => {
  it('is answered one after the other: the next goes out when the one before has its answer', async () => {
    const { port, asked } = await slow();
    const { socket, said, state } = call(port);
    socket.write(get('/1') + get('/2') + get('/3'));
    for (const path of ['/1', '/2', '/3']) {
      await until(() => asked.has(path));
      assert.equal([...asked.keys()].at(-1), path);
      asked.get(path)?.end(`of ${path};`);
      await said(`of ${path};`);
    }
    assert.match(state.text, /of \/1;.*of \/2;.*of \/3;/s);
    socket.write(get('/4'));
    await until(() => asked.has('/4'));
  });

  it('leaves nothing under way when he goes, however much he had asked for', async () => {
    const { port, asked, hosts, sidecar } = await slow();
    const { socket } = call(port);
    socket.write(Array.from({ length: 100 }, (_, i) => get(`/${i}`)).join(''));
    await until(() => asked.has('/0'));
    socket.resetAndDestroy();
    asked.get('/0')?.end('x');
    await until(async () => {
      const [{ active } = { active: -1 }] = (await hosts()) as unknown as { active: number }[];
      return active === 0;
    });
    assert.ok(asked.size < 3, `${asked.size}`);
    assert.equal(sidecar.buffers.bytes, 0);
  });

  it('leaves nothing under way when he goes, though nobody answers and something of his waits', async () => {
    const { port, asked, hosts, sidecar } = await slow();
    for (const leave of ['destroy', 'resetAndDestroy'] as const) {
      const { socket } = call(port);
      socket.write(Array.from({ length: 20 }, (_, i) => get(`/${leave}-${i}`)).join(''));
      await until(() => asked.has(`/${leave}-0`));
      socket[leave]();
      await until(async () => {
        const [{ active } = { active: -1 }] = (await hosts()) as unknown as { active: number }[];
        return active === 0;
      });
    }
    assert.equal(asked.size, 2);
    assert.equal(sidecar.buffers.bytes, 0);
  });

  it('has each of many answered, more of them than are read at once', async () => {
    const { port } = await serveHttp(({ url }, response) => response.end(`of ${url};`));
    const sidecar = await startHttp([{ id: 'a', port }]);
    const { socket, said } = call(sidecar.port);
    socket.write(Array.from({ length: 200 }, (_, i) => get(`/${i}`)).join(''));
    await said('of /199;');
    assert.equal(sidecar.sidecar.buffers.bytes, 0);
  });

  it('has no answer, and nothing begun, behind what was refused', async () => {
    const { port, asked } = await slow();
    const { socket, said, state } = call(port);
    socket.write(`${get('/1') + get('/2#fragment')}DELETE /3 HTTP/1.1\r\nHost: x\r\n\r\n`);
    await until(() => asked.has('/1'));
    asked.get('/1')?.end('of /1;');
    await said('of /1;');
    await said('HTTP/1.1 400 ');
    await until(() => state.ended || state.closed);
    assert.deepEqual([...asked.keys()], ['/1']);
  });

  it('has each body with its own request', async () => {
    const bodies: string[] = [];
    const { port } = await serveHttp((request, response) => {
      let text = '';
      request.on('data', (part: Buffer) => {
        text += part.toString();
      });
      request.on('end', () => {
        bodies.push(text);
        response.end(`${bodies.length};`);
      });
    });
    const sidecar = await startHttp([{ id: 'a', port }]);
    const { socket, said } = call(sidecar.port);
    const post = (body: string) =>
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const large = 'b'.repeat(300_000);
    socket.write(post('one') + post(large) + post('three'));
    await said('\r\n\r\n3;');
    assert.deepEqual(bodies, ['one', large, 'three']);
  });
});

describe('a connection whose protocol does not change', () => {
  const tunnel = 'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n';
  const socketOf = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  for (const [what, text] of [
    ['a tunnel that nobody builds', tunnel],
    ['a WebSocket that is refused', socketOf],
  ] as const) {
    it(`ends with its caller, who said something behind ${what}`, async () => {
      const { port } = await serveHttp((_, response) => response.end('no'));
      const upstreams = [plain('web', { maxConnections: 1 })];
      const sidecar = await startHttp([{ id: 'a', port }], [], { upstreams });
      const { socket, said, state } = call(sidecar.port);
      socket.write(text);
      await said('HTTP/1.1 ');
      socket.write('more');
      await until(() => state.ended);
      socket.end('and more');
      const answered = () => ask(sidecar.port, '/').catch(() => undefined);
      await until(async () => (await answered())?.status === 200);
    });
  }
});
