import assert from 'node:assert/strict';
import type { Session } from '../../../lib/model.ts';
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

  // As a Consul 1.8.7 shows each of them.
  const RESTING: readonly (readonly [object, object])[] = [
    [{}, { NodeChecks: ['serfHealth'], ServiceChecks: null }],
    [{ Checks: ['a'] }, { NodeChecks: ['serfHealth'], ServiceChecks: null, Checks: ['a'] }],
    [{ Checks: ['serfHealth'] }, { NodeChecks: ['serfHealth'], ServiceChecks: null }],
    [{ Checks: [] }, { NodeChecks: [], ServiceChecks: null }],
    [{ NodeChecks: ['a'] }, { NodeChecks: ['a'], ServiceChecks: null }],
    [{ NodeChecks: [] }, { NodeChecks: [], ServiceChecks: null }],
    [
      { Checks: ['a'], NodeChecks: [] },
      { NodeChecks: [], ServiceChecks: null },
    ],
    [
      { ServiceChecks: [{ ID: 'a' }] },
      { NodeChecks: ['serfHealth'], ServiceChecks: [{ ID: 'a', Namespace: '' }] },
    ],
    [{ ServiceChecks: [] }, { NodeChecks: ['serfHealth'], ServiceChecks: [] }],
    [
      { NodeChecks: [], ServiceChecks: [{ ID: 'a', Namespace: '' }] },
      { NodeChecks: [], ServiceChecks: [{ ID: 'a', Namespace: '' }] },
    ],
  ];
  for (const [sent, kept] of RESTING) {
    it(`rests on ${JSON.stringify(kept)} when it is told ${JSON.stringify(sent)}`, async () => {
      const { put, get } = await startServer();
      const checks = ['serfHealth', 'a'].map((CheckID) => ({ CheckID, Status: 'passing' }));
      await put('/v1/catalog/register', { Node: 'n1', Address: '10.0.0.1', Checks: checks });
      const made = await put('/v1/session/create', sent);
      assert.equal(made.status, 200, made.text);
      const [session] = (await get('/v1/session/list')).json as [Session];
      const { NodeChecks, ServiceChecks, Checks } = session;
      assert.deepEqual(
        { NodeChecks, ServiceChecks, ...(Checks !== undefined && { Checks }) },
        kept,
      );
    });
  }

  it('ends with a check that only `Checks` names, and with serfHealth all the same', async () => {
    for (const CheckID of ['a', 'serfHealth']) {
      const { put, get } = await startServer();
      const node = { Node: 'n1', Address: '10.0.0.1' };
      const checks = ['serfHealth', 'a'].map((id) => ({ CheckID: id, Status: 'passing' }));
      await put('/v1/catalog/register', { ...node, Checks: checks });
      await put('/v1/session/create', { Checks: ['a'] });
      await put('/v1/catalog/register', { ...node, Check: { CheckID, Status: 'critical' } });
      assert.deepEqual((await get('/v1/session/list')).json, []);
    }
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

describe('a lock-delay', () => {
  it('is over at twice its time at the latest, though the wall clock was set back by a day', async () => {
    const { put, clock } = await startServer();
    await put('/v1/catalog/register', { Node: 'a', Address: '10.0.0.1' });
    const create = async () => {
      const session = { Node: 'a', Checks: [], LockDelay: '15s' };
      return ((await put('/v1/session/create', session)).json as { ID: string }).ID;
    };
    const [a, b] = [await create(), await create()];
    await put(`/v1/kv/k?acquire=${a}`, '');
    await put(`/v1/session/destroy/${a}`);
    clock.setWall(-24 * 3600 * 1000);
    await clock.advance(10_000);
    assert.equal((await put(`/v1/kv/k?acquire=${b}`, '')).json, false);
    await clock.advance(21_000);
    assert.equal((await put(`/v1/kv/k?acquire=${b}`, '')).json, true);
  });
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

describe('the id of a session', () => {
  it('may be in capitals, wherever it is named', async () => {
    const { put, get } = await startServer();
    await put('/v1/catalog/register', { Node: 'n1', Address: '10.0.0.1' });
    const made = (await put('/v1/session/create', { NodeChecks: [] })).json as { ID: string };
    const ID = made.ID.toUpperCase();
    assert.equal((await put(`/v1/kv/k?acquire=${ID}`, 'x')).text, 'true');
    assert.equal((await put(`/v1/kv/k?release=${ID}`, 'x')).text, 'true');
    assert.equal((await put(`/v1/kv/k?acquire=${made.ID}`, 'x')).text, 'true');
    const check = { KV: { Verb: 'check-session', Key: 'k', Session: ID } };
    assert.equal((await put('/v1/txn', [check])).status, 200);
    assert.equal(((await get(`/v1/session/info/${ID}`)).json as object[]).length, 1);
    assert.equal((await put(`/v1/session/destroy/${ID}`)).text, 'true');
    assert.deepEqual((await get('/v1/session/list')).json, []);
  });
});

describe('GET /v1/session/info/:id', () => {
  for (const [id, text] of [
    ['x', 'failed session lookup: index error: UUID must be 36 characters'],
    [
      '00000000-0000-4000-a000-00000000000g',
      "failed session lookup: index error: Invalid UUID: encoding/hex: invalid byte: U+0067 'g'",
    ],
    [
      '0000-0000-0000-0000-0000-00000000000',
      'failed session lookup: index error: UUID should have maximum of 4 "-"; got 5',
    ],
    [
      '00000000000000000000000000000000000-',
      'failed session lookup: index error: Input (without hyphens) must be even length',
    ],
  ] as const) {
    it(`says what is wrong with ${id}`, async () => {
      const answer = await (await start()).get(`/v1/session/info/${id}`);
      assert.deepEqual([answer.status, answer.text], [500, text]);
    });
  }
});

describe('GET /v1/internal/overview/sessions', () => {
  async function began() {
    const server = await start();
    const { get, put, del, create } = server;
    const look = async () => {
      const { json, index } = await get('/v1/internal/overview/sessions');
      const held = (json as { Keys: string[]; KeysHeld: number }[]).map(({ Keys }) => Keys);
      return { held, index };
    };
    const lock = (id: string, key: string) => put(`/v1/kv/${key}?acquire=${id}`, 'x');
    return { get, put, del, create, look, lock };
  }

  it('shows which keys each session holds, whatever becomes of them', async () => {
    const { put, del, create, look, lock } = await began();
    const id = await create({ LockDelay: '0s' });
    const steps: [() => Promise<unknown>, string[]][] = [
      [() => lock(id, 'b/leader'), ['b/leader']],
      [() => lock(id, 'a'), ['a', 'b/leader']],
      [() => put(`/v1/kv/a?release=${id}`), ['b/leader']],
      [() => lock(id, 'a'), ['a', 'b/leader']],
      [() => del('/v1/kv/a'), ['b/leader']],
      [() => lock(id, 'b/other'), ['b/leader', 'b/other']],
      [() => del('/v1/kv/b/?recurse'), []],
    ];
    let last = (await look()).index;
    for (const [step, keys] of steps) {
      await step();
      const { held, index } = await look();
      assert.deepEqual(held, [keys]);
      assert.ok(index > last, `${keys}: ${index} after ${last}`);
      last = index;
    }
  });

  it('wakes nobody for keys that are written alone', async () => {
    const { put, create, look, lock } = await began();
    await lock(await create({}), 'leader');
    const { index } = await look();
    await put('/v1/kv/other', 'x');
    await put('/v1/kv/leader', 'y');
    assert.equal((await look()).index, index);
  });

  it('shows a hundred keys of one that holds more, and how many there are', async () => {
    const { put, create, get } = await began();
    const id = await create({});
    const ops = Array.from({ length: 64 }, (_, i) => i);
    for (const folder of ['a', 'b']) {
      const all = ops.map((i) => ({
        KV: { Verb: 'lock', Key: `${folder}/${i}`, Value: 'eA==', Session: id },
      }));
      assert.equal((await put('/v1/txn', all)).status, 200);
    }
    const [row] = (await get('/v1/internal/overview/sessions')).json as [
      { Keys: string[]; KeysHeld: number },
    ];
    assert.deepEqual([row.Keys.length, row.KeysHeld], [100, 128]);
  });
});
