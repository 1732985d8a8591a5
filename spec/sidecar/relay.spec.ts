import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { relay } from '../../sidecar/relay.ts';
import { boundlessBuffers } from '../support/fakes/boundless-buffers.ts';
import { until } from '../support/until.ts';

/** Two ends of a connection. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  const near = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  for (const socket of [near, far]) socket.on('error', () => undefined);
  return [near, far];
}

describe('relay', () => {
  for (const gone of ['the caller', 'the host', 'each']) {
    it(`comes to its end where ${gone} had gone before it began`, async () => {
      const [[caller, one], [called, other]] = [await pair(), await pair()];
      if (gone !== 'the host') caller.destroy();
      if (gone !== 'the caller') called.destroy();
      await until(() => caller.closed || called.closed);
      const { sent, received, fault } = await relay(
        caller,
        called,
        0,
        boundlessBuffers().of(caller),
      );
      assert.deepEqual([sent, received, fault], [0, 0, 'closed early']);
      assert.deepEqual([caller.destroyed, called.destroyed], [true, true]);
      for (const socket of [one, other]) socket.destroy();
    });
  }
});
