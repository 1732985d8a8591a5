/** Bodies by HTTP/2 where one side is slow: nobody waits for ever, and nobody for another's. */
import assert from 'node:assert/strict';
import { type ClientHttp2Session, connect, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { FLAG, FRAME } from '../../../sidecar/http/h2/frames.ts';
import { SETTING } from '../../../sidecar/http/h2/settings.ts';
import { startHttp } from '../../support/servers/http-sidecars.ts';
import {
  ANSWER,
  ASK,
  framed,
  number,
  rawCaller,
  requestHead,
  setting,
  startLavishHost,
  startRawHost,
} from '../../support/servers/raw-h2.ts';
import { until } from '../../support/until.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function sidecarOf(port: number): Promise<number> {
  return (await startHttp([{ id: 'a', port }], [], { protocol: 'http2' })).port;
}

function raw(port: number, ...settings: readonly Buffer[]) {
  const caller = rawCaller(port, ...settings);
  stops.push(caller.destroy);
  return caller;
}

function client(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 1000 });
  session.on('error', () => undefined);
  stops.push(() => session.destroy());
  return session;
}

const WINDOW_BYTES = 256 * 1024;

describe("a sidecar's bodies by HTTP/2", () => {
  it('come to their end where many of them may go on at once', async () => {
    // All of them are more than Node lets a connection keep: it refuses the rest.
    const server = createServer({ maxSessionMemory: 1000 });
    server.on('stream', (stream) => {
      stream.on('error', () => undefined);
      stream.respond();
      stream.end(Buffer.alloc(2_000_000));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => server.close());
    const port = await sidecarOf((server.address() as AddressInfo).port);
    const caller = raw(port, setting(SETTING.window, 2 ** 31 - 1));
    const ids = Array.from({ length: 12 }, (_, i) => 1 + 2 * i);
    caller.say(...ids.map((id) => framed(FRAME.head, ASK, id, requestHead('GET', '/'))));
    const bytes = () => caller.heard.frames.reduce((all, { payload }) => all + payload.length, 0);
    // Each has something that the window of the connection keeps back.
    await until(() => bytes() >= 65_535, bytes);
    caller.say(framed(FRAME.window, 0, 0, number(2 ** 30)));
    const ended = () =>
      caller.heard.frames.filter(({ type, flags }) => type === FRAME.data && flags === FLAG.end);
    await until(() => ended().length === ids.length, bytes);
  });

  it('of one caller who takes none hold up nobody else', async () => {
    const host = await startLavishHost();
    const port = await sidecarOf(host.port);
    const slow = raw(port, setting(SETTING.window, 0));
    // So much that a connection would be held up by it.
    const ids = Array.from({ length: 80 }, (_, i) => 1 + 2 * i);
    slow.say(...ids.map((id) => framed(FRAME.head, ASK, id, requestHead('GET', '/large'))));
    await until(() => slow.heard.frames.filter(({ type }) => type === FRAME.head).length === 80);
    const session = client(port);
    for (let i = 0; i < 3; i++) {
      const stream = session.request({ ':path': '/' });
      let bytes = 0;
      stream.on('data', (part: Buffer) => (bytes += part.length));
      await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
      assert.equal(bytes, 10);
    }
    assert.equal(host.connections.length, 1);
  });

  it('of many requests go on when a host takes them at last', async () => {
    const host = await startRawHost(
      ({ type, flags, stream }, { say }) => {
        const isEnd = type === FRAME.data && flags === FLAG.end;
        if (isEnd) say(framed(FRAME.head, ASK, stream, ANSWER));
      },
      setting(SETTING.window, 0),
    );
    const session = client(await sidecarOf(host.port));
    let done = 0;
    for (let i = 0; i < 72; i++) {
      const stream = session.request({ ':method': 'POST', ':path': '/' });
      stream.on('response', () => done++).on('error', () => undefined);
      stream.resume();
      stream.end(Buffer.alloc(WINDOW_BYTES + 50_000));
    }
    // The sidecar lets no more come, since nobody takes what it has.
    const isFull = () => session.state.remoteWindowSize === 0 && written() > 16 * 1024 * 1024;
    const written = () => session.socket.bytesWritten;
    await until(isFull, written);
    for (const { say } of host.connections) {
      say(
        framed(FRAME.window, 0, 0, number(2 ** 30)),
        framed(FRAME.settings, 0, 0, setting(SETTING.window, 2 ** 30)),
      );
    }
    await until(
      () => done === 72,
      () => done,
    );
  });
});
