import assert from 'node:assert/strict';
import { createApp } from '../../../../lib/http/app.ts';
import { FastPath } from '../../../../lib/http/fast/fast-path.ts';
import { Listener } from '../../../../lib/http/listener.ts';
import { anyone } from '../../../../lib/http/right.ts';
import { silentLogger } from '../../../../lib/logger.ts';
import { settle } from '../../../support/fakes/fake-clock.ts';
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
