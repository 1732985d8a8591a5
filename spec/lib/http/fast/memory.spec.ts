/** What stays in memory, by the heap and not by a counter of ours. */
import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { queryObjects } from 'node:v8';
import { liveBytes } from '../../../support/heap.ts';
import { getText, RawClient } from '../../../support/servers/raw-client.ts';
import { startServer } from '../../../support/servers/start-server.ts';
import { until } from '../../../support/until.ts';

const MB = 1024 * 1024;
const VALUE_BYTES = 200 * 1024;

/** Of other specs too, which have ended. */
function requestsAlive(): number {
  return queryObjects(IncomingMessage, { format: 'count' });
}

describe('what the fast path keeps', () => {
  /** Clients that watch one large key, each on a connection of its own. */
  async function watch(count: number, headers: Readonly<Record<string, string>> = {}) {
    const server = await startServer();
    const value = (n: number) => Buffer.alloc(VALUE_BYTES, 97 + (n % 26));
    await server.put('/v1/kv/large', value(0));
    const clients: RawClient[] = [];
    for (let i = 0; i < count; i++) {
      const client = await RawClient.connect(server.port);
      await client.ask(getText('/v1/status/leader'));
      clients.push(client);
    }
    let index = (await server.get('/v1/kv/large')).index;
    const change = async (n: number) => {
      for (const client of clients) {
        client.send(getText(`/v1/kv/large?index=${index}&wait=60s`, headers));
        await until(() => server.server.answers.waiting > clients.indexOf(client));
      }
      await server.put('/v1/kv/large', value(n));
      for (const client of clients) {
        const { head } = await client.answer();
        index = Number(/^X-Consul-Index: (\d+)\r$/m.exec(head)?.[1]);
      }
    };
    return { ...server, change };
  }

  for (const [who, count, headers, most] of [
    ['one client', 1, {}, 3 * MB],
    ['three clients', 3, {}, 3 * MB],
    // So much is kept of compressed bodies, whatever they are of.
    ['three clients that take gzip', 3, { 'Accept-Encoding': 'gzip' }, 17 * MB],
  ] as const) {
    it(`is next to nothing of the 100 values that ${who} saw`, async () => {
      const { change, fastPath } = await watch(count, headers);
      for (let n = 1; n <= 20; n++) await change(n);
      // Buffers alone: the commands are in the memory log, as texts.
      const before = await liveBytes();
      for (let n = 21; n <= 120; n++) await change(n);
      const grown = (await liveBytes()).buffers - before.buffers;
      assert(grown < most, `${(grown / MB).toFixed(1)} MB of ${(100 * VALUE_BYTES) / MB} stay`);
      assert.deepEqual([fastPath.size.waits, fastPath.size.parked], [0, 0]);
    }).timeout(60_000);
  }

  for (const times of [1, 2]) {
    it(`is within what it says it keeps of answers that were asked for ${times} times`, async () => {
      const { fastPath, get, put, port } = await startServer();
      await put('/v1/kv/small', 'x');
      const client = await RawClient.connect(port);
      await client.ask(getText('/v1/status/leader'));
      await get('/v1/kv/small');
      const before = await liveBytes();
      const requestsBefore = requestsAlive();
      for (let n = 0; n < 400; n++) {
        for (let time = 0; time < times; time++)
          await client.ask(getText(`/v1/kv/small?raw&n=${n}`));
      }
      const after = await liveBytes();
      const grown = after.heap + after.buffers - before.heap - before.buffers;
      assert.equal(fastPath.size.answers, 400);
      assert(grown <= fastPath.size.bytes, `${grown} bytes for ${fastPath.size.bytes}`);
      // What is kept is the answer, and not who asked for it.
      const requests = requestsAlive() - requestsBefore;
      assert(requests < 50, `${requests} requests are kept of 400`);
    }).timeout(60_000);
  }
});
