import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { endSoon } from '../../../sidecar/http/ending.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { startBackend, stopBackends } from '../../support/servers/backends.ts';
import { until } from '../../support/until.ts';

/** More than a machine keeps between two of its programs. */
const MUCH = 64 * 1024 * 1024;

describe('a connection of which nothing more is heard', () => {
  const clients: Socket[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await stopBackends();
  });

  async function ending(bytes: number) {
    const clock = new FakeClock();
    let ended: Socket | undefined;
    const { port } = await startBackend('a', (socket) => {
      socket.write(Buffer.alloc(bytes));
      endSoon(socket, clock);
      ended = socket;
    });
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    client.pause().on('error', () => undefined);
    clients.push(client);
    await until(() => ended !== undefined);
    return { clock, client, socket: ended as unknown as Socket };
  }

  it('has as long to be read as its other side goes on to read it', async () => {
    const { clock, client, socket } = await ending(MUCH);
    let bytes = 0;
    client.on('data', (part: Buffer) => {
      bytes += part.length;
    });
    client.pause();
    await clock.advance(14_999);
    assert.equal(socket.destroyed, false);
    client.resume();
    await until(() => client.readableEnded);
    assert.equal(bytes, MUCH);
    client.end();
    await until(() => socket.destroyed);
    assert.equal(clock.armed, 0);
  });

  it('is closed where its other side does not read it', async () => {
    const { clock, socket } = await ending(MUCH);
    await clock.advance(15_000);
    await until(() => socket.destroyed);
    assert.equal(clock.armed, 0);
  });

  it('is closed a second after all was written, whatever is still said on it', async () => {
    const { clock, client, socket } = await ending(10);
    client.resume();
    await until(() => client.readableEnded);
    await until(async () => {
      client.write('more');
      await clock.advance(1000);
      return socket.destroyed;
    });
    assert.equal(clock.armed, 0);
  });
});
