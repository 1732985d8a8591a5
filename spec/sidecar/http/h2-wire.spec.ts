/** Connections of HTTP/2 as they are read and written here, beside Node's own, and against what may not be said. */
import assert from 'node:assert/strict';
import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import { CODE, FLAG, FRAME, FrameReader } from '../../../sidecar/http/h2/frames.ts';
import { blockOf, fieldText, HpackReader } from '../../../sidecar/http/h2/hpack.ts';
import { Session } from '../../../sidecar/http/h2/session.ts';
import { PREFACE } from '../../../sidecar/http/h2/settings.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import {
  atEnd,
  client,
  listening,
  MAX_STREAMS,
  raw,
  SERVED,
  serve,
} from '../../support/servers/h2-sessions.ts';
import { framed, number, REQUEST, startRawHost } from '../../support/servers/raw-h2.ts';
import { until } from '../../support/until.ts';

async function echoed(session: ClientHttp2Session, body: Buffer): Promise<Buffer> {
  const stream = session.request({ ':method': 'POST', ':path': '/' });
  const parts: Buffer[] = [];
  stream.on('data', (part: Buffer) => parts.push(part));
  stream.end(body);
  await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
  return Buffer.concat(parts);
}

describe('heads of HTTP/2', () => {
  it('are read as Node writes them: every sign, by its table, in parts', async () => {
    const signs = Buffer.from(
      Array.from({ length: 256 }, (_, i) => i).filter((i) => i > 32 && i !== 127),
    );
    const value = signs.toString('latin1');
    const heads = new HpackReader(64 * 1024);
    const found: (readonly string[])[] = [];
    const frames = new FrameReader();
    const port = await listening((socket) => {
      socket.once('readable', () => {
        socket.read(PREFACE.length);
        socket.on('data', (chunk: Buffer) =>
          frames.push(chunk, (type, _, __, payload) => {
            if (type === FRAME.head) found.push(heads.read(payload)?.fields ?? []);
            return true;
          }),
        );
        socket.resume();
      });
    });
    const session = client(port);
    for (const path of ['/1', '/2', '/2']) {
      session
        .request({ ':path': path, 'x-all': value, cookie: 'a=b' })
        .on('error', () => undefined);
    }
    await until(() => found.length === 3);
    for (const [i, fields] of found.entries()) {
      assert.equal(fields[fields.indexOf(':path') + 1], i === 0 ? '/1' : '/2');
      assert.equal(fields[fields.indexOf('x-all') + 1], value);
    }
  });

  it('are written as they are read, whatever their length', () => {
    const fields = [
      ':path',
      '/index.html',
      'x-long',
      'x'.repeat(3000),
      'set-cookie',
      '',
      'te',
      'é',
    ];
    const block = new HpackReader(64 * 1024).read(Buffer.from(blockOf(fields), 'latin1'));
    assert.deepEqual([block?.fields, block?.fault], [fields, undefined]);
  });

  it('are no heads where a number has no end, nothing is at a place, or a table grows', () => {
    for (const bytes of [
      [0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
      [0xbf],
      [0x80],
      [0x3f, 0xe2, 0x1f],
      [0x82, 0x20],
      [0x00, 0x01, 0x61, 0x05, 0x62],
      [0x00, 0x01, 0x61, 0x81, 0x00],
    ]) {
      assert.equal(new HpackReader(1024).read(Buffer.from(bytes)), undefined, bytes.join());
    }
  });

  it('are taken for nothing where they hold line ends or capitals, or too much of a table', () => {
    const fault = (...fields: string[]) =>
      new HpackReader(4096).read(Buffer.from(blockOf(fields), 'latin1'))?.fault;
    assert.equal(fault('x-a', 'a\r\nb: c'), 'malformed');
    assert.equal(fault('X-A', 'a'), 'malformed');
    assert.equal(fault('x a', 'a'), 'malformed');
    assert.equal(fault('x-a', ' a'), 'malformed');
    // One entry of 3 KB, named a thousand times.
    const entry = `\x40\x03x-a${fieldText('', 'y'.repeat(3000)).slice(2)}`;
    const bomb = Buffer.from(`${entry}${'\xbe'.repeat(1000)}`, 'latin1');
    const { fields, fault: why } = new HpackReader(4096).read(bomb) ?? {};
    assert.deepEqual([fields, why], [[], 'too large']);
  });
});

describe('a connection of HTTP/2', () => {
  it('carries large bodies both ways at once, on many streams', async () => {
    const { port } = await serve();
    const session = client(port);
    const body = Buffer.alloc(1024 * 1024, 'abcdefg');
    const all = await Promise.all(Array.from({ length: 8 }, () => echoed(session, body)));
    for (const each of all) assert.ok(each.equals(body));
  });

  it('lets no more come than somebody takes', async () => {
    const { port, seen } = await serve((stream) => stream.pause());
    const stream = client(port).request({ ':method': 'POST', ':path': '/' });
    stream.on('error', () => undefined);
    stream.write(Buffer.alloc(4 * SERVED.windowBytes));
    await until(() => seen.streams.length === 1);
    const [first] = seen.streams;
    let bytes = 0;
    if (first?.taker !== undefined)
      first.taker = { ...first.taker, data: (part) => (bytes += part.length) };
    first?.resume();
    await until(
      () => bytes === 4 * SERVED.windowBytes,
      () => bytes,
    );
  });

  it('resets a stream on which more comes than may, or another length than was said', async () => {
    const { port } = await serve((stream) => {
      stream.expected = 3;
    });
    const caller = raw(port);
    caller.say(
      framed(FRAME.head, FLAG.endOfHead, 1, REQUEST),
      framed(FRAME.data, FLAG.end, 1, 'ab'),
    );
    assert.equal(await caller.reset(1), CODE.protocol);
    caller.say(framed(FRAME.head, FLAG.endOfHead, 3, REQUEST), framed(FRAME.data, 0, 3, 'abcd'));
    assert.equal(await caller.reset(3), CODE.protocol);
    const other = await serve((stream) => stream.pause());
    const greedy = raw(other.port);
    greedy.say(framed(FRAME.head, FLAG.endOfHead, 1, REQUEST));
    for (let i = 0; i < 5; i++) greedy.say(framed(FRAME.data, 0, 1, Buffer.alloc(16_384)));
    assert.equal(await greedy.reset(1), CODE.flow);
  });

  it('refuses more requests at once than it says, and goes on with the others', async () => {
    const { port, seen } = await serve(() => undefined);
    const caller = raw(port);
    for (let i = 0; i <= MAX_STREAMS; i++) {
      caller.say(framed(FRAME.head, FLAG.endOfHead, 1 + 2 * i, REQUEST));
    }
    assert.equal(await caller.reset(1 + 2 * MAX_STREAMS), CODE.refused);
    assert.equal(seen.streams.length, MAX_STREAMS);
  });

  it('lets as many requests be taken back as were answered', async () => {
    const { port, seen } = await serve((stream) => {
      if (stream.id % 4 === 1) stream.head(fieldText(':status', '200'), true);
    });
    const caller = raw(port);
    for (let i = 0; i < 1500; i++) {
      caller.say(
        framed(FRAME.head, FLAG.endOfHead | FLAG.end, 1 + 4 * i, REQUEST),
        framed(FRAME.head, FLAG.endOfHead | FLAG.end, 3 + 4 * i, REQUEST),
        framed(FRAME.reset, 0, 3 + 4 * i, number(CODE.cancel)),
      );
    }
    await until(() => seen.streams.length === 3000);
    assert.equal(seen.closed, 0);
  });

  it('is closed soon after it has ended, whatever is still said on it', async () => {
    const { port, clock } = await serve();
    const caller = raw(port);
    caller.say(framed(FRAME.ping, 0, 0, 'x'));
    assert.equal(await caller.goaway(), CODE.size);
    caller.say(framed(FRAME.ping, 0, 0, '12345678'));
    await until(async () => {
      await clock.advance(1000);
      caller.say(framed(FRAME.ping, 0, 0, '12345678'));
      return caller.socket.destroyed;
    });
  });

  it('asks nothing back of who answers what he was not asked', async () => {
    const { port } = await serve();
    const caller = raw(port);
    caller.say(framed(FRAME.ping, FLAG.ack, 0, '12345678'));
    caller.say(framed(FRAME.ping, 0, 0, 'abcdefgh'));
    const pings = () => caller.heard.frames.filter(({ type }) => type === FRAME.ping);
    await until(() => pings().length > 0);
    assert.deepEqual(
      pings().map(({ flags, payload }) => [flags, payload.toString()]),
      [[FLAG.ack, 'abcdefgh']],
    );
  });

  it('has an end, and says so, when as many requests were sent on it as may be', async () => {
    const host = await startRawHost(() => undefined);
    const socket = connect(host.port, '127.0.0.1');
    atEnd(() => socket.destroy());
    let retired = 0;
    const session = new Session({
      ...{ ...SERVED, socket, clock: new FakeClock() },
      maxRequests: 2,
      retired: () => retired++,
      closed: () => undefined,
    });
    const taker = {
      ...{ fieldsCame: () => undefined, data: () => undefined, ended: () => undefined },
      ...{ broken: () => undefined, drained: () => undefined },
    };
    const ids = [1, 2, 3].map(() => session.open(taker)?.id);
    assert.deepEqual([ids, retired, session.isRetired], [[1, 3, undefined], 1, true]);
  });

  it('tells of each request that it is broken when the connection is', async () => {
    const { port, seen } = await serve(() => undefined);
    const caller = raw(port);
    caller.say(framed(FRAME.head, FLAG.endOfHead, 1, REQUEST));
    caller.say(framed(FRAME.head, FLAG.endOfHead | FLAG.end, 3, REQUEST));
    await until(() => seen.streams.length === 2);
    caller.socket.destroy();
    await until(
      () => seen.broken.length === 2,
      () => seen.broken,
    );
  });

  it('takes what is on its way to a stream that was reset for no fault', async () => {
    const { port } = await serve((stream) => stream.abort(CODE.internal));
    const caller = raw(port);
    caller.say(framed(FRAME.head, FLAG.endOfHead, 1, REQUEST));
    assert.equal(await caller.reset(1), CODE.internal);
    caller.say(framed(FRAME.data, 0, 1, 'more'), framed(FRAME.head, FLAG.endOfHead, 3, REQUEST));
    assert.equal(await caller.reset(3), CODE.internal);
  });

  it('refuses nothing that was sent before its warning was heard', async () => {
    const { port, seen, sessions } = await serve();
    const caller = raw(port);
    const goaways = () => caller.heard.frames.filter(({ type }) => type === FRAME.goaway).length;
    const pings = () => caller.heard.frames.filter(({ type }) => type === FRAME.ping);
    caller.say(framed(FRAME.head, FLAG.endOfHead, 1, REQUEST));
    await until(() => seen.streams.length === 1);
    for (const session of sessions) session.warn();
    for (const session of sessions) session.retireWarned();
    await until(() => goaways() === 1 && pings().length === 1);
    caller.say(framed(FRAME.head, FLAG.endOfHead | FLAG.end, 3, REQUEST));
    await until(() => seen.streams.length === 2);
    const heard = () => caller.say(framed(FRAME.ping, FLAG.ack, 0, pings()[0]?.payload));
    heard();
    caller.say(framed(FRAME.head, FLAG.endOfHead | FLAG.end, 5, REQUEST));
    await until(() => seen.streams.length === 3 && pings().length === 2);
    heard();
    await until(() => goaways() === 2);
    caller.say(framed(FRAME.head, FLAG.endOfHead, 7, REQUEST));
    assert.equal(await caller.reset(7), CODE.refused);
    caller.say(framed(FRAME.data, FLAG.end, 1));
    await until(() => caller.heard.ended);
  });

  it('answers what a caller had on its way when it said that it takes no more', async () => {
    const { port } = await serve();
    const caller = raw(port);
    caller.say(framed(FRAME.goaway, 0, 0, Buffer.alloc(8)));
    caller.say(framed(FRAME.head, FLAG.endOfHead | FLAG.end, 1, REQUEST));
    await until(() => caller.heard.frames.some(({ type, stream }) => type === 1 && stream === 1));
  });

  it('needs no more of a request that is answered', async () => {
    const { port } = await serve((stream) => stream.head(fieldText(':status', '200'), true));
    const caller = raw(port);
    caller.say(framed(FRAME.head, FLAG.endOfHead, 1, REQUEST));
    assert.equal(await caller.reset(1), CODE.none);
  });

  it('says in its first head that it keeps no table, and again where the other side keeps less', async () => {
    const { port } = await serve();
    const caller = raw(port);
    const heads = () => caller.heard.frames.filter(({ type }) => type === FRAME.head);
    const ask = async (id: number) => {
      caller.say(framed(FRAME.head, FLAG.endOfHead | FLAG.end, id, REQUEST));
      await until(() => heads().length === (id + 1) / 2);
      return heads().at(-1)?.payload[0];
    };
    assert.deepEqual([await ask(1), await ask(3)], [0x20, 0x88]);
    caller.say(framed(FRAME.settings, 0, 0, Buffer.concat([Buffer.from([0, 1]), number(0)])));
    assert.equal(await ask(5), 0x20);
  });
});
