import assert from 'node:assert/strict';
import { startServer } from '../../support/servers/start-server.ts';

const SECOND_MS = 1000;

async function start() {
  const server = await startServer();
  await server.put('/v1/catalog/register', { Node: 'n1', Address: '10.0.0.1' });
  const create = async (body: object) => {
    const { status, text, json } = await server.put('/v1/session/create', { Checks: [], ...body });
    assert.equal(status, 200, text);
    return (json as { ID: string }).ID;
  };
  const lives = async (id: string) =>
    ((await server.get(`/v1/session/info/${id}`)).json as unknown[]).length === 1;
  return { ...server, create, lives };
}

describe('a session with a TTL of 10 s', () => {
  it('lives for its TTL at least and twice its TTL at most', async () => {
    const { clock, create, lives } = await start();
    const id = await create({ TTL: '10s' });
    await clock.advance(10 * SECOND_MS);
    assert.equal(await lives(id), true);
    await clock.advance(10 * SECOND_MS);
    assert.equal(await lives(id), false);
  });

  it('lives on while it is renewed', async () => {
    const { clock, create, lives, put } = await start();
    const id = await create({ TTL: '10s' });
    for (let i = 0; i < 5; i++) {
      await clock.advance(9 * SECOND_MS);
      assert.equal((await put(`/v1/session/renew/${id}`)).status, 200);
    }
    assert.equal(await lives(id), true);
  });

  it('answers 404 to a renewal that comes too late', async () => {
    const { clock, create, put } = await start();
    const id = await create({ TTL: '10s' });
    await clock.advance(20 * SECOND_MS);
    const { status, text } = await put(`/v1/session/renew/${id}`);
    assert.deepEqual([status, text], [404, `Session id '${id}' not found`]);
  });
});

describe('PUT /v1/session/create', () => {
  it('keeps a session without TTL for ever', async () => {
    const { clock, create, lives } = await start();
    const id = await create({});
    await clock.advance(60 * SECOND_MS);
    assert.equal(await lives(id), true);
  });

  it('rests on serfHealth where no checks are named', async () => {
    const { put } = await start();
    const { status, text } = await put('/v1/session/create', {});
    assert.equal(status, 500);
    assert.match(text, /Missing check 'serfHealth' registration/);
  });

  for (const [body, text] of [
    [{ TTL: '9s' }, /^Invalid Session TTL '9000000000', must be between \[10s=24h0m0s\]$/],
    [{ TTL: '25h' }, /^Invalid Session TTL/],
    [{ TTL: 'soon' }, /^Session TTL 'soon' invalid/],
    [{ Behavior: 'hide' }, /^Invalid Behavior setting 'hide'$/],
    [{ Node: 'none' }, /^Missing node registration$/],
  ] as const) {
    it(`refuses ${JSON.stringify(body)} in Consul's words`, async () => {
      const { put } = await start();
      const answer = await put('/v1/session/create', { Checks: [], ...body });
      assert.equal(answer.status, 500);
      assert.match(answer.text, text);
    });
  }
});

describe('a lock', () => {
  it('is taken, kept from others, released and delayed as its session says', async () => {
    const { clock, create, put } = await start();
    const [a, b] = [await create({ LockDelay: '15s' }), await create({})];
    const acquire = async (id: string) => (await put(`/v1/kv/k?acquire=${id}`, 'x')).text;
    assert.deepEqual([await acquire(a), await acquire(b)], ['true', 'false']);
    await put(`/v1/session/destroy/${a}`);
    assert.equal(await acquire(b), 'false');
    await clock.advance(15 * SECOND_MS);
    assert.equal(await acquire(b), 'true');
    assert.equal((await put(`/v1/kv/k?release=${b}`)).text, 'true');
  });

  it('wakes who waits for the key when its session ends', async () => {
    const { clock, create, get, put } = await start();
    const id = await create({});
    await put(`/v1/kv/k?acquire=${id}`, 'x');
    const { index } = await get('/v1/kv/k');
    const { armed } = clock;
    const waiting = get(`/v1/kv/k?index=${index}`);
    await clock.untilArmed(armed + 1);
    await put(`/v1/session/destroy/${id}`);
    assert.doesNotMatch((await waiting).text, /Session/);
  });
});

describe('GET /v1/session/info/:id', () => {
  for (const [id, text] of [
    ['x', 'failed session lookup: index error: UUID must be 36 characters'],
    [
      '00000000-0000-4000-a000-00000000000g',
      "failed session lookup: index error: Invalid UUID '00000000-0000-4000-a000-00000000000g'",
    ],
  ] as const) {
    it(`says what is wrong with ${id}`, async () => {
      const answer = await (await start()).get(`/v1/session/info/${id}`);
      assert.deepEqual([answer.status, answer.text], [500, text]);
    });
  }
});
