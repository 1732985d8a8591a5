import assert from 'node:assert/strict';
import { OPEN } from '../../lib/acl/rights.ts';
import { LocalLookups } from '../../server/dns-lookups.ts';
import { dump, Restoring } from '../../server/state/snapshot.ts';
import { registerOn, serviceNamed } from '../support/factories.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { startServer } from '../support/servers/start-server.ts';

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
