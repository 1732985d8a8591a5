import assert from 'node:assert/strict';
import { noLeader } from '../../../lib/errors.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { CheckLeases } from '../../../server/cluster/check-leases.ts';
import { History } from '../../support/experiments/history.ts';
import { checkNamed, registerOn } from '../../support/factories.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

function start(...ids: string[]) {
  const clock = new FakeClock();
  const history = new History();
  const renewed: [id: string, ttlMs: number][] = [];
  const store = {
    away: false,
    renew: async (id: string, ttlMs: number) => {
      if (store.away) throw noLeader();
      renewed.push([id, ttlMs]);
    },
  };
  const checks = ids.map((id) => checkNamed(id, { Definition: { TTL: '10s' } }));
  history.run(registerOn('ext1', { checks }));
  const state = () => history.state;
  const propose = async () => ({ applied: true });
  const leases = new CheckLeases({ leases: store, state, propose, clock, logger: silentLogger });
  const row = (id: string) => history.state.catalog.check('ext1', id) ?? assert.fail(id);
  return { clock, history, leases, renewed, store, row };
}

describe('the leases of TTL checks', () => {
  it('are renewed once for all who report within a tenth of the TTL, and last for each of them', async () => {
    const { clock, leases, renewed, row } = start('c');
    for (let i = 0; i < 100_000; i++) await leases.renew(row('c'));
    assert.deepEqual(renewed, [[renewed[0]?.[0], 11_000]]);
    await clock.advance(999);
    await leases.renew(row('c'));
    assert.equal(renewed.length, 1);
    await clock.advance(1);
    await leases.renew(row('c'));
    assert.equal(renewed.length, 2);
  });

  it('tell everybody who shares a renewal that it failed, and nobody after that', async () => {
    const { leases, renewed, row, store } = start('c');
    store.away = true;
    const both = [leases.renew(row('c')), leases.renew(row('c'))];
    for (const each of both) await assert.rejects(each, /No cluster leader/);
    store.away = false;
    await leases.renew(row('c'));
    assert.equal(renewed.length, 1);
  });

  it('are held for what is reported and not critical, of nodes without an agent', () => {
    const { history, leases } = start('c', 'd');
    const critical = checkNamed('d', { Status: 'critical', Definition: { TTL: '10s' } });
    history.run(registerOn('ext1', { checks: [critical, checkNamed('plain')] }));
    assert.deepEqual(
      [...leases.held()].map(([, ttlMs]) => ttlMs),
      [10_000],
    );
    history.run(registerOn('ext1', { checks: [checkNamed('serfHealth')] }));
    assert.deepEqual([...leases.held()], []);
  });
});
