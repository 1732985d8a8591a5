import assert from 'node:assert/strict';
import { checkDefinition, checkFromConfig } from '../../../agent/definitions/check-spec.ts';
import { serviceDefinition, serviceFromConfig } from '../../../agent/definitions/service-spec.ts';
import { LocalState } from '../../../agent/state/local-state.ts';
import { ALIVE_CHECK } from '../../../agent/state/own-entry.ts';
import { AntiEntropy } from '../../../agent/sync/anti-entropy.ts';
import { OwnCatalog } from '../../../agent/sync/own-catalog.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { MemoryCatalog } from '../../support/fakes/memory-catalog.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { until } from '../../support/until.ts';

const MINUTE = 60_000;

const node = {
  ID: '11111111-2222-4333-8444-555555555555',
  Node: 'n1',
  Address: '10.0.0.1',
  Datacenter: 'dc1',
  TaggedAddresses: { lan: '10.0.0.1' },
  Meta: null,
};

const running: AntiEntropy[] = [];

afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

function setUp({
  catalog = new MemoryCatalog(),
  checkUpdateIntervalMs = 5 * MINUTE,
  scale = 1,
} = {}) {
  const local = new LocalState();
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const random = seededRandom(7);
  const self = { node: () => node, aliveCheck: ALIVE_CHECK, tokens: { agent: '', user: '' } };
  const own = new OwnCatalog({ local, catalog, self });
  const pace = { checkUpdateIntervalMs, scale: () => scale };
  const antiEntropy = new AntiEntropy({ own, local, clock, random, logger, pace });
  running.push(antiEntropy);
  return { local, catalog, clock, antiEntropy, logger };
}

function service(id: string, port = 80, more = {}) {
  const spec = serviceFromConfig({ id, name: 'web', port, ...more });
  return { definition: serviceDefinition(spec), token: '', source: 'api' as const };
}

function check(id: string, serviceId = '') {
  const spec = checkFromConfig({ CheckID: id, Name: id, ServiceID: serviceId, TTL: 1e9 });
  return { definition: checkDefinition(spec), spec, token: '', source: 'api' as const };
}

async function started(options = {}) {
  const all = setUp(options);
  all.antiEntropy.start();
  await until(() => all.catalog.nodes.has('n1'));
  await settle();
  return all;
}

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

describe('outputs of checks that change without a status', () => {
  async function noisy(count: number) {
    const all = await started();
    for (let i = 0; i < count; i++) {
      all.local.putService(service(`web-${i}`));
      all.local.putCheck(check(`check-${i}`, `web-${i}`));
    }
    await Promise.all(Array.from({ length: count }, (_, i) => all.antiEntropy.push(`web-${i}`)));
    return all;
  }

  it('of 1,000 checks each second make fewer than 5 commands a second', async () => {
    const { local, catalog, clock } = await noisy(1000);
    const before = catalog.commands;
    const seconds = 15 * 60;
    for (let second = 0; second < seconds; second++) {
      for (let i = 0; i < 1000; i++) local.updateCheck(`check-${i}`, 'critical', `at ${second}`);
      await clock.advance(1000);
    }
    const perSecond = (catalog.commands - before) / seconds;
    assert.ok(perSecond <= 5, `${perSecond} commands a second`);
    assert.ok(catalog.commands > before, 'in the end they are told');
  }).timeout(20_000);

  it('of which one is refused are told all but that one', async () => {
    const { local, catalog, clock } = await noisy(128);
    catalog.refusal = ({ checks }) =>
      checks.some(({ CheckID }) => CheckID === 'check-7')
        ? new ProconsulError('rejected', 'not this one')
        : undefined;
    for (let i = 0; i < 128; i++) local.updateCheck(`check-${i}`, 'critical', 'news');
    await clock.advance(8 * MINUTE);
    await settle();
    const told = catalog.nodes.get('n1')?.checks.filter(({ Output }) => Output === 'news') ?? [];
    assert.equal(told.length, 127);
  });

  it('go out at once where check_update_interval is 0', async () => {
    const { local, catalog, antiEntropy } = await started({ checkUpdateIntervalMs: 0 });
    local.putService(service('web-1'));
    local.putCheck(check('c', 'web-1'));
    await antiEntropy.push('web-1');
    local.updateCheck('c', 'critical', 'news');
    const output = () => catalog.nodes.get('n1')?.checks.find((c) => c.CheckID === 'c')?.Output;
    await until(() => output() === 'news');
  });

  it('go out at once together with a status', async () => {
    const { local, catalog, antiEntropy } = await noisy(1);
    local.updateCheck('check-0', 'critical', 'noise');
    assert.equal(antiEntropy.owes('web-0'), false);
    local.updateCheck('check-0', 'passing', 'fine');
    await antiEntropy.push('web-0');
    const found = catalog.nodes.get('n1')?.checks.find((c) => c.CheckID === 'check-0');
    assert.deepEqual([found?.Status, found?.Output], ['passing', 'fine']);
  });
});
