/** What costs more here than whoever says it, by HTTP/2 and without end. */
import assert from 'node:assert/strict';
import { CODE, FLAG, FRAME } from '../../../sidecar/http/h2/frames.ts';
import { SETTING } from '../../../sidecar/http/h2/settings.ts';
import { MAX_STREAMS, raw, serve } from '../../support/servers/h2-sessions.ts';
import { ANSWER, ASK, framed, number, REQUEST, setting } from '../../support/servers/raw-h2.ts';
import { until } from '../../support/until.ts';

const MANY = 10_400;

function many(frame: Buffer): Buffer[] {
  return Array.from({ length: MANY }, () => frame);
}

describe('a connection of HTTP/2', () => {
  for (const [what, frames] of [
    ['requests that are taken back at once', reset()],
    ['settings', many(framed(FRAME.settings, 0, 0))],
    ['pings', many(framed(FRAME.ping, 0, 0, '12345678'))],
    ['empty parts of a body', emptyParts()],
    ['wider windows', many(framed(FRAME.window, 0, 0, number(1)))],
    ['priorities', many(framed(FRAME.priority, 0, 1, Buffer.alloc(5)))],
    ['farewells', many(framed(FRAME.goaway, 0, 0, Buffer.alloc(8)))],
    ['frames that nobody knows', many(framed(77, 0, 0, 'x'))],
    ['parts of a head', Array.from({ length: 10 }, (_, i) => framed(i === 0 ? 1 : 9, 0, 1, 'x'))],
  ] as const) {
    it(`ends where ${what} come without end`, async () => {
      const { port, seen } = await serve();
      const caller = raw(port);
      caller.say(...frames);
      assert.equal(await caller.goaway(), CODE.calm);
      await until(() => seen.closed === 1);
    });
  }

  it('ends where requests without end have to be reset here', async () => {
    const { port, seen } = await serve((stream) => {
      stream.expected = 1;
    });
    const caller = raw(port);
    for (let i = 0; i < 1001; i++) {
      caller.say(
        framed(FRAME.head, FLAG.endOfHead, 1 + 2 * i, REQUEST),
        framed(FRAME.data, 0, 1 + 2 * i, 'ab'),
      );
    }
    assert.equal(await caller.goaway(), CODE.calm);
    assert.equal(seen.streams.length, 1001);
  });

  it('has all its streams hear of a first window that is another, and not often', async () => {
    let heard = 0;
    const { port, seen } = await serve((stream) => {
      stream.flow = () => heard++;
    });
    const caller = raw(port);
    for (let i = 0; i < MAX_STREAMS; i++)
      caller.say(framed(FRAME.head, FLAG.endOfHead, 1 + 2 * i, REQUEST));
    await until(() => seen.streams.length === MAX_STREAMS);
    const ping = async (said: string) => {
      caller.say(framed(FRAME.ping, 0, 0, said));
      await until(() => caller.heard.frames.some(({ payload }) => payload.toString() === said));
    };
    const same = setting(SETTING.window, 65_535);
    for (let i = 0; i < 50; i++)
      caller.say(framed(FRAME.settings, 0, 0), framed(FRAME.settings, 0, 0, same));
    await ping('the same');
    assert.equal(heard, 0);
    const other = [setting(SETTING.window, 1000), setting(SETTING.window, 1001)];
    caller.say(framed(FRAME.settings, 0, 0, other[0]));
    await ping('another.');
    assert.equal(heard, MAX_STREAMS);
    for (let i = 1; i < 9000; i++) caller.say(framed(FRAME.settings, 0, 0, other[i % 2]));
    assert.equal(await caller.goaway(), CODE.calm);
    await until(() => seen.closed === 1);
    assert.ok(heard < MAX_STREAMS * 6000, `${heard}`);
  });

  it('ends where a body is asked for byte by byte', async () => {
    const { port, seen } = await serve((stream) => {
      stream.head(ANSWER, false);
      stream.write(Buffer.alloc(2 * MANY));
    });
    const caller = raw(port, setting(SETTING.window, 0));
    caller.say(framed(FRAME.head, FLAG.endOfHead, 1, REQUEST));
    await until(() => seen.streams.length === 1);
    caller.say(...many(framed(FRAME.window, 0, 1, number(1))));
    assert.equal(await caller.goaway(), CODE.calm);
    await until(() => seen.closed === 1);
  });

  it('ends where windows are widened without end, however far its numbers of requests jump', async () => {
    const { port, seen } = await serve();
    const caller = raw(port);
    for (const id of [1, 2 ** 31 - 3]) caller.say(framed(FRAME.head, ASK, id, REQUEST));
    caller.say(...many(framed(FRAME.window, 0, 0, number(1))));
    assert.equal(await caller.goaway(), CODE.calm);
    assert.equal(seen.streams.length, 2);
  });

  it('ends where heads of far more fields than anybody sends come without end', async () => {
    const { port, seen } = await serve();
    const caller = raw(port);
    // One field by its text, and the others by the place where that is kept: a byte each.
    const first = `${REQUEST}\x40\x01a\x00`;
    const wide = (count: number) => REQUEST + '\xbe'.repeat(count);
    caller.say(framed(FRAME.head, ASK, 1, first));
    const say = (count: number, from: number) =>
      caller.say(
        ...Array.from({ length: 100 }, (_, i) =>
          framed(FRAME.head, ASK, from + 2 * i, wide(count)),
        ),
      );
    for (let from = 3; from < 2000; from += 200) say(200, from);
    await until(() => seen.streams.length === 1001);
    for (let from = 3003; from < 5000; from += 200) say(1900, from);
    assert.equal(await caller.goaway(), CODE.calm);
    assert.ok(seen.streams.length < 1201, `${seen.streams.length}`);
  });

  it('has some of its requests heard in a turn of the loop, and others come between', async () => {
    const { port, seen } = await serve();
    const caller = raw(port);
    const count = 4000;
    caller.say(
      ...Array.from({ length: count }, (_, i) => framed(FRAME.head, ASK, 1 + 2 * i, REQUEST)),
      framed(FRAME.ping, 0, 0, 'the last'),
    );
    let most = 0;
    await until(async () => {
      for (let i = 0; i < 100; i++) {
        const before = seen.streams.length;
        await new Promise<void>((on) => void setImmediate(on));
        most = Math.max(most, seen.streams.length - before);
      }
      return seen.streams.length === count;
    });
    assert.ok(most > 0 && most <= 200, `${most} in one turn`);
    await until(() => caller.heard.frames.some(({ payload }) => payload.toString() === 'the last'));
    assert.equal(seen.closed, 0);
  });

  it('is heard in its turn, however many others have more to say than one holds', async () => {
    const { port, seen } = await serve();
    const heads = (count: number) =>
      Array.from({ length: count }, (_, i) => framed(FRAME.head, ASK, 1 + 2 * i, REQUEST));
    const each = 4000;
    const busy = Array.from({ length: 6 }, () => raw(port));
    for (const caller of busy) caller.say(...heads(each));
    await until(() => seen.streams.length > each / 4);
    const caller = raw(port);
    caller.say(...heads(300));
    const answers = () => caller.heard.frames.filter(({ type }) => type === FRAME.head).length;
    while (answers() < 300) await new Promise<void>((on) => void setImmediate(on));
    assert.ok(seen.streams.length < (busy.length * each) / 2, `${seen.streams.length}`);
    await until(() => seen.streams.length === busy.length * each + 300);
  });

  it('goes on where its windows are widened for each small part of a body that has come', async () => {
    const { port, seen } = await serve();
    const caller = raw(port);
    caller.say(framed(FRAME.head, FLAG.endOfHead, 1, REQUEST));
    const bytes = () =>
      caller.heard.frames
        .filter(({ type }) => type === FRAME.data)
        .reduce((all, { payload }) => all + payload.length, 0);
    const widened = [0, 1].map((id) => framed(FRAME.window, 0, id, number(10)));
    for (let i = 0; i < 60; i++) {
      for (let j = 0; j < 100; j++)
        caller.say(framed(FRAME.data, 0, 1, 'x'.repeat(10)), ...widened);
      await until(() => bytes() === (i + 1) * 1000, bytes);
    }
    assert.equal(seen.closed, 0);
  });
});

function reset(): Buffer[] {
  return Array.from({ length: 1001 }, (_, i) => [
    framed(FRAME.head, FLAG.endOfHead, 1 + 2 * i, REQUEST),
    framed(FRAME.reset, 0, 1 + 2 * i, number(CODE.cancel)),
  ]).flat();
}

function emptyParts(): Buffer[] {
  return [framed(FRAME.head, FLAG.endOfHead, 1, REQUEST), ...many(framed(FRAME.data, 0, 1))];
}
