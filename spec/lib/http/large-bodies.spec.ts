/** Large answers, and clients that read them slowly, go, or are too many. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { largeBodies } from '../../../lib/body-room.ts';
import { inSlices, type Steps, type Work } from '../../../lib/slices.ts';
import { getText, RawClient } from '../../support/servers/raw-client.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

const TREE = '/v1/kv/large?recurse';

/** More than the sockets' own buffers hold, or more than a slice's work. */
async function startLarge(keys: number, valueBytes: number) {
  const server = await startServer();
  const value = Buffer.alloc(valueBytes, 'a value, ');
  for (let i = 0; i < keys; i++) await server.put(`/v1/kv/large/${i}`, value);
  const { index } = await server.get('/v1/kv/large?keys');
  /** In base64. */
  return { ...server, value, index, bytes: (keys * valueBytes * 4) / 3 };
}

type Large = Awaited<ReturnType<typeof startLarge>>;

/** Reads so many bytes and then no more. */
async function read(socket: Socket, bytes: number): Promise<void> {
  let got = 0;
  await new Promise<void>((resolve) => {
    const count = (part: Buffer) => {
      got += part.length;
      if (got < bytes) return;
      socket.off('data', count).pause();
      resolve();
    };
    socket.on('data', count).resume();
  });
}

describe('a large answer to a client that does not read it', () => {
  for (const way of ['long', 'fast']) {
    it(`is counted for as long as the connection is there: the ${way} way`, async () => {
      const { port, parsed, bytes } = await startLarge(20, 512 * 1024);
      const before = largeBodies.bytes;
      const socket = connect({ port, host: '127.0.0.1' });
      const ask = () => socket.write(getText(TREE));
      if (way === 'fast') {
        for (let n = 0; n < 2; n++) {
          ask();
          await read(socket, bytes);
          await until(() => largeBodies.bytes === before);
        }
      }
      const was = parsed();
      ask();
      await until(() => largeBodies.bytes - before >= bytes);
      assert.equal(parsed() - was, way === 'fast' ? 0 : 1);
      socket.destroy();
      await until(() => largeBodies.bytes === before);
    }).timeout(20_000);
  }

  it('comes whole to one who reads, and so does the next answer on the same connection', async () => {
    const { port, value, bytes } = await startLarge(40, 5000);
    const client = await RawClient.connect(port);
    const bodies: Buffer[] = [];
    for (let n = 0; n < 3; n++) bodies.push((await client.ask(getText(TREE))).body);
    client.send(getText(TREE) + getText('/v1/kv/large/0?raw') + getText(TREE));
    bodies.push((await client.answer()).body);
    assert.deepEqual((await client.answer()).body, value);
    bodies.push((await client.answer()).body);
    assert(bodies.every((body) => body.length > bytes && body.equals(bodies[0] as Buffer)));
  });
});

/** Keeps everybody waiting who wants more than a slice. */
async function crowd(): Promise<() => void> {
  const endless = function* (): Steps<void> {
    for (;;) yield 512 * 1024;
  };
  const leave: (() => void)[] = [];
  const come = (many: number) => {
    for (let i = 0; i < many; i++) leave.push((inSlices(endless) as Work<void>).want());
  };
  come(4096);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  come(10);
  return () => {
    for (const each of leave) each();
  };
}

describe('a wait that ends in a large answer when too many are being made', () => {
  const target = (index: number) => `${TREE}&index=${index}&wait=60s`;
  const told = /^HTTP\/1.1 429 Too Many Requests\r\n/;

  for (const [why, end] of Object.entries({
    'something changes': async ({ put }: Large): Promise<void> => {
      await put('/v1/kv/large/0', 'x');
    },
    'its time is over': async ({ clock }: Large) => clock.advance(70_000),
  })) {
    it(`says so to each who shares it, and cuts off nobody: ${why}`, async () => {
      const server = await startLarge(130, 5000);
      const { port, index, fastPath } = server;
      const clients: RawClient[] = [];
      for (let n = 0; n < 3; n++) {
        const client = await RawClient.connect(port);
        await client.ask(getText('/v1/status/leader'));
        client.send(getText(target(index)));
        await until(() => server.server.answers.waiting === n + 1);
        clients.push(client);
      }
      assert.equal(fastPath.size.parked, 2);
      const leave = await crowd();
      try {
        await end(server);
        for (const client of clients) {
          const { head, body } = await client.answer();
          assert.match(head, told);
          assert.match(head, /^Vary: Accept-Encoding\r$/m);
          assert.equal(body.toString(), 'Too many large answers are being made');
        }
      } finally {
        leave();
      }
      for (const client of clients) {
        assert.match((await client.ask(getText('/v1/status/leader'))).head, /^HTTP\/1.1 200/);
      }
    }).timeout(20_000);
  }
});
