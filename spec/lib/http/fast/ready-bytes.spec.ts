import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { withHeadRoom } from '../../../../lib/head-room.ts';
import { createApp } from '../../../../lib/http/app.ts';
import { FastPath } from '../../../../lib/http/fast/fast-path.ts';
import { ReadyBytes } from '../../../../lib/http/fast/ready-bytes.ts';
import { Listener } from '../../../../lib/http/listener.ts';
import { anyone } from '../../../../lib/http/right.ts';
import { silentLogger } from '../../../../lib/logger.ts';
import { FakeClock, settle } from '../../../support/fakes/fake-clock.ts';
import { getText, RawClient } from '../../../support/servers/raw-client.ts';

describe('a shared answer that must first be known to be new enough', () => {
  let listener: Listener | undefined;
  afterEach(() => listener?.stop());

  async function start() {
    let origin = '';
    const fastPath = new FastPath({ originOf: () => origin });
    let gate: Promise<void> | undefined;
    let asked = 0;
    const handle = () => {
      asked++;
      return {
        text: `answer ${asked}`,
        shared: { bytes: 0, ready: () => gate, stands: () => true },
      };
    };
    const app = createApp(
      { routes: [{ method: 'GET', path: '/v1/x', right: anyone, does: 'x', handle }] },
      { fastPath, logger: silentLogger },
    );
    const at = { host: '127.0.0.1', port: 0 };
    listener = new Listener({
      listener: app,
      at,
      limits: { connectionsPerAddress: () => 0 },
      shortcut: fastPath,
    });
    await listener.start();
    const client = await RawClient.connect(listener.port);
    const request = getText('/v1/x');
    await client.ask(request);
    const hold = () => {
      const { promise, resolve, reject } = withResolvers();
      gate = promise;
      return { resolve, reject };
    };
    const { port } = listener;
    const from = (place: string) => {
      origin = place;
      return RawClient.connect(port);
    };
    return { client, request, hold, from, asked: () => asked };
  }

  it('is given to nobody from elsewhere, whose like the guards may refuse', async () => {
    const { client, request, from, asked } = await start();
    const near = await from('near');
    for (const expected of ['answer 2', 'answer 2']) {
      assert.equal((await near.ask(request)).body.toString(), expected);
    }
    assert.equal((await client.ask(request)).body.toString(), 'answer 3');
    assert.equal(asked(), 3);
  });

  it('is given when it is, and not before', async () => {
    const { client, request, hold, asked } = await start();
    const { resolve } = hold();
    client.send(request);
    await settle();
    assert.equal(client.unread, 0);
    resolve();
    assert.equal((await client.answer()).body.toString(), 'answer 1');
    assert.equal((await client.ask(request)).body.toString(), 'answer 1');
    assert.equal(asked(), 1);
  });

  it('is left to the route when that cannot be known', async () => {
    const { client, request, hold, asked } = await start();
    const { reject } = hold();
    client.send(request);
    await settle();
    reject(new Error('the log is away'));
    assert.equal((await client.answer()).body.toString(), 'answer 2');
    assert.equal(asked(), 2);
  });
});

describe('an answer for which the configuration says a date', () => {
  let listener: Listener | undefined;
  afterEach(() => listener?.stop());

  it('has no other beside it, whichever way it is given', async () => {
    const fastPath = new FastPath();
    const shared = { bytes: 0, stands: () => true, ready: () => undefined };
    const handle = () => ({ text: 'x', shared });
    const put = () => ({ text: 'x' });
    const what = { right: anyone, does: 'x' };
    const routes = [
      { method: 'GET', path: '/v1/x', handle, ...what },
      { method: 'PUT', path: '/v1/x', handle: put, ...what },
    ] as const;
    const responseHeaders = { date: 'some day' };
    const settings = { responseHeaders, disableUnprintableCharFilter: false };
    const app = createApp({ routes }, { fastPath, settings, logger: silentLogger });
    listener = new Listener({
      listener: app,
      at: { host: '127.0.0.1', port: 0 },
      limits: { connectionsPerAddress: () => 0 },
      shortcut: fastPath,
    });
    await listener.start();
    const client = await RawClient.connect(listener.port);
    for (const text of [getText('/v1/x'), getText('/v1/x').replace('GET', 'PUT')]) {
      const parsed = await client.ask(text);
      const before = fastPath.answered;
      assert.deepEqual(await client.ask(text), parsed);
      assert.equal(fastPath.answered, before + 1);
      assert.deepEqual(parsed.head.match(/^date: .*$/gim), ['date: some day']);
    }
  });
});

function withResolvers() {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((done, fail) => {
    resolve = done;
    reject = fail;
  });
  return { promise, resolve, reject };
}

describe('an answer that is ready to go out', () => {
  /** What it writes to: whether the kernel takes all of it at once, and what was written. */
  function socket(leaves: number) {
    const written: Buffer[] = [];
    const write = (bytes: Buffer) => void written.push(bytes);
    return { socket: { write, writableLength: leaves } as unknown as Socket, written };
  }

  function made() {
    const clock = new FakeClock();
    const body = withHeadRoom(4);
    body.write('body');
    const wire = { status: 200, headers: ['X-Y', 'z'], body };
    const write = (ready: ReadyBytes, to = socket(0)) => {
      ready.writeTo(to.socket, () => undefined);
      return to.written[0] as Buffer;
    };
    return { clock, wire, write, ready: new ReadyBytes(wire, clock) };
  }

  it('says each second in the same memory, where the kernel has taken all that went before', async () => {
    const { clock, write, ready } = made();
    const first = write(ready);
    const before = first.toString();
    assert.match(before, /\r\nDate: [^\r]{29}\r\n.*\r\n\r\nbody$/s);
    await clock.advance(1000);
    const second = write(ready);
    assert.equal(second, first);
    assert.notEqual(second.toString(), before);
  });

  it('leaves as it is what a client has not read yet, and takes other memory for the next second', async () => {
    const { clock, write, ready } = made();
    const slow = write(ready, socket(4));
    const before = slow.toString();
    await clock.advance(1000);
    const next = write(ready);
    assert.equal(slow.toString(), before);
    assert.notEqual(next.toString(), before);
    assert.equal(next.length, before.length);
    await clock.advance(1000);
    assert.equal(write(ready), next);
  });

  it('has memory of its own where another head stands before the body', () => {
    const { wire, write, ready, clock } = made();
    const other = new ReadyBytes({ ...wire, headers: ['X-Other', 'w'] }, clock);
    const [one, two] = [write(ready), write(other)];
    assert.match(one.toString(), /X-Y: z\r\n.*body$/s);
    assert.match(two.toString(), /X-Other: w\r\n.*body$/s);
    assert.notEqual(one.buffer, two.buffer);
  });
});
