/** What is changed at one server counts at once at another, however far behind that one is. */
import assert from 'node:assert/strict';
import { SharedLog } from '../../support/fakes/shared-log.ts';
import { aclRules, MASTER } from '../../support/servers/acl-server.ts';
import { startServerWith, type TestServer } from '../../support/servers/start-server.ts';

const WRITERS = 'key_prefix "" { policy = "write" } node_prefix "" { policy = "write" }';

async function start() {
  const log = new SharedLog();
  const servers: TestServer[] = [];
  const members = [log.member(), log.member()];
  for (const [seed, member] of members.entries()) {
    servers.push(await startServerWith({ acl: aclRules(), wrap: () => member, seed: seed + 1 }));
  }
  const [here, there] = servers as [TestServer, TestServer];
  const as = (server: TestServer, token: string, request: string, body: object | string = '') => {
    const [method = '', path = ''] = request.split(' ');
    return server.ask(method, `/v1/${path}`, { body, headers: { 'X-Consul-Token': token } });
  };
  const boss = async (request: string, body: object) => {
    const answer = await as(here, MASTER, request, body);
    assert.equal(answer.status, 200, answer.text);
    return answer.json as Readonly<Record<string, string>>;
  };
  const policy = await boss('PUT acl/policy', { Name: 'writers', Rules: WRITERS });
  const token = await boss('PUT acl/token', { Policies: [{ Name: 'writers' }] });
  const { SecretID: secret = '', AccessorID: accessor = '' } = token;
  const [, behind] = members as [unknown, (typeof members)[number]];
  const asked = (request: string, body?: object | string) => as(there, secret, request, body);
  // So that the other server knows it, and its fast path the answers.
  assert.equal((await asked('PUT kv/seen', 'x')).status, 200);
  for (const _ of ['once', 'again']) assert.equal((await asked('GET kv/seen')).status, 200);
  return { here, there, as, boss, policy, accessor, asked, behind, log };
}

type Started = Awaited<ReturnType<typeof start>>;

const ENDS: Readonly<Record<string, (started: Started) => Promise<unknown>>> = {
  'a token that was removed': ({ here, accessor }) =>
    here.ask('DELETE', `/v1/acl/token/${accessor}`, { headers: { 'X-Consul-Token': MASTER } }),
  'a token without its policy': ({ boss, accessor }) => boss(`PUT acl/token/${accessor}`, {}),
  'a policy that says less': ({ boss, policy }) =>
    boss(`PUT acl/policy/${policy['ID']}`, { Name: 'writers', Rules: '' }),
};

const WRITES: readonly (readonly [string, object | string, number])[] = [
  ['PUT kv/late', 'x', 403],
  ['DELETE kv/seen', '', 403],
  ['PUT catalog/register', { Node: 'late', Address: '10.1.1.1' }, 403],
  // Of each operation it is said what is wrong with it.
  ['PUT txn', [{ KV: { Verb: 'set', Key: 'late', Value: '' } }], 409],
];

describe('rights at another server', () => {
  for (const [what, end] of Object.entries(ENDS)) {
    it(`are gone at once for reads, though it is behind: ${what}`, async () => {
      const started = await start();
      const { behind, asked } = started;
      behind.isBehind = true;
      await end(started);
      for (const read of ['kv/seen', 'catalog/nodes', 'kv/seen?consistent']) {
        const answering = asked(`GET ${read}`);
        // It has to hear of all that there is before it may say anything.
        behind.follow();
        const { status, text } = await answering;
        assert(status === 403 || text === '[]', `${read}: ${status} ${text}`);
      }
    });

    it(`let nothing be written, though it takes the write before it hears of it: ${what}`, async () => {
      for (const [request, body, expected] of WRITES) {
        const started = await start();
        const { behind, asked, here } = started;
        behind.isBehind = true;
        await end(started);
        const { status, text } = await asked(request, body);
        assert(status === 403 || status === expected, `${request}: ${status}`);
        assert.match(text, /Permission denied|ACL not found/);
        const { kv, catalog } = here.server.state;
        assert.deepEqual([kv.get('late'), catalog.node('late')], [undefined, undefined], request);
        assert.notEqual(kv.get('seen'), undefined);
      }
    });
  }

  it('let nothing be restored, though the archive comes before it hears of it', async () => {
    const { here, boss, as, there, behind } = await start();
    const made = await boss('PUT acl/token', { Policies: [{ Name: 'global-management' }] });
    const { SecretID: secret = '', AccessorID: accessor } = made;
    const saved = await fetch(`http://127.0.0.1:${here.port}/v1/snapshot?token=${MASTER}`);
    const archive = Buffer.from(await saved.arrayBuffer());
    assert.equal((await as(here, MASTER, 'PUT kv/seen', 'later')).status, 200);
    assert.equal((await as(there, secret, 'GET acl/tokens')).status, 200);
    behind.isBehind = true;
    const removed = await as(here, MASTER, `DELETE acl/token/${accessor}`);
    assert.equal(removed.status, 200);
    assert.equal((await as(there, secret, 'PUT snapshot', archive)).status, 403);
    assert.equal((await as(here, MASTER, 'GET kv/seen?raw')).text, 'later');
  });

  it('are there at once: a token that was just made', async () => {
    const { boss, behind, asked, log } = await start();
    behind.isBehind = true;
    const made = await boss('PUT acl/token', { Policies: [{ Name: 'writers' }] });
    assert(log.index > 0);
    const answering = asked(`GET kv/seen?token=${made['SecretID']}`);
    behind.follow();
    assert.equal((await answering).status, 200);
  });
});
