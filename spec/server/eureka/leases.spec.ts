import assert from 'node:assert/strict';
import { silentLogger } from '../../../lib/logger.ts';
import { MemoryLeases } from '../../../server/cluster/memory-leases.ts';
import { EurekaCounts } from '../../../server/eureka/counts.ts';
import { EurekaLeases } from '../../../server/eureka/leases.ts';
import { startEureka } from '../../support/servers/start-eureka.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { type Applications, instanceOf, JSON_FORM } from './instances.ts';

const SECOND = 1000;
const LEASE = { leaseInfo: { renewalIntervalInSecs: 10, durationInSecs: 30 } };

class CountedLeases extends MemoryLeases {
  counted = 0;

  override remaining() {
    this.counted++;
    return super.remaining();
  }
}

async function start() {
  const one = await startServer();
  const eureka = await startEureka(one);
  const post = (app: string, over: object = LEASE) =>
    eureka.ask('POST', `/eureka/apps/${app}`, {
      headers: { 'Content-Type': 'application/json' },
      body: instanceOf(app, over),
    });
  const renew = async (app: string) =>
    (await eureka.ask('PUT', `/eureka/apps/${app}/h1:${app.toLowerCase()}`)).status;
  const statuses = async () => {
    const { json } = await eureka.ask('GET', '/eureka/apps', { headers: JSON_FORM });
    const { application } = (json as Applications).applications;
    return application.flatMap(({ instance }) => instance.map(({ status }) => status));
  };
  const check = async (name: string) => {
    const { json } = await one.get(`/v1/health/checks/${name}`);
    return (json as { Status: string; Output: string }[]).map(({ Status, Output }) => [
      Status,
      Output,
    ]);
  };
  return { ...one, eureka, post, renew, statuses, check };
}

describe("the lease of a Eureka client's instance", () => {
  it('keeps it as long as it is renewed, and no renewal is an entry', async () => {
    const { clock, post, renew, statuses, server } = await start();
    await post('SHOP');
    const { position } = server.state;
    for (let n = 0; n < 6; n++) {
      await clock.advance(20 * SECOND);
      assert.equal(await renew('SHOP'), 200);
    }
    assert.deepEqual(await statuses(), ['UP']);
    // The leader marks the time in a log that is still.
    assert(server.state.position - position <= 4);
  });

  it('makes it critical when it ends, and takes it out when as much time has passed again', async () => {
    const { clock, post, statuses, check } = await start();
    await post('SHOP');
    await clock.advance(31 * SECOND);
    assert.deepEqual(await check('shop'), [['critical', 'Lease not renewed in time']]);
    assert.deepEqual(await statuses(), ['DOWN']);
    await clock.advance(45 * SECOND);
    assert.deepEqual(await statuses(), []);
  });

  it('begins anew with a renewal that comes late', async () => {
    const { clock, post, renew, statuses, check } = await start();
    await post('SHOP');
    await clock.advance(31 * SECOND);
    assert.equal(await renew('SHOP'), 200);
    assert.deepEqual(await statuses(), ['UP']);
    assert.deepEqual(await check('shop'), [['passing', 'UP']]);
    await clock.advance(29 * SECOND);
    assert.deepEqual(await statuses(), ['UP']);
  });

  it('is renewed by a change of status too', async () => {
    const { clock, eureka, post, statuses } = await start();
    await post('SHOP');
    await clock.advance(25 * SECOND);
    await eureka.ask('PUT', '/eureka/apps/SHOP/h1:shop/status?value=OUT_OF_SERVICE');
    await clock.advance(25 * SECOND);
    assert.deepEqual(await statuses(), ['OUT_OF_SERVICE']);
  });

  it('has its whole time again when another leader begins', async () => {
    const { clock, post, statuses, server } = await start();
    await post('SHOP');
    await clock.advance(28 * SECOND);
    const { server: replaced, term } = server.state.leadership;
    await server.propose({ type: 'claim-leadership', server: replaced, replaces: term });
    await clock.advance(28 * SECOND);
    assert.deepEqual(await statuses(), ['UP']);
    await clock.advance(4 * SECOND);
    assert.deepEqual(await statuses(), ['DOWN']);
  });

  it('has what it had before a silence, and a grace at least: a dead one ends though a server stalls often', async () => {
    const { clock, post, statuses } = await start();
    await post('SHOP');
    await clock.advance(10 * SECOND);
    // Nobody was heard meanwhile: the leader did not tick.
    await clock.stall(20 * SECOND);
    await clock.advance(19 * SECOND);
    assert.deepEqual(await statuses(), ['UP']);
    await clock.advance(2 * SECOND);
    assert.deepEqual(await statuses(), ['DOWN']);
  });

  it('of a service that somebody took out over Consul is no one any more: its client registers again', async () => {
    const { put, post, renew } = await start();
    await post('SHOP');
    await put('/v1/catalog/deregister', { Node: 'h1' });
    assert.equal(await renew('SHOP'), 404);
  });
});

describe("what a server counts of Eureka's clients", () => {
  it('is what they did, and what became of those that did nothing', async () => {
    const { clock, eureka, post, renew, server } = await start();
    await post('SHOP');
    await post('CART');
    await renew('SHOP');
    await renew('NONE');
    await eureka.ask('DELETE', '/eureka/apps/CART/h1:cart');
    const numbers = () =>
      Object.fromEntries(
        server
          .metrics()
          .filter(({ name }) => name.startsWith('proconsul.eureka.'))
          .map((each) => [
            each.name.slice('proconsul.eureka.'.length),
            'read' in each && each.read(),
          ]),
      );
    const told = { registrations: 2, renewals: 1, unknown_renewals: 1, cancellations: 1 };
    const rest = { lapsed: 0, expired: 0, instances: 1, preserving: 0 };
    assert.deepEqual(numbers(), { ...told, ...rest });
    await clock.advance(31 * SECOND);
    assert.deepEqual(numbers(), { ...told, ...rest, lapsed: 1 });
    await clock.advance(45 * SECOND);
    assert.deepEqual(numbers(), { ...told, ...rest, lapsed: 1, expired: 1, instances: 0 });
  });
});

describe('self-preservation of Eureka', () => {
  async function several(count: number, preserves: boolean) {
    const one = await start();
    for (let n = 0; n < count; n++) await one.post(`APP${n}`);
    const { clock, server } = one;
    const leases = new CountedLeases(clock);
    const state = () => server.state;
    const propose = (command: Parameters<typeof server.propose>[0]) => server.propose(command);
    const counts = new EurekaCounts();
    const deps = { leases, state, propose, clock, logger: silentLogger, preserves, counts };
    const kept = new EurekaLeases(deps);
    for (const [name, ms] of kept.held()) await leases.renew(kept.prefix + name, ms);
    const end = async (some: number) => {
      const names = [...kept.held()].slice(0, some).map(([name]) => name);
      for (const name of names) await leases.renew(kept.prefix + name, 0);
      return await kept.ended(names);
    };
    const renewAll = async () => {
      for (const [name, ms] of kept.held()) await leases.renew(kept.prefix + name, ms);
      kept.noneEnded();
    };
    const keeps = () => kept.isPreserving;
    const lapsed = () => [...server.state.eureka.rows.values()].filter((row) => row.Lapsed).length;
    const counted = () => leases.counted;
    return { ...one, end, lapsed, keeps, counted, renewAll };
  }

  it('keeps all as they are where more than 15 in a hundred would lapse', async () => {
    const { end, lapsed } = await several(10, true);
    assert.equal(await end(2), false);
    assert.equal(lapsed(), 0);
  });

  it('counts all leases once in ten seconds, however often it is asked', async () => {
    const { clock, end, counted } = await several(10, true);
    for (let n = 0; n < 100; n++) await end(2);
    assert.equal(counted(), 1);
    await clock.advance(9 * SECOND);
    await end(2);
    assert.equal(counted(), 1);
    await clock.advance(SECOND);
    await end(2);
    assert.equal(counted(), 2);
  });

  it('lets fewer go', async () => {
    const { end, lapsed } = await several(10, true);
    assert.equal(await end(1), true);
    assert.equal(lapsed(), 1);
  });

  it('keeps nobody where it is off, as it is', async () => {
    const { end, lapsed } = await several(4, false);
    assert.equal(await end(4), true);
    assert.equal(lapsed(), 4);
  });

  it('is over when all are renewed again, and may begin anew', async () => {
    const { end, keeps, renewAll } = await several(10, true);
    await end(2);
    assert.equal(keeps(), true);
    await renewAll();
    assert.equal(keeps(), false);
    assert.equal(await end(2), false);
    assert.equal(keeps(), true);
  });

  it('does not keep one that is taken out by hand', async () => {
    const { end, eureka, server } = await several(4, true);
    await end(4);
    assert.equal((await eureka.ask('DELETE', '/eureka/apps/APP1/h1:app1')).status, 200);
    assert.equal(server.state.eureka.rows.size, 3);
  });
});
