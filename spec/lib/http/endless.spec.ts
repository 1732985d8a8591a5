import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { createApp } from '../../../lib/http/app.ts';
import { Listener } from '../../../lib/http/listener.ts';
import { anyone } from '../../../lib/http/right.ts';
import type { Route } from '../../../lib/http/route.ts';
import { Tellings } from '../../../lib/http/tellings.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../../support/servers/file-log-on.ts';
import { getText, RawClient } from '../../support/servers/raw-client.ts';
import { until } from '../../support/until.ts';

describe('an answer that goes on', () => {
  let listener: Listener | undefined;
  afterEach(() => listener?.stop());

  async function start() {
    const tellings = new Tellings(new FakeClock());
    const signals: AbortSignal[] = [];
    const row: Route = {
      ...{ method: 'GET', path: '/told', right: anyone, does: '' },
      endless: true,
      handle: (request) => {
        signals.push(request.signal);
        return tellings.open(request, { right: anyone, look: () => 'told' });
      },
    };
    let socket: Socket | undefined;
    const late: Route = {
      ...{ method: 'GET', path: '/late', right: anyone, does: '' },
      handle: async () => {
        await until(() => socket?.readableEnded === true);
        return { text: 'late' };
      },
    };
    const app = createApp({ routes: [row, late] }, { logger: new RecordingLogger() });
    listener = new Listener({
      listener: (message, response) => {
        ({ socket } = message);
        app(message, response);
      },
      at: { host: '127.0.0.1', port: 0 },
      limits: { connectionsPerAddress: () => 0 },
    });
    await listener.start();
    return { listener, signals, client: await RawClient.connect(listener.port) };
  }

  it('comes to its end, as it should, when the listener stops', async () => {
    const { listener: stops, client } = await start();
    client.send(getText('/told'));
    await until(() => client.rest().includes('"told"\n'));
    await stops.stop();
    await client.ended();
    // Whoever is cut off lacks the end of the chunks.
    assert(client.rest().endsWith('\r\n0\r\n\r\n'), client.rest());
  });

  it('ends with whoever closes his side, also where he had done it before his turn came', async () => {
    for (const asked of [getText('/told'), getText('/late') + getText('/told')]) {
      const { signals, client } = await start();
      client.send(asked);
      client.end();
      await until(() => signals[0]?.aborted === true);
      await client.ended();
      await listener?.stop();
    }
  });
});
