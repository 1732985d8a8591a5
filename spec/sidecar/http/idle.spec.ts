/** Requests on which nothing moves, and connections that do not come to a request: each ends, and not before its time. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { FLAG, FRAME } from '../../../sidecar/http/h2/frames.ts';
import { SETTING } from '../../../sidecar/http/h2/settings.ts';
import { startBackend } from '../../support/servers/backends.ts';
import { raw } from '../../support/servers/h2-sessions.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { startHttp } from '../../support/servers/http-sidecars.ts';
import { ASK, framed, number, requestHead, setting } from '../../support/servers/raw-h2.ts';
import { call, LIMITS } from '../../support/servers/sidecars.ts';
import { until } from '../../support/until.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const FIVE_MINUTES = LIMITS.streamIdleMs;

/** Says the beginning of an answer, and goes on when it is told to. */
async function starting() {
  const open: ServerResponse[] = [];
  const { port } = await serveHttp((_, response) => {
    response.write('first;');
    open.push(response);
  });
  return { port, open };
}

describe('a request on which nothing moves', () => {
  it('is cut after five minutes, though it is answered; one that moves goes on', async () => {
    const { port, open } = await starting();
    const sidecar = await startHttp([{ id: 'a', port }]);
    const [stopped, going] = [call(sidecar.port), call(sidecar.port)];
    for (const { socket, said } of [stopped, going]) {
      socket.write(GET);
      await said('first;');
    }
    await sidecar.clock.advance(FIVE_MINUTES);
    open[1]?.write('second;');
    await going.said('second;');
    assert.equal(stopped.state.closed, false);
    await sidecar.clock.advance(FIVE_MINUTES);
    await until(() => stopped.state.closed);
    assert.deepEqual([stopped.state.error, going.state.closed], ['ECONNRESET', false]);
    assert.match(sidecar.lines.join(''), /"fault":"stream timeout"/);
  });

  it('has as long as its route says', async () => {
    const { port } = await starting();
    const Destination = { IdleTimeout: '1200s' };
    const entry = { Kind: 'service-router', Name: 'web', Routes: [{ Destination }] };
    const sidecar = await startHttp([{ id: 'a', port }], [entry]);
    const caller = call(sidecar.port);
    caller.socket.write(GET);
    await caller.said('first;');
    await sidecar.clock.advance(3 * FIVE_MINUTES);
    assert.equal(caller.state.closed, false);
    await sidecar.clock.advance(5 * FIVE_MINUTES);
    await until(() => caller.state.closed);
  });

  it('has as long for its whole answer as its route says, though nothing moves', async () => {
    let isAsked = false;
    const { port } = await serveHttp(() => {
      isAsked = true;
    });
    const Destination = { RequestTimeout: '1200s' };
    const entry = { Kind: 'service-router', Name: 'web', Routes: [{ Destination }] };
    const sidecar = await startHttp([{ id: 'a', port }], [entry]);
    const caller = call(sidecar.port);
    caller.socket.write(GET);
    await until(() => isAsked);
    await sidecar.clock.advance(3 * FIVE_MINUTES);
    assert.equal(caller.state.text, '');
    await sidecar.clock.advance(FIVE_MINUTES);
    await caller.said('HTTP/1.1 504 ');
  });

  it('is never cut where nobody wants that', async () => {
    const { port } = await starting();
    const limits = { ...LIMITS, streamIdleMs: 0 };
    const sidecar = await startHttp([{ id: 'a', port }], [], { limits });
    const caller = call(sidecar.port);
    caller.socket.write(GET);
    await caller.said('first;');
    await sidecar.clock.advance(100 * FIVE_MINUTES);
    assert.equal(caller.state.closed, false);
  });
});

describe('an answer that is whole, and that its caller does not take', () => {
  it('is dropped after five minutes by HTTP/2, unless he takes some of it', async () => {
    const { port } = await serveHttp((_, response) => response.end('x'.repeat(100)));
    const sidecar = await startHttp([{ id: 'a', port }]);
    const caller = raw(sidecar.port, setting(SETTING.window, 0));
    caller.say(framed(FRAME.head, ASK, 1, requestHead('GET', '/')));
    await until(() => sidecar.lines.length === 1);
    await sidecar.clock.advance(FIVE_MINUTES - 1);
    caller.say(framed(FRAME.window, 0, 1, number(10)));
    await until(() => caller.heard.frames.some(({ type }) => type === FRAME.data));
    await sidecar.clock.advance(FIVE_MINUTES);
    const isReset = () => caller.heard.frames.some(({ type }) => type === FRAME.reset);
    assert.equal(isReset(), false);
    await sidecar.clock.advance(FIVE_MINUTES);
    await until(isReset);
    assert.equal(sidecar.sidecar.buffers.bytes, 0);
  });
});

describe('a connection by HTTP/2', () => {
  it('has a minute to say its settings', async () => {
    const { port } = await serveHttp((_, response) => response.end('ok'));
    const sidecar = await startHttp([{ id: 'a', port }]);
    const caller = call(sidecar.port);
    caller.socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await until(() => caller.state.text !== '');
    await sidecar.clock.advance(59_999);
    assert.equal(caller.state.ended, false);
    await sidecar.clock.advance(1);
    await until(() => caller.state.ended || caller.state.closed);
  });

  it('is told to go on with a body that it keeps back', async () => {
    const { port } = await serveHttp((request, response) => request.pipe(response));
    const sidecar = await startHttp([{ id: 'a', port }]);
    const caller = raw(sidecar.port);
    const head = requestHead('POST', '/', 'expect', '100-continue');
    caller.say(framed(FRAME.head, FLAG.endOfHead, 1, head));
    const heads = () => caller.heard.frames.filter(({ type }) => type === FRAME.head);
    await until(() => heads().length === 1);
    assert.match(heads()[0]?.payload.toString('latin1') ?? '', /100$/);
    caller.say(framed(FRAME.data, FLAG.end, 1, 'body'));
    const bodies = () => caller.heard.frames.filter(({ type }) => type === FRAME.data);
    await until(() => bodies().some(({ payload }) => payload.toString() === 'body'));
  });
});

describe('a request by HTTP/1.1', () => {
  for (const [what, fields] of [
    ['another encoding than in parts', 'Transfer-Encoding: gzip, chunked'],
    ['a length, and parts', 'Content-Length: 1\r\nTransfer-Encoding: chunked'],
    ['two lengths', 'Content-Length: 1\r\nContent-Length: 2'],
    ['a field that goes on on the next line', 'X-A: b\r\n c'],
    ['two hosts', 'Host: y'],
    ['a sign before the colon', 'X-A : b'],
  ] as const) {
    it(`is refused with ${what}`, async () => {
      const { port, taken } = await startBackend('a', (socket) => socket.end());
      const sidecar = await startHttp([{ id: 'a', port }]);
      const caller = call(sidecar.port);
      caller.socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n1\r\na\r\n0\r\n\r\n`);
      await caller.said('HTTP/1.1 400 ');
      assert.equal(taken(), 0);
    });
  }

  it('loses none of thousands of fields', async () => {
    let text = '';
    const { port } = await startBackend('a', (socket) => {
      socket.on('data', (data: Buffer) => (text += data.toString()));
    });
    const sidecar = await startHttp([{ id: 'a', port }]);
    const caller = call(sidecar.port);
    caller.socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${'a:\r\n'.repeat(2500)}z: last\r\n\r\n`);
    await until(() => text.endsWith('z: last\r\n\r\n'));
  });
});

describe('a WebSocket', () => {
  const OPEN = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

  async function echoing(entries: readonly object[] = []) {
    const { port, server } = await serveHttp((_, response) => response.end('no socket'));
    server.on('upgrade', (_, socket) => {
      const said = 'Connection: Upgrade\r\nUpgrade: websocket';
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${said}\r\n\r\n`);
      socket.on('error', () => undefined).pipe(socket);
    });
    return await startHttp([{ id: 'a', port }], entries);
  }

  const Destination = { IdleTimeout: '10s' };
  for (const [what, entries] of [
    ['as long as something moves', []],
    [
      'as long as something moves for its route',
      [{ Kind: 'service-router', Name: 'web', Routes: [{ Destination }] }],
    ],
  ] as const) {
    it(`stays ${what}, however long that is`, async () => {
      const sidecar = await echoing(entries);
      const { socket, said, state } = call(sidecar.port);
      socket.write(OPEN);
      await said('101 ');
      for (let i = 0; i < 5; i++) {
        await sidecar.clock.advance(FIVE_MINUTES);
        socket.write(`word ${i};`);
        await said(`word ${i};`);
      }
      assert.deepEqual([state.closed, sidecar.lines], [false, []]);
      socket.end();
      await until(() => state.closed);
    });
  }
});
