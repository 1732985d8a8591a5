import assert from 'node:assert/strict';
import type { KeyValue } from '../../../lib/model.ts';
import { startAclServer } from '../../support/servers/acl-server.ts';
import { startServer } from '../../support/servers/start-server.ts';

interface Shown {
  readonly Key: string;
  readonly Revision: number;
  readonly Time: string | null;
  readonly AccessorID: string;
  readonly Deleted: boolean;
  readonly Value: string | null;
}

const SETTINGS = '/v1/operator/kv-revisions';
const base64 = (text: string) => Buffer.from(text).toString('base64');

async function start(settings: object = {}) {
  const server = await startServer();
  const { get, put } = server;
  // For the sessions.
  await put('/v1/catalog/register', { Node: 'n1', Address: '10.0.0.1' });
  await put(SETTINGS, { Prefixes: ['config/'], ...settings });
  const history = async (key: string, more = '') =>
    (await get(`/v1/kv/${key}?history${more}`)).json as readonly Shown[];
  const texts = async (key: string) =>
    (await history(key)).map(({ Value, Deleted }) =>
      Deleted ? undefined : Buffer.from(Value ?? '', 'base64').toString(),
    );
  /** Writes one after the other, and says at which index each was there. */
  const write = async (key: string, ...values: string[]) => {
    const indexes: number[] = [];
    for (const value of values) {
      await put(`/v1/kv/${key}`, value);
      indexes.push(((await get(`/v1/kv/${key}`)).json as readonly KeyValue[])[0]?.ModifyIndex ?? 0);
    }
    return indexes;
  };
  return { ...server, history, texts, write };
}

describe('/v1/kv/:key?history', () => {
  it('has nothing of a key under no prefix that was named', async () => {
    const { write, texts } = await start();
    await write('other', 'a', 'b');
    assert.deepEqual(await texts('other'), []);
  });

  it('shows each change, the newest first, with its index and time', async () => {
    const { write, history, clock } = await start();
    const [first, second] = await write('config/a', 'a', 'b');
    const at = new Date(clock.now()).toISOString();
    assert.deepEqual(await history('config/a'), [
      revision(second, at, 'b'),
      revision(first, at, 'a'),
    ]);
  });

  function revision(Revision: number | undefined, Time: string, text: string) {
    const what = { Deleted: false, Flags: 0, Value: base64(text) };
    return { Key: 'config/a', Revision, Time, AccessorID: '', ...what };
  }

  it('shows as many as are asked for', async () => {
    const { write, history } = await start();
    await write('config/a', 'a', 'b', 'c');
    const shown = await history('config/a', '=2');
    assert.deepEqual(
      shown.map(({ Value }) => Value),
      [base64('c'), base64('b')],
    );
  });

  it('takes no note of a write that says the same, nor of a lock', async () => {
    const { write, put, texts } = await start();
    await write('config/a', 'a');
    const { ID } = (await put('/v1/session/create', { Checks: [] })).json as { ID: string };
    await put(`/v1/kv/config/a?acquire=${ID}`, 'a');
    await put(`/v1/kv/config/a?release=${ID}`, 'a');
    assert.deepEqual(await texts('config/a'), ['a']);
  });

  it('shows that a key was deleted, by itself, in a tree or with its session', async () => {
    const { ask, put, write, texts } = await start();
    await write('config/a', 'a');
    await ask('DELETE', '/v1/kv/config/a');
    await write('config/a', 'b');
    await ask('DELETE', '/v1/kv/conf?recurse');
    const { ID } = (await put('/v1/session/create', { Checks: [], Behavior: 'delete' })).json as {
      ID: string;
    };
    await put(`/v1/kv/config/a?acquire=${ID}`, 'c');
    await put(`/v1/session/destroy/${ID}`);
    assert.deepEqual(await texts('config/a'), [undefined, 'c', undefined, 'b', undefined, 'a']);
  });

  it('knows what stood there before, but not since when', async () => {
    const { put, write, history } = await start({ Prefixes: [] });
    const [before] = await write('config/a', 'a');
    await put(SETTINGS, { Prefixes: ['config/'] });
    await write('config/a', 'b');
    const [, oldest] = await history('config/a');
    assert.deepEqual([oldest?.Revision, oldest?.Time, oldest?.Value], [before, null, base64('a')]);
  });

  it('wakes whoever waits for it', async () => {
    const { clock, get, write } = await start();
    await write('config/a', 'a');
    const { index } = await get('/v1/kv/config/a?history');
    const { armed } = clock;
    const waiting = get(`/v1/kv/config/a?history&index=${index}`);
    await clock.untilArmed(armed + 1);
    await write('config/a', 'b');
    assert.equal(((await waiting).json as readonly Shown[]).length, 2);
  });

  it('keeps of a key as many as it was told', async () => {
    const { write, texts } = await start({ Count: 2 });
    await write('config/a', 'a', 'b', 'c');
    assert.deepEqual(await texts('config/a'), ['c', 'b']);
  });

  it('lets those go that have not stood for too long, and never what stands', async () => {
    const { clock, write, texts } = await start({ MaxAge: '1h' });
    await write('config/a', 'a', 'b');
    await write('config/b', 'x');
    await clock.advance(2 * 3_600_000);
    await write('config/b', 'y');
    assert.deepEqual(await texts('config/a'), ['b']);
    assert.deepEqual(await texts('config/b'), ['y', 'x']);
  });

  it('lets the oldest of all keys go where they are too large together', async () => {
    const { write, texts } = await start({ MaxBytes: 3000 });
    await write('config/a', 'a'.repeat(1000), 'b');
    await write('config/b', 'c'.repeat(1000), 'd');
    assert.deepEqual(await texts('config/a'), ['b']);
    assert.deepEqual(await texts('config/b'), ['d', 'c'.repeat(1000)]);
  });

  it('forgets the keys whose prefix is no longer named', async () => {
    const { put, write, texts } = await start();
    await write('config/a', 'a', 'b');
    await put(SETTINGS, { Prefixes: [] });
    assert.deepEqual(await texts('config/a'), []);
  });

  it('goes on over a restored snapshot, which is a change', async () => {
    const { port, put, write, texts, history } = await start();
    await write('config/a', 'a');
    await write('config/same', 's');
    const saved = await fetch(`http://127.0.0.1:${port}/v1/snapshot`);
    const archive = Buffer.from(await saved.arrayBuffer());
    await write('config/a', 'b');
    await write('config/later', 'l');
    assert.equal((await put('/v1/snapshot', archive)).status, 200);
    assert.deepEqual(await texts('config/a'), ['a', 'b', 'a']);
    assert.deepEqual(await texts('config/later'), [undefined, 'l']);
    assert.equal((await history('config/same')).length, 1);
  });
});

describe('/v1/kv/:key?revision', () => {
  it('shows what stood at an index, also between two changes', async () => {
    const { get, write } = await start();
    const [first = 0] = await write('config/a', 'a');
    await write('config/b', 'x', 'y');
    const [second = 0] = await write('config/a', 'b');
    const at = async (index: number) =>
      ((await get(`/v1/kv/config/a?revision=${index}`)).json as readonly KeyValue[])[0];
    assert.equal((await at(first))?.Value, base64('a'));
    assert.deepEqual((await at(second - 1))?.ModifyIndex, first);
    assert.equal((await at(second))?.Value, base64('b'));
    const { text, headers } = await get(`/v1/kv/config/a?revision=${first}&raw`);
    assert.deepEqual([text, headers['content-security-policy']], ['a', 'sandbox']);
  });

  it('is 404 of what is not kept, with its reason, and of a deletion, without one', async () => {
    const { ask, get, write } = await start();
    const [first = 0] = await write('config/a', 'a');
    const none = await get(`/v1/kv/config/a?revision=${first - 1}`);
    assert.equal(none.status, 404);
    assert.match(none.text, /^no revision \d+ of the key "config\/a" is kept/);
    await ask('DELETE', '/v1/kv/config/a');
    const gone = await get(`/v1/kv/config/a?revision=${first + 100}`);
    assert.deepEqual([gone.status, gone.text], [404, '']);
  });

  it('refuses what is no index', async () => {
    const { get } = await start();
    for (const bad of ['x', '-1', '1.5', '18446744073709551616']) {
      assert.equal((await get(`/v1/kv/config/a?revision=${bad}`)).status, 400, bad);
    }
  });
});

describe('PUT /v1/kv/:key?rollback', () => {
  it('writes what stood there, flags too, as another change', async () => {
    const { put, get, write, texts } = await start();
    await put('/v1/kv/config/a?flags=7', 'a');
    const [first] = [((await get('/v1/kv/config/a')).json as KeyValue[])[0]?.ModifyIndex];
    await write('config/a', 'b');
    assert.equal((await put(`/v1/kv/config/a?rollback=${first}`)).json, true);
    assert.equal(((await get('/v1/kv/config/a')).json as KeyValue[])[0]?.Flags, 7);
    assert.deepEqual(await texts('config/a'), ['a', 'b', 'a']);
  });

  it('deletes the key where it was not there', async () => {
    const { ask, put, get, write } = await start();
    await write('config/a', 'a');
    await ask('DELETE', '/v1/kv/config/a');
    const gone = Number((await get('/v1/kv/config/a?history')).index);
    await write('config/a', 'b');
    assert.equal((await put(`/v1/kv/config/a?rollback=${gone}`)).json, true);
    assert.equal((await get('/v1/kv/config/a')).status, 404);
  });

  it('loses against a change that cas does not know of', async () => {
    const { put, write } = await start();
    const [first, second, third] = await write('config/a', 'a', 'b', 'c');
    const stale = await put(`/v1/kv/config/a?rollback=${first}&cas=${second}`);
    assert.equal(stale.json, false);
    assert.equal((await put(`/v1/kv/config/a?rollback=${first}&cas=${third}`)).json, true);
  });

  it('is 404 where that is not kept, and changes nothing', async () => {
    const { put, write, texts } = await start();
    await write('config/a', 'a');
    assert.equal((await put('/v1/kv/config/a?rollback=1')).status, 404);
    assert.deepEqual(await texts('config/a'), ['a']);
  });

  it('is refused beside a lock', async () => {
    const { put } = await start();
    assert.equal((await put('/v1/kv/config/a?rollback=1&acquire=x')).status, 400);
  });
});

describe('revisions under access control', () => {
  async function startGuarded() {
    const server = await startAclServer();
    const { master } = server;
    await master('PUT', SETTINGS, JSON.stringify({ Prefixes: [''] }));
    const token = async (Name: string, Rules: string) => {
      await master('PUT', '/v1/acl/policy', JSON.stringify({ Name, Rules }));
      return await master('PUT', '/v1/acl/token', JSON.stringify({ Policies: [{ Name }] }));
    };
    return { ...server, token };
  }

  it('say whose token it was, also in a transaction', async () => {
    const { as, master, token } = await startGuarded();
    const { SecretID = '', AccessorID } = await token('w', 'key_prefix "" { policy = "write" }');
    await as(SecretID, 'PUT', '/v1/kv/a', 'x');
    const op = { KV: { Verb: 'set', Key: 'a', Value: base64('y') } };
    await as(SecretID, 'PUT', '/v1/txn', JSON.stringify([op]));
    const shown = (await master('GET', '/v1/kv/a?history')) as unknown as readonly Shown[];
    assert.deepEqual(
      shown.map((each) => each.AccessorID),
      [AccessorID, AccessorID],
    );
  });

  it('are for who may read the key, and rolled back by who may write it as well', async () => {
    const { as, master, token } = await startGuarded();
    await master('PUT', '/v1/kv/a', 'x');
    const { SecretID: reader = '' } = await token('r', 'key_prefix "" { policy = "read" }');
    const { SecretID: other = '' } = await token('o', 'key_prefix "b" { policy = "write" }');
    assert.equal((await as(reader, 'GET', '/v1/kv/a?history')).status, 200);
    for (const path of ['?history', '?revision=1', '?revision=99']) {
      assert.equal((await as(other, 'GET', `/v1/kv/a${path}`)).status, 403, path);
    }
    // Whether there is such a revision is not told either.
    for (const index of [1, 99]) {
      assert.equal((await as(other, 'PUT', `/v1/kv/a?rollback=${index}`)).status, 403);
    }
    assert.equal((await as(reader, 'PUT', '/v1/kv/a?rollback=99')).status, 403);
  });

  it('are configured by operators', async () => {
    const { as, token } = await startGuarded();
    const { SecretID = '' } = await token('w', 'key_prefix "" { policy = "write" }');
    assert.equal((await as(SecretID, 'GET', SETTINGS)).status, 403);
    assert.equal((await as(SecretID, 'PUT', SETTINGS, '{}')).status, 403);
  });
});

describe(SETTINGS, () => {
  it('keeps nothing until it is told to, and shows what it was told', async () => {
    const { get, put } = await startServer();
    const none = { Prefixes: [], Count: 20, MaxAge: '0s', MaxBytes: 16_777_216 };
    assert.deepEqual((await get(SETTINGS)).json, { ...none, CreateIndex: 0, ModifyIndex: 0 });
    await put(SETTINGS, { prefixes: ['a'], max_age: '24h' });
    const {
      CreateIndex: _,
      ModifyIndex: __,
      ...shown
    } = (await get(SETTINGS)).json as object & {
      CreateIndex: number;
      ModifyIndex: number;
    };
    assert.deepEqual(shown, { ...none, Prefixes: ['a'], MaxAge: '24h0m0s' });
  });

  it('loses against a change that cas does not know of', async () => {
    const { put } = await startServer();
    assert.equal((await put(`${SETTINGS}?cas=0`, { Prefixes: ['a'] })).json, true);
    assert.equal((await put(`${SETTINGS}?cas=0`, { Prefixes: ['b'] })).json, false);
    assert.equal((await put(`${SETTINGS}?cas=x`, { Prefixes: ['b'] })).status, 400);
  });

  it('refuses limits that are none', async () => {
    const { put } = await startServer();
    for (const body of [{ Count: 0 }, { Count: 1001 }, { MaxBytes: -1 }, { MaxAge: '-1s' }]) {
      assert.equal((await put(SETTINGS, body)).status, 400, JSON.stringify(body));
    }
  });
});
