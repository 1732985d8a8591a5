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
    const fastPath = new FastPath();
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
    return { client, request, hold, asked: () => asked };
  }

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

function withResolvers() {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((done, fail) => {
    resolve = done;
    reject = fail;
  });
  return { promise, resolve, reject };
}
