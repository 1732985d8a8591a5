import assert from 'node:assert/strict';
import { Waits } from '../../../lib/http/waits.ts';
import { FAST_PATH } from '../../support/seed.ts';
import { getText, RawClient } from '../../support/servers/raw-client.ts';
import { startServerWith } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

const MINUTE = 60_000;

async function start(most = 2) {
  let now = most;
  const waits = new Waits(() => now);
  const server = await startServerWith({ waits });
  await server.put('/v1/kv/a', 'v');
  const { index } = await server.get('/v1/kv/a');
  const connect = async () => {
    const client = await RawClient.connect(server.port);
    // What is new is the parser's: from now on the fast path has its turn.
    await client.ask(getText('/v1/kv/a'));
    return client;
  };
  /** Sends it, and comes back once it waits or is answered. */
  const wait = async (token: string, target = `/v1/kv/a?index=${index}`) => {
    const client = await connect();
    const before = server.server.deps.answers.waiting;
    client.send(getText(`${target}&token=${token}`));
    await until(() => server.server.deps.answers.waiting > before || client.unread > 0);
    return client;
  };
  const statusOf = async (client: RawClient) => (await client.answer()).head.slice(9, 12);
  const setMost = (next: number) => {
    now = next;
  };
  return { ...server, waits, wait, statusOf, setMost };
}

describe('the queries that wait for one token', () => {
  it('are where none is brought those of one network, from whatever addresses of IPv6', () => {
    const waits = new Waits(() => 2);
    assert.ok(waits.enter('', '2001:db8::1'));
    assert.ok(waits.enter('', '2001:db8::2'));
    assert.equal(waits.enter('', '2001:db8::3'), undefined);
    assert.ok(waits.enter('', '2001:db8:0:1::3'));
  });

  it('are no more than they may be, and others find their place', async () => {
    const { wait, fastPath, statusOf } = await start();
    const waiting = [await wait('a'), await wait('a')];
    const refused = await (await wait('a')).answer();
    assert.match(refused.head, /^HTTP\/1\.1 429 /);
    assert.match(
      String(refused.body),
      /with this token wait already \(limits\.http_max_waits_per_token\)$/,
    );
    if (FAST_PATH) assert.equal(fastPath.size.parked, 1);
    for (const token of ['b', 'b', '', '']) waiting.push(await wait(token));
    for (const client of waiting) assert.equal(client.unread, 0);
    assert.equal(await statusOf(await wait('b')), '429');
    assert.match(String((await (await wait('')).answer()).body), /of your address wait already/);
  });

  it('are any number with 0, and what a reload makes of them', async () => {
    const { wait, statusOf, setMost } = await start(0);
    for (let n = 0; n < 4; n++) assert.equal((await wait('a')).unread, 0);
    setMost(4);
    assert.equal(await statusOf(await wait('a')), '429');
    setMost(5);
    assert.equal((await wait('a')).unread, 0);
  });

  it('count also where they are refused, answered at once or not found', async () => {
    const { wait, waits, statusOf } = await start(1);
    for (const target of ['/v1/kv/a?index=0', '/v1/kv/a?index=x', '/v1/nothing?index=1']) {
      for (let n = 0; n < 3; n++) {
        assert.notEqual(await statusOf(await wait('a', target)), '429');
        await until(() => waits.size === 0);
      }
    }
  });

  for (const [how, end] of [
    [
      'woken',
      async ({ put, server }: Started) => void (await put('/v1/kv/a', `w${server.state.index}`)),
    ],
    ['over', async ({ clock }: Started) => void (await clock.advance(10 * MINUTE))],
    ['released', async ({ server }: Started) => server.deps.answers.release()],
    [
      'abandoned',
      async (_: Started, clients: Clients) => {
        for (const client of clients) client.reset();
      },
    ],
    [
      'half closed',
      async (_: Started, clients: Clients) => {
        for (const client of clients) client.end();
      },
    ],
  ] as const) {
    it(`give back their places when they are ${how}`, async () => {
      const started = await start(3);
      for (let round = 0; round < 3; round++) {
        const { index } = await started.get('/v1/kv/a');
        const target = `/v1/kv/a?index=${index}`;
        const clients = [
          await started.wait('a', target),
          await started.wait('a', target),
          await started.wait('a', target),
        ];
        assert.equal(started.waits.size, 1);
        await end(started, clients);
        await until(() => started.waits.size === 0);
        for (const client of clients) client.close();
        await until(() => started.server.deps.answers.waiting === 0);
      }
    });
  }
});

type Started = Awaited<ReturnType<typeof start>>;
type Clients = readonly RawClient[];
