import assert from 'node:assert/strict';
import { OPEN } from '../../lib/acl/rights.ts';
import { LocalLookups } from '../../server/dns-lookups.ts';
import { queryBody, toQuery } from '../../server/http/query-body.ts';
import { dump, Restoring } from '../../server/state/snapshot.ts';
import { registerOn, serviceNamed } from '../support/factories.ts';
import { FakeAccess } from '../support/fakes/fake-access.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { startServer, startServerWith } from '../support/servers/start-server.ts';

async function start() {
  const { server } = await startServer();
  await server.propose(registerOn('a', { service: serviceNamed('web') }));
  const of = { state: server.state };
  const deps = {
    state: () => of.state,
    readiness: server.deps.readiness,
    access: OPEN,
    token: () => '',
    node: 'n1',
    random: seededRandom(1),
  };
  const lookups = new LocalLookups(deps, { allowStale: true, maxStaleMs: 0 }, () => '');
  return { server, lookups, of };
}

describe('a lookup from memory', () => {
  it('is current until something that it shows has changed', async () => {
    const { server, lookups } = await start();
    const web = await lookups.service('WEB', '');
    const node = await lookups.node('a');
    const none = await lookups.query('none');
    await server.propose(registerOn('b', { service: serviceNamed('db') }));
    assert.deepEqual(
      [web, node, none].map((found) => found.isCurrent()),
      [true, true, true],
    );
    await server.propose(registerOn('a', { service: serviceNamed('web', { Port: 81 }) }));
    assert.deepEqual(
      [web, node, none].map((found) => found.isCurrent()),
      [false, false, true],
    );
  });

  it('is not current any more once the state was replaced', async () => {
    const { server, lookups, of } = await start();
    const web = await lookups.service('web', '');
    const restoring = new Restoring();
    for (const line of dump(server.state)) restoring.add(line);
    of.state = restoring.finish();
    assert.equal(web.isCurrent(), false);
    assert.equal((await lookups.service('web', '')).value.length, 1);
  });
});

describe('a lookup under access control', () => {
  const SEES = 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }';

  async function guarded() {
    const access = new FakeAccess({ sees: SEES, own: SEES });
    const { server } = await startServerWith({ access });
    await server.propose(
      registerOn('a', { service: serviceNamed('web', { Address: '10.1.1.1' }) }),
    );
    const of = { token: '' };
    const staleness = { allowStale: true, maxStaleMs: 0 };
    const lookups = new LocalLookups(server.deps, staleness, () => of.token);
    const found = async () => [
      (await lookups.service('web', '')).value.length,
      (await lookups.node('a')).value?.Node,
      (await lookups.address('10.1.1.1')).value,
    ];
    return { server, access, lookups, of, found };
  }

  it("finds what the agent's default token may see, and a stranger nothing", async () => {
    const { of, found } = await guarded();
    assert.deepEqual(await found(), [0, undefined, undefined]);
    of.token = 'sees';
    assert.deepEqual(await found(), [1, 'a', { service: 'web' }]);
  });

  it('is not current any more once the token is another, or comes to less', async () => {
    const { access, lookups, of } = await guarded();
    of.token = 'sees';
    const web = await lookups.service('web', '');
    assert.equal(web.isCurrent(), true);
    of.token = '';
    assert.equal(web.isCurrent(), false);
    of.token = 'sees';
    access.revoke('sees');
    assert.equal(web.isCurrent(), false);
  });

  it('runs a prepared query with its own token', async () => {
    const { server, lookups } = await guarded();
    const body = { Name: 'q', Token: 'own', Service: { Service: 'web' } };
    const query = toQuery(queryBody(JSON.stringify(body)), '11111111-1111-1111-1111-111111111111');
    await server.propose({ type: 'set-query', query, update: false });
    assert.equal((await lookups.query('q')).value?.entries.length, 1);
  });
});
