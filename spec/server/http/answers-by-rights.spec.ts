/** Whose answer is whose: by what tokens come to, and for as long as they come to it. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { FakeAccess, MASTER, withToken } from '../../support/fakes/fake-access.ts';
import { startServerWith } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

const ACL = {
  defaultPolicy: 'deny',
  initialManagement: MASTER,
  keyListPolicy: false,
  reportsFiltered: false,
  dataDir: '',
} as const;
const READS_A = 'key_prefix "a" { policy = "read" }';

async function start() {
  const access = new FakeAccess({ one: READS_A, two: READS_A, other: '' });
  const server = await startServerWith({ access });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  after(() => agent.destroy());
  const get = (path: string, token: string) => server.get(path, { ...withToken(token), agent });
  const put = (path: string, body: string) => server.put(path, body, withToken(MASTER));
  await put('/v1/kv/a', '1');
  await put('/v1/kv/b', '1');
  return { access, server, get, put };
}

describe('an answer', () => {
  it('is shared by tokens that come to the same, and by no others', async () => {
    const { server, get } = await start();
    const { answers } = server.server;
    const names = async (token: string) => (await get('/v1/kv/?keys', token)).text;
    assert.equal(await names('one'), '["a"]');
    const kept = answers.size.answers;
    assert.equal(await names('two'), '["a"]');
    assert.equal(answers.size.answers, kept);
    assert.equal(await names(MASTER), '["a","b"]');
    assert.equal(await names('other'), '[]');
    assert.equal(answers.size.answers, kept + 2);
  });

  it('is no answer any more once its token has fallen, also to the very same bytes', async () => {
    const { access, get } = await start();
    for (const _ of [1, 2]) assert.equal((await get('/v1/kv/a?raw', 'one')).text, '1');
    access.grant('one', '');
    const less = await get('/v1/kv/a?raw', 'one');
    assert.deepEqual([less.status, less.text], [403, 'Permission denied']);
    access.revoke('one');
    const none = await get('/v1/kv/a?raw', 'one');
    assert.deepEqual([none.status, none.text], [403, 'ACL not found']);
    assert.equal((await get('/v1/kv/a?raw', 'two')).text, '1');
  });
});

describe('a wait', () => {
  for (const path of ['/v1/kv/a', '/v1/kv/?keys', '/v1/session/list', '/v1/event/list']) {
    it(`of ${path} ends as a stranger's whose token was revoked meanwhile`, async () => {
      const { access, server, put } = await start();
      await put('/v1/event/fire/x', '');
      const { index } = await server.get(path, withToken('one'));
      const seen = index === 0 ? 1 : index;
      const asked = [1, 2].map(() =>
        server.get(`${path}?index=${seen}&wait=600s`.replace('?keys?', '?keys&'), withToken('one')),
      );
      await until(() => server.server.answers.waiting === 2);
      access.revoke('one');
      await server.clock.advance(700_000);
      for (const { status, text } of await Promise.all(asked)) {
        assert.deepEqual([status, text], [403, 'ACL not found']);
      }
      assert.equal(server.server.answers.waiting, 0);
    });
  }

  it('goes on with the rights that the token has by then', async () => {
    const { access, server, put } = await start();
    const { index } = await server.get('/v1/kv/?keys', withToken('one'));
    const asked = server.get(`/v1/kv/?keys&index=${index}`, withToken('one'));
    await until(() => server.server.answers.waiting === 1);
    access.grant('one', 'key_prefix "b" { policy = "read" }');
    await put('/v1/kv/c', '1');
    assert.equal((await asked).text, '["b"]');
  });
});

describe('a list of keys', () => {
  it('needs a right of its own where acl.enable_key_list_policy says so', async () => {
    const { ask } = await startServerWith({ acl: { ...ACL, keyListPolicy: true } });
    const make = async (path: string, body: object) => {
      const { text } = await ask('PUT', `/v1/${path}`, { body, ...withToken(MASTER) });
      return JSON.parse(text) as Record<string, string>;
    };
    const Rules = 'key_prefix "read/" { policy = "read" } key_prefix "list/" { policy = "list" }';
    await make('acl/policy', { Name: 'p', Rules });
    const { SecretID = '' } = await make('acl/token', { Policies: [{ Name: 'p' }] });
    await make('kv/read/a', {});
    await make('kv/list/a', {});
    const status = async (path: string) =>
      (await ask('GET', `/v1/kv/${path}`, withToken(SecretID))).status;
    assert.deepEqual(
      [await status('read/?keys'), await status('read/?recurse'), await status('read/a')],
      [403, 403, 200],
    );
    assert.deepEqual([await status('list/?keys'), await status('list/?recurse')], [200, 200]);
    assert.equal(await status('?keys'), 403);
  });
});

describe('what was kept back', () => {
  const HEADER = 'x-consul-results-filtered-by-acls';
  const NODES = 'node_prefix "" { policy = "read" }';

  async function filtered() {
    const access = new FakeAccess({
      none: '',
      some: `${READS_A} ${NODES}\nservice "web" { policy = "read" }`,
      all: `key_prefix "" { policy = "read" } ${NODES} service_prefix "" { policy = "read" }`,
    });
    const server = await startServerWith({ access });
    const put = (path: string, body: object | string) => server.put(path, body, withToken(MASTER));
    await put('/v1/kv/a', '1');
    await put('/v1/kv/b', '1');
    for (const Service of ['web', 'db']) {
      await put('/v1/catalog/register', { Node: 'n', Address: '10.0.0.1', Service: { Service } });
    }
    const says = async (path: string, token: string) =>
      (await server.get(path, withToken(token))).headers[HEADER];
    return { says };
  }

  for (const path of ['/v1/kv/?keys', '/v1/kv/?recurse', '/v1/catalog/services']) {
    it(`is told of ${path}, and nothing where all is shown`, async () => {
      const { says } = await filtered();
      assert.equal(await says(path, 'some'), 'true');
      assert.equal(await says(path, 'all'), undefined);
      assert.equal(await says(path, MASTER), undefined);
    });
  }

  it('is told of a name that may not be seen, if it is there or not', async () => {
    const { says } = await filtered();
    for (const path of ['/v1/health/service/', '/v1/catalog/service/', '/v1/health/checks/']) {
      assert.equal(await says(`${path}web`, 'some'), undefined);
      assert.equal(await says(`${path}db`, 'some'), 'true');
      assert.equal(await says(`${path}nobody`, 'some'), 'true');
      assert.equal(await says(`${path}nobody`, 'all'), undefined);
    }
  });

  it('is not even told to strangers, though their answer is shared with a token of no rights', async () => {
    const { says } = await filtered();
    for (const _ of [1, 2]) {
      assert.equal(await says('/v1/catalog/services', 'none'), 'true');
      assert.equal(await says('/v1/catalog/services', ''), undefined);
    }
  });

  for (const reportsFiltered of [true, false]) {
    it(`is ${reportsFiltered ? 'told' : 'not told'} as acl.report_filtered says`, async () => {
      const { ask } = await startServerWith({ acl: { ...ACL, reportsFiltered } });
      await ask('PUT', '/v1/kv/a', { body: '1', ...withToken(MASTER) });
      const made = await ask('PUT', '/v1/acl/token', { body: {}, ...withToken(MASTER) });
      const { SecretID } = made.json as { SecretID: string };
      const list = await ask('GET', '/v1/kv/?keys', withToken(SecretID));
      assert.equal(list.headers[HEADER], reportsFiltered ? 'true' : undefined);
      const strangers = await ask('GET', '/v1/kv/?keys');
      assert.equal(strangers.headers[HEADER], undefined);
    });
  }
});
