/** What becomes of those who wait when their token, or what it comes to, is changed meanwhile. */
import assert from 'node:assert/strict';
import { MASTER, withToken } from '../../support/fakes/fake-access.ts';
import { startServerWith } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

const ACL = {
  defaultPolicy: 'deny',
  initialManagement: MASTER,
  keyListPolicy: false,
  reportsFiltered: false,
  dataDir: '',
} as const;

const A_AND_B = 'key_prefix "a" { policy = "read" } key "b" { policy = "read" }';

async function start() {
  const test = await startServerWith({ acl: ACL });
  const { server, ask } = test;
  const make = async (method: string, path: string, body: object | string = '') => {
    const { status, text } = await ask(method, `/v1/${path}`, { body, ...withToken(MASTER) });
    assert.equal(status, 200, `${path}: ${text}`);
    return text.startsWith('{') ? (JSON.parse(text) as Record<string, string>) : {};
  };
  const policy = await make('PUT', 'acl/policy', { Name: 'p', Rules: A_AND_B });
  await make('PUT', 'acl/policy', { Name: 'q', Rules: 'key "a" { policy = "read" }' });
  const token = (name: string, over: object = {}) =>
    make('PUT', 'acl/token', { Policies: [{ Name: name }], ...over });
  await make('PUT', 'kv/a', '1');
  await make('PUT', 'kv/b', '1');
  await make('PUT', 'event/fire/x');
  /** Waits for the next change; the answer, and whether it has come. */
  const wait = async (path: string, secret: string) => {
    const { index } = await test.get(path, withToken(secret));
    const at = `${path}${path.includes('?') ? '&' : '?'}index=${index || 1}&wait=600s`;
    const waiting = server.answers.waiting;
    const asked = { answer: test.get(at, withToken(secret)), isOver: false };
    asked.answer.then(
      () => {
        asked.isOver = true;
      },
      () => undefined,
    );
    await until(() => server.answers.waiting > waiting);
    return asked;
  };
  return { ...test, make, policy, token, wait };
}

const PATHS = ['/v1/kv/a', '/v1/kv/?keys', '/v1/session/list', '/v1/event/list', '/v1/query'];

describe('a wait whose token is revoked', () => {
  for (const path of PATHS) {
    it(`ends at once, and tells no more: ${path}`, async () => {
      const { server, make, token, wait } = await start();
      const { SecretID = '', AccessorID = '' } = await token('p');
      const waits = [await wait(path, SecretID), await wait(path, SecretID)];
      await make('DELETE', `acl/token/${AccessorID}`);
      for (const { answer } of waits) {
        const { status, text } = await answer;
        assert.deepEqual([status, text], [403, 'ACL not found']);
      }
      assert.equal(server.answers.waiting, 0);
    });
  }

  for (const path of PATHS) {
    it(`ends when it expires: ${path}`, async () => {
      const { server, clock, token, wait } = await start();
      const { SecretID = '' } = await token('p', { ExpirationTTL: '60s' });
      const { answer } = await wait(path, SecretID);
      await clock.advance(60_000);
      await until(() => server.answers.waiting === 0);
      assert.deepEqual([(await answer).status, (await answer).text], [403, 'ACL not found']);
    });
  }
});

describe('a change of a policy', () => {
  it('answers those who wait by what it says now, and touches nobody else', async () => {
    const { server, make, policy, token, wait } = await start();
    const [changed, other] = [await token('p'), await token('q')];
    const mine = await wait('/v1/kv/?keys', changed['SecretID'] ?? '');
    const theirs = await wait('/v1/kv/?keys', other['SecretID'] ?? '');
    const { ID } = policy;
    const Rules = 'key "b" { policy = "read" }';
    await make('PUT', `acl/policy/${ID}`, { ID, Name: 'p', Rules });
    assert.equal((await mine.answer).text, '["b"]');
    assert.equal(theirs.isOver, false);
    assert.equal(server.answers.waiting, 1);
    await make('PUT', 'kv/a', '2');
    assert.equal((await theirs.answer).text, '["a"]');
  });

  it('that takes a key away refuses it to who waits for it', async () => {
    const { make, policy, token, wait } = await start();
    const { SecretID = '' } = await token('p');
    const { answer } = await wait('/v1/kv/b', SecretID);
    const { ID } = policy;
    await make('PUT', `acl/policy/${ID}`, { ID, Name: 'p', Rules: '' });
    const { status, text } = await answer;
    assert.deepEqual([status, text], [403, 'Permission denied']);
  });
});

describe('a prepared query with a token of its own', () => {
  it('finds what that may see, for whoever runs it, and nothing once it is revoked', async () => {
    const { ask, make, token } = await start();
    await make('PUT', 'catalog/register', {
      Node: 'm',
      Address: '10.0.0.1',
      Service: { Service: 'web' },
    });
    const Rules = 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }';
    await make('PUT', 'acl/policy', { Name: 'see', Rules });
    const { SecretID, AccessorID } = await token('see');
    const Service = { Service: 'web' };
    await make('POST', 'query', { Name: 'with', Token: SecretID, Service });
    await make('POST', 'query', { Name: 'without', Service });
    const found = async (name: string) => {
      const { status, text } = await ask('GET', `/v1/query/${name}/execute`);
      return [status, /"Node":"m"/.test(text)];
    };
    assert.deepEqual(await found('with'), [200, true]);
    assert.deepEqual(await found('without'), [200, false]);
    await make('DELETE', `acl/token/${AccessorID}`);
    assert.deepEqual(await found('with'), [403, false]);
  });
});
