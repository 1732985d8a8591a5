/** What is kept for those who take nothing, of all connections together: it has an end, and nobody else pays for it. */
import assert from 'node:assert/strict';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, Socket } from 'node:net';
import { Buffers } from '../../../sidecar/http/buffers.ts';
import { FLAG, FRAME } from '../../../sidecar/http/h2/frames.ts';
import { SETTING } from '../../../sidecar/http/h2/settings.ts';
import { startBackend } from '../../support/servers/backends.ts';
import { atEnd, client, raw } from '../../support/servers/h2-sessions.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { ask, startHttp } from '../../support/servers/http-sidecars.ts';
import {
  ASK,
  framed,
  REQUEST,
  requestHead,
  setting,
  startLavishHost,
  startRawHost,
} from '../../support/servers/raw-h2.ts';
import { call, LIMITS, plain } from '../../support/servers/sidecars.ts';
import { until } from '../../support/until.ts';

const MAX = 1024 * 1024;
const LARGE = 8 * MAX;
const LARGE_BODY = Buffer.alloc(LARGE);
const limits = { ...LIMITS, maxBufferBytes: MAX };

/** Answers /large with more than anybody keeps, and everything else with "ok". */
async function lavish(): Promise<number> {
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200 });
    stream.end(headers[':path'] === '/large' ? LARGE_BODY : 'ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.on('session', (session) => atEnd(() => session.destroy()));
  atEnd(() => server.close());
  return (server.address() as AddressInfo).port;
}

const NO_WINDOW = setting(SETTING.window, 0);

describe('what a sidecar keeps for those who do not take it', () => {
  it('is counted for each caller, and whoever keeps most is cut where there is no more room', async () => {
    const cut: [Socket, number][] = [];
    const buffers = new Buffers({ maxBytes: 100, cut: (...one) => void cut.push(one) });
    const [a, b, c] = [new Socket(), new Socket(), new Socket()];
    const [ofA, ofB, ofC] = [a, b, c].map((each) => buffers.of(each));
    ofA?.keeps(40);
    ofB?.keeps(50);
    ofC?.keeps(10);
    await until(() => buffers.bytes === 100);
    ofC?.keeps(5);
    await until(() => cut.length === 1);
    assert.deepEqual([cut, buffers.bytes, buffers.cuts], [[[b, 50]], 55, 1]);
    // What is said of it later counts no more.
    ofB?.keeps(-50);
    ofB?.keeps(1000);
    a.destroy();
    await until(() => buffers.bytes === 15);
    ofA?.keeps(-40);
    assert.equal(buffers.bytes, 15);
  });

  it('is counted for each caller on all his connections together: of many small ones his goes, and not the largest', async () => {
    const cut: Socket[] = [];
    const buffers = new Buffers({ maxBytes: 100, cut: (socket) => void cut.push(socket) });
    const one = new Socket();
    const ofOne = buffers.of(one, 'one');
    const many = Array.from({ length: 10 }, () => new Socket());
    const ofMany = many.map((each) => buffers.of(each, 'many'));
    ofOne.keeps(30);
    for (const each of ofMany) each.keeps(8);
    await until(() => cut.length === 2);
    assert.deepEqual([cut.includes(one), buffers.bytes], [false, 94]);
    // What has gone is counted for nobody.
    for (const each of many) each.destroy();
    await until(() => buffers.bytes === 30);
    ofOne.keeps(70);
    ofOne.keeps(1);
    await until(() => cut.length === 3);
    assert.equal(cut[2], one);
  });

  it('is nothing for a caller who has closed before it is asked of him', async () => {
    const buffers = new Buffers({ maxBytes: 100, cut: () => undefined });
    const gone = new Socket();
    gone.destroy();
    await until(() => gone.closed);
    buffers.of(gone, 'x').keeps(1000);
    assert.deepEqual([buffers.bytes, buffers.connections], [0, 0]);
  });

  it('is no more than may be, however many take nothing by HTTP/2; whoever takes all is left alone', async () => {
    const { port } = await startLavishHost();
    const sidecar = await startHttp([{ id: 'a', port }], [], { protocol: 'http2', limits });
    const other = client(sidecar.port);
    const answered = async () => {
      const stream = other.request({ ':path': '/' });
      let bytes = 0;
      stream.on('data', (part: Buffer) => (bytes += part.length));
      await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
      return bytes;
    };
    assert.equal(await answered(), 10);
    const slow = Array.from({ length: 4 }, () => raw(sidecar.port, NO_WINDOW));
    const ids = Array.from({ length: 8 }, (_, i) => 1 + 2 * i);
    for (const { say } of slow) {
      say(...ids.map((id) => framed(FRAME.head, ASK, id, requestHead('GET', '/large'))));
    }
    const { buffers } = sidecar.sidecar;
    await until(
      () => buffers.cuts > 0,
      () => buffers.bytes,
    );
    assert.equal(await answered(), 10);
    await until(() => buffers.bytes <= MAX);
    assert.match(sidecar.logger.lines.join('\n'), /cuts callers who do not take/);
    const { text } = await sidecar.admin('/metrics');
    assert.match(text, /sidecar_buffers_cuts_total [1-4]\n/);
    for (const { destroy } of slow) destroy();
    await until(
      () => buffers.bytes === 0,
      () => buffers.bytes,
    );
    assert.equal(await answered(), 10);
  });

  it('counts bodies of requests that a host does not take, and long heads', async () => {
    const host = await startRawHost(() => undefined, NO_WINDOW);
    const more = { protocol: 'http2', limits: { ...LIMITS } };
    const sidecar = await startHttp([{ id: 'a', port: host.port }], [], more);
    const { buffers } = sidecar.sidecar;
    const caller = raw(sidecar.port);
    caller.say(framed(FRAME.head, FLAG.endOfHead, 1, REQUEST));
    caller.say(framed(FRAME.data, 0, 1, Buffer.alloc(10_000)));
    await until(() => buffers.bytes > 10_000);
    const before = buffers.bytes;
    const long = requestHead('POST', '/', 'x-long', 'x'.repeat(9000));
    caller.say(framed(FRAME.head, FLAG.endOfHead, 3, long));
    await until(() => buffers.bytes > before + 9000);
    caller.destroy();
    await until(() => buffers.bytes === 0);
  });

  it('counts what waits for callers of HTTP/1.1, and nothing once they have it', async () => {
    const sidecar = await startHttp([{ id: 'a', port: await lavish() }], [], {
      protocol: 'http2',
      limits: LIMITS,
    });
    const { buffers } = sidecar.sidecar;
    const caller = call(sidecar.port);
    caller.socket.pause();
    caller.socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => buffers.bytes > 0);
    caller.socket.resume();
    await until(
      () => buffers.bytes === 0 && caller.state.text.length > LARGE,
      () => buffers.bytes,
    );
    assert.equal((await ask(sidecar.port, '/')).text, 'ok');
  });

  it('counts what waits on connections that are carried as they are', async () => {
    const { port } = await startBackend('a', (socket) => void socket.write(Buffer.alloc(LARGE)));
    const upstreams = [plain('web', { protocol: 'tcp' })];
    const sidecar = await startHttp([{ id: 'a', port }], [], { upstreams, limits: LIMITS });
    const { buffers } = sidecar.sidecar;
    const caller = call(sidecar.port);
    caller.socket.pause();
    await until(() => buffers.bytes > 0);
    caller.socket.resume();
    await until(() => buffers.bytes === 0 && caller.state.text.length === LARGE);
    const other = call(sidecar.port);
    other.socket.pause();
    await until(() => buffers.bytes > 0);
    other.socket.destroy();
    await until(() => buffers.bytes === 0);
  });

  it('is one request at a time of a connection by HTTP/1.1, though none is answered', async () => {
    const { port } = await serveHttp(() => undefined);
    const sidecar = await startHttp([{ id: 'a', port }], [], {
      upstreams: [plain('web', { maxConnections: 1000 })],
    });
    const { socket, state } = call(sidecar.port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(400));
    await until(async () => (await sidecar.admin('/hosts')).text.includes('"active":1,'));
    assert.deepEqual([state.text, state.closed], ['', false]);
  });
});
