import assert from 'node:assert/strict';
import { ProconsulError } from '../../../lib/errors.ts';
import { check, MINUTE, node, service, setUp, started } from '../../support/fakes/anti-entropy.ts';
import { settle } from '../../support/fakes/fake-clock.ts';
import { MemoryCatalog } from '../../support/fakes/memory-catalog.ts';
import type { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { until } from '../../support/until.ts';

describe('anti-entropy', () => {
  it('rebuilds a catalog that lost everything', async () => {
    const { local, catalog, clock, antiEntropy } = await started();
    for (let i = 0; i < 100; i++) {
      local.putService(service(`web-${i}`));
      local.putCheck(check(`check-${i}`, `web-${i}`));
      await antiEntropy.push(`web-${i}`);
    }
    const before = catalog.checkStates('n1');
    catalog.nodes.clear();
    await clock.advance(2 * MINUTE);
    await until(() => catalog.serviceIds('n1').length === 100);
    assert.deepEqual(catalog.checkStates('n1'), before);
  });

  it('begins with the node and its first service in one', async () => {
    const { local, catalog, antiEntropy, logger } = setUp();
    for (const id of ['web-1', 'web-2']) local.putService(service(id));
    local.putCheck(check('c', 'web-1'));
    antiEntropy.start();
    await until(() => catalog.serviceIds('n1').length === 2);
    assert.deepEqual(
      catalog.registrations.map((each) => [each.service?.ID, each.checks.map((c) => c.CheckID)]),
      [
        ['web-1', ['serfHealth', 'c']],
        ['web-2', []],
      ],
    );
    assert(!antiEntropy.owes('web-1'));
    assert.equal(logger.lines.filter((line) => line.includes('Synced service')).length, 2);
  });

  it('brings the node by itself where its first service is refused', async () => {
    const catalog = new MemoryCatalog();
    catalog.refusal = ({ service: its }) =>
      its?.ID === 'web-1' ? new ProconsulError('forbidden', 'Permission denied') : undefined;
    const { local, antiEntropy } = setUp({ catalog });
    for (const id of ['web-1', 'web-2']) local.putService(service(id));
    antiEntropy.start();
    await until(() => catalog.registrations.some((each) => each.service?.ID === 'web-2'));
    await until(() => antiEntropy.hasCompared);
    const told = catalog.registrations.map((each) => `${each.service?.ID} ${each.skipNodeUpdate}`);
    assert.deepEqual(told.slice(0, 2), ['web-1 false', 'undefined false']);
    assert.deepEqual(told.slice(2).sort(), ['web-1 true', 'web-2 true']);
    assert(antiEntropy.owes('web-1'));
  });

  it('tells at once what a check found by itself', async () => {
    const { local, catalog, antiEntropy } = await started();
    local.putService(service('web-1'));
    local.putCheck(check('c', 'web-1'));
    await antiEntropy.push('web-1');
    local.updateCheck('c', 'passing', 'ok');
    await settle();
    assert.ok(catalog.checkStates('n1').includes('c passing'), String(catalog.checkStates('n1')));
  });

  it('tells what a check found while everything was compared', async () => {
    const { local, catalog, clock, antiEntropy } = await started();
    local.putService(service('web-1'));
    local.putCheck(check('c', 'web-1'));
    await antiEntropy.push('web-1');
    const answer = catalog.node.bind(catalog);
    catalog.node = async (name) => {
      const known = await answer(name);
      local.updateCheck('c', 'passing', 'ok');
      return known;
    };
    await clock.advance(2 * MINUTE);
    await settle();
    assert.ok(catalog.checkStates('n1').includes('c passing'), String(catalog.checkStates('n1')));
  });

  it('sends nothing when nothing differs', async () => {
    const { local, catalog, clock, antiEntropy } = await started();
    local.putService(service('web-1', 80, { meta: { a: 'b' }, tags: ['x'] }));
    local.putCheck(check('c', 'web-1'));
    await antiEntropy.push('web-1');
    const before = catalog.commands;
    await clock.advance(30 * MINUTE);
    assert.equal(catalog.commands, before);
  });

  it('removes services and checks that the agent does not know', async () => {
    const { local, catalog, clock, antiEntropy } = await started();
    local.putService(service('mine'));
    await antiEntropy.push('mine');
    const ghost = { node, skipNodeUpdate: true, checks: [check('ghost', 'ghost').definition] };
    await catalog.register({ ...ghost, service: service('ghost').definition });
    await catalog.register({ ...ghost, checks: [check('alone', 'mine').definition] });
    await clock.advance(2 * MINUTE);
    await until(() => catalog.serviceIds('n1').length === 1);
    assert.deepEqual(catalog.serviceIds('n1'), ['mine']);
    assert.deepEqual(catalog.checkStates('n1'), ['serfHealth passing']);
  });

  it('compares once where it is unknown while it begins, and again where it is later', async () => {
    const { catalog, antiEntropy } = await started();
    let compared = 0;
    const node = catalog.node.bind(catalog);
    catalog.node = async (name) => {
      compared++;
      await settle();
      return node(name);
    };
    antiEntropy.syncSoon();
    antiEntropy.unknown();
    await until(() => antiEntropy.hasCompared && compared > 0);
    await settle();
    assert.equal(compared, 1);
    antiEntropy.unknown();
    await settle();
    assert.equal(compared, 2);
  });

  it('puts back what someone changed in the catalog', async () => {
    const { local, catalog, clock, antiEntropy } = await started();
    local.putService(service('web-1', 80));
    await antiEntropy.push('web-1');
    const changed = service('web-1', 81).definition;
    await catalog.register({ node, skipNodeUpdate: true, service: changed, checks: [] });
    await clock.advance(2 * MINUTE);
    const { services = [] } = catalog.nodes.get('n1') ?? {};
    assert.deepEqual(
      services.map(({ Port }) => Port),
      [80],
    );
  });

  it('leaves tags that someone set where the service allows it, and keeps them', async () => {
    const { local, catalog, clock, antiEntropy } = await started();
    local.putService(service('web-1', 80, { enable_tag_override: true }));
    await antiEntropy.push('web-1');
    const tagged = service('web-1', 80, { enable_tag_override: true, tags: ['theirs'] });
    await catalog.register({ node, skipNodeUpdate: true, service: tagged.definition, checks: [] });
    await clock.advance(2 * MINUTE);
    assert.deepEqual(local.services.get('web-1')?.definition.Tags, ['theirs']);
  });

  it('keeps a change that no server took, and brings it when one is back', async () => {
    const { local, catalog, clock, antiEntropy } = await started();
    catalog.away = true;
    local.putService(service('web-1'));
    await antiEntropy.push('web-1');
    local.removeService('web-1');
    local.putService(service('web-2'));
    await antiEntropy.push('web-2');
    catalog.away = false;
    await clock.advance(3000);
    assert.deepEqual(catalog.serviceIds('n1'), ['web-2']);
  });

  it('lets nobody wait long on a server that hangs, and brings it when it is back', async () => {
    const { local, catalog, clock, antiEntropy } = await started();
    catalog.away = true;
    local.putService(service('web-1'));
    await antiEntropy.push('web-1');
    catalog.away = false;
    catalog.hang();
    local.putService(service('web-2'));
    const pushed = antiEntropy.push('web-2');
    await clock.advance(500);
    await pushed;
    assert.deepEqual(catalog.serviceIds('n1'), []);
    catalog.goOn();
    antiEntropy.resume();
    await until(() => catalog.serviceIds('n1').length === 2);
  });

  it('comes back at some moment of what beats are stretched by, where tens of thousands do', async () => {
    const { local, catalog, clock, antiEntropy } = await started({ scale: 9 });
    catalog.away = true;
    local.putService(service('web-1'));
    await antiEntropy.push('web-1');
    catalog.away = false;
    antiEntropy.resume();
    await settle();
    assert.deepEqual(catalog.serviceIds('n1'), []);
    await clock.advance(16_000);
    await until(() => catalog.serviceIds('n1').length === 1);
  });

  it('sends the last of many changes that came while one was on its way', async () => {
    const { local, catalog, antiEntropy } = await started();
    const pushes: Promise<void>[] = [];
    for (let port = 1; port <= 50; port++) {
      local.putService(service('web-1', port));
      pushes.push(antiEntropy.push('web-1'));
    }
    await Promise.all(pushes);
    const { services = [] } = catalog.nodes.get('n1') ?? {};
    assert.equal(services[0]?.Port, 50);
    assert.ok(catalog.commands < 5, `${catalog.commands} commands`);
  });
});

describe('what the catalog does not take', () => {
  const refused = new ProconsulError('rejected', 'not this one');
  const busy = new ProconsulError('busy', 'not now');
  const lines = (logger: RecordingLogger) => logger.lines.filter((line) => line.includes('warn'));

  for (const [kind, error] of [
    ['refused', refused],
    ['busy', busy],
  ] as const) {
    it(`because it is ${kind} is tried again within seconds, and said once`, async () => {
      const { local, catalog, clock, antiEntropy, logger } = await started();
      catalog.refusal = ({ service: of }) => (of?.ID === 'web-1' ? error : undefined);
      local.putService(service('web-1'));
      await antiEntropy.push('web-1');
      await clock.advance(10_000);
      assert.deepEqual(lines(logger), [
        `warn agent: could not sync service "web-1": ${error.message}`,
      ]);
      catalog.refusal = () => undefined;
      await clock.advance(8000);
      assert.deepEqual(catalog.serviceIds('n1'), ['web-1']);
    });
  }

  it('holds up no other service, and no other check of its service', async () => {
    const { local, catalog, clock, antiEntropy } = await started();
    catalog.refusal = ({ checks }) =>
      checks.some(({ CheckID }) => CheckID === 'bad') ? refused : undefined;
    local.putService(service('web-1'));
    for (const id of ['good', 'bad', 'fine']) local.putCheck(check(id, 'web-1'));
    local.putService(service('web-2'));
    await Promise.all([antiEntropy.push('web-1'), antiEntropy.push('web-2')]);
    assert.deepEqual(catalog.serviceIds('n1'), ['web-1', 'web-2']);
    assert.deepEqual(catalog.checkStates('n1'), [
      'fine critical',
      'good critical',
      'serfHealth passing',
    ]);
    assert.equal(antiEntropy.owes('web-1'), true);
    catalog.refusal = () => undefined;
    await clock.advance(2000);
    assert.ok(catalog.checkStates('n1').includes('bad critical'));
    assert.equal(antiEntropy.owes('web-1'), false);
  });

  it('as a whole comparison is compared again within seconds', async () => {
    const { local, catalog, clock, antiEntropy } = await started();
    const answer = catalog.node.bind(catalog);
    catalog.node = async () => {
      throw busy;
    };
    antiEntropy.syncSoon();
    await settle();
    local.putService(service('web-1'));
    catalog.node = answer;
    await clock.advance(2000);
    assert.deepEqual(catalog.serviceIds('n1'), ['web-1']);
  });

  it('sends no more than 64 changes at a time', async () => {
    const { local, catalog, antiEntropy } = await started();
    let [now, most] = [0, 0];
    const register = catalog.register.bind(catalog);
    catalog.register = async (registration) => {
      most = Math.max(most, ++now);
      await settle();
      await register(registration);
      now--;
    };
    const ids = Array.from({ length: 300 }, (_, i) => `web-${i}`);
    for (const id of ids) local.putService(service(id));
    await Promise.all(ids.map((id) => antiEntropy.push(id)));
    assert.equal(catalog.serviceIds('n1').length, 300);
    assert.equal(most, 64);
  });

  it('ends, though a server hangs', async () => {
    const { local, catalog, clock, antiEntropy } = await started();
    catalog.hang();
    local.putService(service('web-1'));
    void antiEntropy.push('web-1');
    await settle();
    const stopped = antiEntropy.stop();
    await clock.advance(1500);
    await stopped;
    assert.equal(clock.armed, 0);
    catalog.goOn();
  });
});
