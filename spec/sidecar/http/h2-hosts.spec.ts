/** What a host of HTTP/2 may say, or leave, and what becomes of its callers. */
import assert from 'node:assert/strict';
import { CODE, FLAG, FRAME } from '../../../sidecar/http/h2/frames.ts';
import { blockOf } from '../../../sidecar/http/h2/hpack.ts';
import { SETTING } from '../../../sidecar/http/h2/settings.ts';
import { ask, startHttp } from '../../support/servers/http-sidecars.ts';
import {
  ANSWER,
  ASK,
  framed,
  number,
  type RawConnection,
  REQUEST,
  rawCaller,
  setting,
  startRawHost,
} from '../../support/servers/raw-h2.ts';
import { until } from '../../support/until.ts';

/** To each request this, by frames of its stream. */
async function sidecarOf(answer: (id: number, connection: RawConnection) => void) {
  const host = await startRawHost(({ type, stream }, connection) => {
    if (type === FRAME.head) answer(stream, connection);
  });
  const sidecar = await startHttp([{ id: 'a', port: host.port }], [], { protocol: 'http2' });
  return { host, port: sidecar.port, clock: sidecar.clock };
}

const head = (...fields: string[]) => blockOf([':status', '200', ...fields]);

describe('a sidecar and a host of HTTP/2', () => {
  for (const [what, answer] of [
    ['a body without a head', (id: number) => [framed(FRAME.data, 0, id, 'hello')]],
    [
      'a body without a head, and breaks it off',
      (id: number) => [
        framed(FRAME.data, 0, id, 'hello'),
        framed(FRAME.reset, 0, id, number(CODE.internal)),
      ],
    ],
    ['an end without a head', (id: number) => [framed(FRAME.data, FLAG.end, id)]],
    [
      'two lengths',
      (id: number) => [
        framed(FRAME.head, FLAG.endOfHead, id, head('content-length', '3', 'content-length', '4')),
        framed(FRAME.data, FLAG.end, id, 'abc'),
      ],
    ],
  ] as const) {
    it(`answers in its place, and goes on, where it says ${what}`, async () => {
      const { port } = await sidecarOf((id, { say }) => say(...answer(id)));
      for (let i = 0; i < 2; i++) assert.equal((await ask(port, '/', POST)).status, 503);
    });
  }

  it('passes no body on where there is none', async () => {
    const { port } = await sidecarOf((id, { say }) =>
      say(
        framed(FRAME.head, FLAG.endOfHead, id, head('content-length', '5')),
        framed(FRAME.data, 0, id, 'hello'),
        framed(FRAME.data, FLAG.end, id, 'more'),
      ),
    );
    for (let i = 0; i < 2; i++) {
      const answer = await ask(port, '/', { method: 'HEAD' }).catch((error) => error);
      assert.equal(answer.text ?? answer.code, 'ECONNRESET');
    }
  });

  it('asks it again where it took no more on a connection, and calls nobody who has seen the request', async () => {
    const asked = new Map<RawConnection, number>();
    const { port, host } = await sidecarOf((id, connection) => {
      const before = asked.get(connection) ?? 0;
      asked.set(connection, before + 1);
      // The third and what comes behind it is not taken.
      if (before >= 2) return;
      connection.say(framed(FRAME.head, ASK, id, ANSWER));
      if (before === 1)
        connection.say(framed(FRAME.goaway, 0, 0, Buffer.concat([number(id), number(0)])));
    });
    for (let round = 0; round < 5; round++) {
      const all = await Promise.all([1, 2, 3, 4].map(() => ask(port, '/', POST)));
      assert.deepEqual(
        all.map(({ status }) => status),
        [200, 200, 200, 200],
      );
    }
    assert.equal(host.connections.length, 10);
  });

  it('asks it again a little later where it has too much to do, if twice is as once', async () => {
    let asked = 0;
    const { port, clock } = await sidecarOf((id, { say }) => {
      const isFirst = ++asked === 1;
      if (isFirst) say(framed(FRAME.reset, 0, id, number(CODE.calm)));
      else say(framed(FRAME.head, ASK, id, ANSWER));
    });
    const answer = ask(port, '/');
    await until(async () => {
      await clock.advance(25);
      return asked === 2;
    });
    assert.equal((await answer).status, 200);
    asked = 0;
    assert.equal((await ask(port, '/', { method: 'POST' })).status, 503);
    assert.equal(asked, 1);
  });

  it('sends no more at once than it lets be, also at the beginning', async () => {
    const open = new Map<RawConnection, number>();
    let most = 0;
    const host = await startRawHost(
      ({ type, stream }, connection) => {
        if (type !== FRAME.head) return;
        const now = (open.get(connection) ?? 0) + 1;
        open.set(connection, now);
        most = Math.max(most, now);
        setImmediate(() => {
          open.set(connection, (open.get(connection) ?? 0) - 1);
          connection.say(framed(FRAME.head, ASK, stream, ANSWER));
        });
      },
      setting(SETTING.streams, 3),
    );
    const sidecar = await startHttp([{ id: 'a', port: host.port }], [], { protocol: 'http2' });
    const all = await Promise.all(Array.from({ length: 30 }, () => ask(sidecar.port, '/')));
    assert.ok(all.every(({ status }) => status === 200));
    assert.ok(most <= 3, `${most} at once`);
  });

  it('keeps no connections to one that lets no request be', async () => {
    const host = await startRawHost(() => undefined, setting(SETTING.streams, 0));
    const sidecar = await startHttp([{ id: 'a', port: host.port }], [], { protocol: 'http2' });
    for (let i = 0; i < 10; i++) assert.equal((await ask(sidecar.port, '/')).status, 503);
    await until(
      () => host.sockets.size === 0,
      () => host.sockets.size,
    );
  });

  it('keeps a connection on which callers take their requests back', async () => {
    let asked = 0;
    const { port, host } = await sidecarOf(() => asked++);
    const caller = rawCaller(port);
    for (let i = 0; i < 20; i++) {
      caller.say(framed(FRAME.head, ASK, 1 + 2 * i, REQUEST));
      await until(() => asked === i + 1);
      caller.say(framed(FRAME.reset, 0, 1 + 2 * i, number(CODE.cancel)));
    }
    caller.say(framed(FRAME.ping, 0, 0, '12345678'));
    await until(() => caller.heard.frames.some(({ type }) => type === FRAME.ping));
    caller.destroy();
    assert.equal(host.connections.length, 1);
  });

  it('takes many resets of it, each of which is of a request from here', async () => {
    const { port, host } = await sidecarOf((id, { say }) =>
      say(framed(FRAME.head, ASK, id, ANSWER), framed(FRAME.reset, 0, id, number(CODE.none))),
    );
    const caller = rawCaller(port);
    const heads = () => caller.heard.frames.filter(({ type }) => type === FRAME.head).length;
    for (let i = 0; i < 1300; ) {
      const to = i + 50;
      for (; i < to; i++) caller.say(framed(FRAME.head, ASK, 1 + 2 * i, REQUEST));
      await until(() => heads() === to, heads);
    }
    caller.destroy();
    assert.equal(host.connections.length, 1);
  });
});

const POST = { method: 'POST' };
