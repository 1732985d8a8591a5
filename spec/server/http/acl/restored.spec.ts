/** A snapshot brings its own tokens, policies and roles; whoever was known by others is nobody then. */
import assert from 'node:assert/strict';
import { type AclServer, MASTER, startAclServer } from '../../../support/servers/acl-server.ts';
import { type Answer, startServer } from '../../../support/servers/start-server.ts';
import { until } from '../../../support/until.ts';

const READERS = 'key_prefix "" { policy = "read" } service_prefix "" { policy = "read" }';

async function save({ port }: AclServer, token: string): Promise<Buffer> {
  const headers = { 'X-Consul-Token': token };
  const answer = await fetch(`http://127.0.0.1:${port}/v1/snapshot`, { headers });
  assert.equal(answer.status, 200);
  return Buffer.from(await answer.arrayBuffer());
}

/** With an archive in which `old` and `other` may read, and `fresh` does not exist. */
async function start() {
  const server = await startAclServer();
  const { master, as } = server;
  const token = async (description: string, Policies = [{ Name: 'readers' }]) => {
    const made = await master('PUT', '/v1/acl/token', { Description: description, Policies });
    return { secret: made['SecretID'] ?? '', accessor: made['AccessorID'] ?? '' };
  };
  const policy = await master('PUT', '/v1/acl/policy', { Name: 'readers', Rules: READERS });
  await as(MASTER, 'PUT', '/v1/kv/k', 'archived');
  const [old, other] = [await token('old'), await token('other')];
  const archive = await save(server, MASTER);
  await as(MASTER, 'PUT', '/v1/kv/k', 'later');
  const fresh = await token('fresh');
  const restore = (by: string, what = archive) => as(by, 'PUT', '/v1/snapshot', what);
  return { ...server, token, policy, old, other, fresh, archive, restore };
}

const seen = ({ status, text }: Answer) => [status, text];
const NOBODY = [403, 'ACL not found'];

describe('a snapshot that is restored under access control', () => {
  it('brings back a token that is in it alone, and takes away those that are not', async () => {
    const { as, old, fresh, restore } = await start();
    await as(MASTER, 'DELETE', `/v1/acl/token/${old.accessor}`);
    const read = (secret: string) => as(secret, 'GET', '/v1/kv/k?raw');
    // The second time from the fast path.
    for (const _ of ['once', 'again']) {
      assert.deepEqual(seen(await read(old.secret)), NOBODY);
      assert.deepEqual(seen(await read(fresh.secret)), [200, 'later']);
    }
    assert.equal((await restore(MASTER)).status, 200);
    for (const _ of ['once', 'again']) {
      assert.deepEqual(seen(await read(old.secret)), [200, 'archived']);
      assert.deepEqual(seen(await read(fresh.secret)), NOBODY);
    }
  });

  it('may take away the token by which it was restored, which is answered all the same', async () => {
    const { as, token, restore } = await start();
    const boss = await token('boss', [{ Name: 'global-management' }]);
    assert.equal((await restore(boss.secret)).status, 200);
    assert.deepEqual(seen(await as(boss.secret, 'GET', '/v1/acl/tokens')), NOBODY);
    assert.equal((await as(MASTER, 'GET', '/v1/acl/tokens')).status, 200);
  });

  it('gives whoever waits his answer as who he is by it', async () => {
    const { as, master, policy, old, other, fresh, restore } = await start();
    // What it says now it does not say in the archive.
    const wider = `${READERS} node_prefix "" { policy = "read" }`;
    await master('PUT', `/v1/acl/policy/${policy['ID']}`, { Name: 'readers', Rules: wider });
    await as(MASTER, 'PUT', '/v1/catalog/register', { Node: 'm', Address: '10.0.0.1' });
    const wait = async (secret: string, path: string) => {
      const { index, status } = await as(secret, 'GET', path);
      assert.equal(status, 200);
      const sign = path.includes('?') ? '&' : '?';
      return as(secret, 'GET', `${path}${sign}index=${index}&wait=9m`);
    };
    const waits = [
      wait(old.secret, '/v1/kv/k?raw'),
      wait(other.secret, '/v1/catalog/nodes'),
      wait(fresh.secret, '/v1/kv/k?raw'),
      wait(fresh.secret, '/v1/catalog/nodes'),
    ];
    assert.equal((await restore(MASTER)).status, 200);
    const answers = (await Promise.all(waits)).map(seen);
    assert.deepEqual(answers, [[200, 'archived'], [200, '[]'], NOBODY, NOBODY]);
  });

  it('is refused to whoever does not manage access control, whatever else he may', async () => {
    const { as, master, token, restore, server } = await start();
    const Rules = 'operator = "write" keyring = "write" key_prefix "" { policy = "write" }';
    await master('PUT', '/v1/acl/policy', { Name: 'operators', Rules });
    const operator = await token('operator', [{ Name: 'operators' }]);
    const { index } = server.state;
    for (const secret of ['', operator.secret]) {
      assert.equal((await restore(secret)).status, 403);
      assert.equal((await as(secret, 'GET', '/v1/snapshot')).status, 403);
    }
    assert.equal(server.state.index, index);
  });

  it('lets in whoever manages by the configuration, though it knows nothing of access control', async () => {
    const { as, clock, restore, server } = await start();
    const plain = await startServer();
    await plain.put('/v1/kv/k', 'plain');
    const archive = await fetch(`http://127.0.0.1:${plain.port}/v1/snapshot`);
    const bytes = Buffer.from(await archive.arrayBuffer());
    assert.equal((await restore(MASTER, bytes)).status, 200);
    await clock.advance(500);
    await until(() => server.state.acl.tokens.get(MASTER) !== undefined);
    assert.deepEqual(seen(await as(MASTER, 'GET', '/v1/kv/k?raw')), [200, 'plain']);
    const policies = (await as(MASTER, 'GET', '/v1/acl/policies')).json as { Name: string }[];
    assert.deepEqual(
      policies.map(({ Name }) => Name),
      ['global-management'],
    );
    assert.equal((await as('', 'GET', '/v1/kv/k?raw')).status, 403);
  });

  it('from before there was access control leaves the first token in, and anyone else nobody', async () => {
    const { as, restore, old } = await start();
    const bare = await startAclServer({ initialManagement: '' });
    const boot = await bare.ask('PUT', '/v1/acl/bootstrap');
    const archive = await save(bare, (boot.json as { SecretID: string }).SecretID);
    assert.equal((await restore(MASTER, archive)).status, 200);
    assert.deepEqual(seen(await as(old.secret, 'GET', '/v1/kv/k')), NOBODY);
    const { SecretID } = boot.json as { SecretID: string };
    assert.equal((await as(SecretID, 'GET', '/v1/acl/tokens')).status, 200);
    // It was done in that history too.
    assert.equal((await as('', 'PUT', '/v1/acl/bootstrap')).status, 403);
  });
});
