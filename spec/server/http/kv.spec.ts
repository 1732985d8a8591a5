import assert from 'node:assert/strict';
import { settle } from '../../support/fakes/fake-clock.ts';
import { type Answer, startServer } from '../../support/servers/start-server.ts';

async function start(...keys: string[]) {
  const server = await startServer();
  for (const key of keys) await server.put(`/v1/kv/${key}`, `value of ${key}`);
  return server;
}

describe('GET /v1/kv/:key', () => {
  it('with ?raw gives the bytes as they were put, and no browser takes them for a page', async () => {
    const { get, put } = await start();
    const bytes = Buffer.from([0, 255, 13, 10]);
    await put('/v1/kv/k', bytes);
    const { headers } = await get('/v1/kv/k?raw');
    assert.equal(headers['content-length'], '4');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['content-security-policy'], 'sandbox');
  });

  it('with ?keys and a separator cuts each name at the next one, and says it once', async () => {
    const { get } = await start('a', 'a/1', 'a/2', 'b/x/y', 'c');
    assert.deepEqual((await get('/v1/kv/?keys&separator=/')).json, ['a', 'a/', 'b/', 'c']);
    assert.deepEqual((await get('/v1/kv/b/?keys&separator=/')).json, ['b/x/']);
    assert.deepEqual((await get('/v1/kv/a?keys')).json, ['a', 'a/1', 'a/2']);
  });

  it('with ?recurse gives every key that starts so, in order', async () => {
    const { get } = await start('b', 'a/2', 'a/1', 'ab');
    const rows = (await get('/v1/kv/a?recurse')).json as { Key: string }[];
    assert.deepEqual(
      rows.map(({ Key }) => Key),
      ['a/1', 'a/2', 'ab'],
    );
  });

  it('with ?recurse and a limit gives the first of them, and wakes for any', async () => {
    const { get, put } = await start('a/2', 'a/1', 'a/3', 'b');
    const path = '/v1/kv/a/?recurse&limit=2';
    const first = await get(path);
    const keys = (first.json as { Key: string }[]).map(({ Key }) => Key);
    assert.deepEqual(keys, ['a/1', 'a/2']);
    const waiting = get(`${path}&index=${first.index}`);
    await put('/v1/kv/a/3', 'new');
    assert.ok((await waiting).index > first.index);
    assert.equal((await get('/v1/kv/c/?recurse&limit=2')).status, 404);
    for (const limit of ['0', 'x', '-1']) {
      assert.equal((await get(`/v1/kv/a/?recurse&limit=${limit}`)).status, 400, limit);
      assert.equal((await get(`/v1/kv/a/?keys&limit=${limit}`)).status, 400, limit);
    }
  });

  it('with ?recurse and a limit of bytes ends with the key by which they come to it', async () => {
    const { get, put } = await start();
    for (const [key, size] of [
      ['a', 300],
      ['b', 0],
      ['c', 600],
      ['d', 3],
    ] as const)
      await put(`/v1/kv/${key}`, 'x'.repeat(size));
    const keys = async (query: string) => {
      const { json } = await get(`/v1/kv/?recurse&${query}`);
      return (json as { Key: string }[]).map(({ Key }) => Key).join('');
    };
    // In base64, and 128 for each: 528, 656, 1584, 1716.
    for (const [bytes, expected] of [
      [1, 'a'],
      [528, 'a'],
      [529, 'ab'],
      [657, 'abc'],
      [1584, 'abc'],
      [1585, 'abcd'],
      [4 * 1024 * 1024, 'abcd'],
    ])
      assert.equal(await keys(`limit=9&limit-bytes=${bytes}`), expected, String(bytes));
    assert.equal(await keys('limit=1&limit-bytes=1585'), 'a');
    for (const bytes of ['0', 'x', '-1', String(4 * 1024 * 1024 + 1)])
      assert.equal((await get(`/v1/kv/?recurse&limit=9&limit-bytes=${bytes}`)).status, 400, bytes);
    for (const query of [
      'a?limit-bytes=9',
      '?recurse&limit-bytes=9',
      '?keys&limit=9&limit-bytes=9',
    ]) {
      const { status, text } = await get(`/v1/kv/${query}`);
      assert.deepEqual([status, text], [400, '?limit-bytes is for ?recurse with a ?limit']);
    }
  });

  it('with ?keys and a limit gives the first names', async () => {
    const { get } = await start('a/2', 'a/1', 'a/3/x', 'b/x', 'c');
    const names = async (query: string) => (await get(`/v1/kv/?keys&${query}`)).json;
    assert.deepEqual(await names('limit=2'), ['a/1', 'a/2']);
    assert.deepEqual(await names('limit=2&separator=/'), ['a/', 'b/']);
    assert.deepEqual(await names('limit=9&separator=/'), ['a/', 'b/', 'c']);
    assert.deepEqual(await names('limit=9'), ['a/1', 'a/2', 'a/3/x', 'b/x', 'c']);
  });

  it('refuses a limit that would bound nothing', async () => {
    const { get, put, del } = await start('a/1', 'a/2');
    const one = await get('/v1/kv/a/1?limit=1');
    assert.deepEqual([one.status, one.text], [400, '?limit is for ?recurse or ?keys']);
    for (const limit of ['limit', 'limit-bytes']) {
      const { status, text } = await del(`/v1/kv/a/?recurse&${limit}=1`);
      assert.deepEqual([status, text], [400, `A DELETE takes no ?${limit}`]);
      const written = await put(`/v1/kv/a/1?${limit}=1`, 'x');
      assert.deepEqual([written.status, written.text], [400, `A PUT takes no ?${limit}`]);
    }
    assert.deepEqual((await get('/v1/kv/a/?keys')).json, ['a/1', 'a/2']);
  });

  it('a tree sleeps on when a key beside it changes, and wakes for one in it', async () => {
    const { clock, get, put } = await start('t/a');
    const { index } = await get('/v1/kv/t/?recurse');
    const { armed } = clock;
    let answered = false;
    const waiting = get(`/v1/kv/t/?recurse&index=${index}`).then((answer) => {
      answered = true;
      return answer;
    });
    await clock.untilArmed(armed + 1);
    await put('/v1/kv/tx', 'x');
    await put('/v1/kv/t', 'x');
    assert.equal(answered, false);
    await put('/v1/kv/t/b', 'x');
    assert.match((await waiting).text, /"t\/b"/);
  });

  it('refuses ?stale with ?consistent', async () => {
    const { status, text } = await (await start()).get('/v1/kv/k?stale&consistent');
    assert.equal(status, 400);
    assert.match(text, /^Cannot specify \?stale with \?consistent/);
  });
});

describe('PUT /v1/kv/:key', () => {
  it('refuses several of cas, acquire and release', async () => {
    const { status, text } = await (await start()).put('/v1/kv/k?cas=1&token=T&acquire=x', 'x');
    assert.equal(status, 400);
    assert.equal(text, 'Conflicting flags: acquire=x&cas=1');
  });

  for (const query of ['flags=x', 'flags=-1', 'cas=1e3', 'cas=18446744073709551616']) {
    it(`refuses ?${query} and writes nothing`, async () => {
      const { put, server } = await start();
      const { status, text } = await put(`/v1/kv/k?${query}`, 'x');
      assert.equal(status, 500);
      assert.match(text, /^strconv\.ParseUint: parsing/);
      assert.equal(server.state.kv.size, 0);
    });
  }
});

describe('DELETE /v1/kv/:key', () => {
  it('answers true whether or not the key was there', async () => {
    const { del } = await start('k');
    assert.deepEqual(
      [(await del('/v1/kv/k')).text, (await del('/v1/kv/k')).text],
      ['true', 'true'],
    );
  });

  it('with ?recurse takes the tree, and with an old ?cas nothing', async () => {
    const { del, get } = await start('t/a', 't/b', 'u');
    assert.equal((await del('/v1/kv/t/a?cas=1')).text, 'false');
    await del('/v1/kv/t/?recurse');
    assert.deepEqual((await get('/v1/kv/?keys')).json, ['u']);
  });
});

/** As recorded from a real Consul, where no difference is named. */
describe('GET /v1/kv of what is not there', () => {
  async function blocked(target: string) {
    const server = await start('config/application/a', 'config/unrelated/a', 'other/a');
    const { index } = await server.get(target);
    const { armed } = server.clock;
    const got: Answer[] = [];
    const waiting = server
      .get(`${target}${target.includes('?') ? '&' : '?'}index=${index}`)
      .then((answer) => got.push(answer));
    await server.clock.untilArmed(armed + 1);
    return { ...server, got, index, waiting };
  }

  for (const target of [
    '/v1/kv/config/myapp/?recurse',
    '/v1/kv/config/myapp/?keys',
    '/v1/kv/config/myapp/key',
    '/v1/kv/config/myapp/key?raw',
  ]) {
    it(`is woken by what is written around it, and by nothing else: ${target}`, async () => {
      const { got, index, put, waiting } = await blocked(target);
      await put('/v1/kv/other/thing', 'x');
      await settle();
      assert.equal(got.length, 0);
      await put('/v1/kv/config/unrelated/z', 'x');
      await waiting;
      assert.equal(got[0]?.status, 404);
      assert((got[0]?.index ?? 0) > index);
    });

    it(`is answered at once when something was written around it since: ${target}`, async () => {
      const { get, put } = await start('config/application/a');
      const { index } = await get(target);
      await put('/v1/kv/config/application/a', 'y');
      const again = await get(`${target}${target.includes('?') ? '&' : '?'}index=${index}`);
      assert(again.index > index);
    });
  }

  it('is woken by any key where nothing lies in a folder around it', async () => {
    const { put, waiting } = await blocked('/v1/kv/none/at/all');
    await put('/v1/kv/other/thing', 'x');
    await waiting;
  });

  it('is exact again once it is there', async () => {
    const { get, put } = await start('config/application/a', 'config/myapp/key');
    const key = await get('/v1/kv/config/myapp/key');
    const tree = await get('/v1/kv/config/myapp/?recurse');
    await put('/v1/kv/config/application/a', 'y');
    assert.equal((await get('/v1/kv/config/myapp/key')).index, key.index);
    assert.equal((await get('/v1/kv/config/myapp/?recurse')).index, tree.index);
  });

  it('is exact for a tree whose keys went a while ago, and not for a key that went', async () => {
    const { del, get, put } = await start('config/application/a', 'config/left/a');
    await del('/v1/kv/config/left/a');
    const tree = await get('/v1/kv/config/left/?recurse');
    const key = await get('/v1/kv/config/left/a');
    await put('/v1/kv/config/application/a', 'y');
    assert.equal((await get('/v1/kv/config/left/?recurse')).index, tree.index);
    assert((await get('/v1/kv/config/left/a')).index > key.index);
  });
});

describe('GET /v1/kv/:key?index of an index that the key never had', () => {
  it('is answered at once, with the index to go on with', async () => {
    const { get } = await start('k');
    const { index } = await get('/v1/kv/k');
    assert.equal((await get(`/v1/kv/k?index=${index + 1}`)).index, index);
  });

  it('with ?stale waits until this server is as far, for its own wait at most', async () => {
    const { clock, get, put, server } = await start('k');
    const { index } = await get('/v1/kv/k');
    const behind = get(`/v1/kv/k?stale&index=${server.state.index + 1}`);
    await clock.untilArmed(clock.armed + 1);
    await put('/v1/kv/other', 'x');
    assert.equal((await behind).index, index);
    const armed = clock.armed;
    const never = get(`/v1/kv/k?stale&wait=1s&index=${server.state.index + 9}`);
    await clock.untilArmed(armed + 1);
    await clock.advance(1000);
    assert.equal((await never).index, index);
  });
});
