import assert from 'node:assert/strict';
import { CheckRunner } from '../../../agent/checks/check-runner.ts';
import { CheckSet } from '../../../agent/checks/check-set.ts';
import { critical, type Look, passing } from '../../../agent/checks/probing/probe.ts';
import { Threshold } from '../../../agent/checks/threshold.ts';
import {
  type CheckSpec,
  checkDefinition,
  checkFromConfig,
} from '../../../agent/definitions/check-spec.ts';
import { serviceDefinition, serviceFromConfig } from '../../../agent/definitions/service-spec.ts';
import { LocalState } from '../../../agent/state/local-state.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';

function setUp() {
  const local = new LocalState();
  const clock = new FakeClock();
  const checks = new CheckSet({
    local,
    clock,
    random: seededRandom(3),
    maxOutputBytes: () => 4096,
    containerProbe: undefined,
    nodes: { own: 'n1', checksOf: async () => undefined },
  });
  const add = (brief: Partial<CheckSpec> & { CheckID: string }) => {
    const spec = checkFromConfig({ Name: brief.CheckID, ...brief });
    const check = { definition: checkDefinition(spec), spec, token: '', source: 'api' as const };
    local.putCheck(check);
    checks.start(check);
  };
  const addService = (id: string) => {
    const definition = serviceDefinition(serviceFromConfig({ id, name: id }));
    local.putService({ definition, token: '', source: 'api' });
  };
  const look = (id: string) => {
    const { Status, Output } = local.checks.get(id)?.definition ?? {};
    return `${Status} ${Output}`;
  };
  return { local, clock, checks, add, addService, look };
}

describe('a TTL check', () => {
  it('passing → critical when nobody reports in time', async () => {
    const { clock, checks, add, look } = setUp();
    add({ CheckID: 'c', TTL: 10e9 });
    checks.report('c', 'passing', 'fine');
    await clock.advance(9999);
    assert.equal(look('c'), 'passing fine');
    await clock.advance(1);
    assert.equal(look('c'), 'critical TTL expired');
  });

  it('stays passing while reports come, on one timer', async () => {
    const { clock, checks, add, look } = setUp();
    add({ CheckID: 'c', TTL: 10e9 });
    for (let i = 0; i < 20; i++) {
      checks.report('c', 'passing', '');
      await clock.advance(7000);
    }
    assert.equal(look('c'), 'passing ');
    assert.equal(clock.armed, 1);
  });

  it('critical → passing when a report comes after it expired', async () => {
    const { clock, checks, add, look } = setUp();
    add({ CheckID: 'c', TTL: 10e9 });
    await clock.advance(30_000);
    checks.report('c', 'passing', 'back');
    assert.equal(look('c'), 'passing back');
    await clock.advance(10_000);
    assert.equal(look('c'), 'critical TTL expired');
  });

  it('is refused a report when it is of another kind or unknown', () => {
    const { checks } = setUp();
    assert.throws(
      () => checks.report('nope', 'passing', ''),
      /CheckID "nope" does not have associated TTL/,
    );
  });

  it('leaves no timer when it is removed', () => {
    const { clock, checks, add } = setUp();
    for (let i = 0; i < 100; i++) add({ CheckID: `c${i}`, TTL: 10e9 });
    for (let i = 0; i < 100; i++) checks.remove(`c${i}`);
    assert.equal(clock.armed, 0);
  });
});

describe('what checks say', () => {
  it('is cut by bytes where a character begins, the end kept, and no more than the check wants', () => {
    const { checks, add, local } = setUp();
    const output = (id: string) => local.checks.get(id)?.definition.Output ?? '';
    add({ CheckID: 'c', TTL: 10e9 });
    checks.report('c', 'passing', `${'é'.repeat(2100)}!`);
    assert.equal(output('c'), `Captured 4096 of 4201 bytes\n...\n${'é'.repeat(2047)}!`);
    add({ CheckID: 'small', TTL: 10e9, OutputMaxSize: 5 });
    checks.report('small', 'passing', 'abc\u{1f600}d');
    assert.equal(output('small'), 'Captured 5 of 8 bytes\n...\n\u{1f600}d');
    add({ CheckID: 'large', TTL: 10e9, OutputMaxSize: 1e9 });
    checks.report('large', 'passing', 'x'.repeat(5000));
    assert.match(output('large'), /^Captured 4096 of 5000 bytes\n\.\.\.\nx{4096}$/);
  });
});

describe('an alias check', () => {
  it('takes the worst of the checks of its service and its node', async () => {
    const { checks, add, addService, look } = setUp();
    addService('web');
    add({ CheckID: 'alias', AliasService: 'web' });
    assert.equal(look('alias'), 'passing No checks found.');
    add({ CheckID: 'c', ServiceID: 'web', TTL: 10e9 });
    assert.equal(look('alias'), 'critical Aliased check "c" failing: ');
    checks.report('c', 'passing', '');
    assert.equal(look('alias'), 'passing All checks passing.');
    add({ CheckID: 'node', TTL: 10e9, Status: 'warning' });
    assert.equal(look('alias'), 'warning Aliased check "node" failing: ');
  });

  it('comes back although another alias follows the same', () => {
    const { checks, add, addService, look } = setUp();
    addService('web');
    add({ CheckID: 'c', ServiceID: 'web', TTL: 10e9 });
    add({ CheckID: 'one', AliasService: 'web' });
    add({ CheckID: 'two', AliasService: 'web' });
    checks.report('c', 'passing', '');
    assert.equal(look('one'), 'passing All checks passing.');
    assert.equal(look('two'), 'passing All checks passing.');
  });

  it('is critical while its service is not there', () => {
    const { local, add, addService, look } = setUp();
    add({ CheckID: 'alias', AliasService: 'web' });
    assert.equal(look('alias'), 'critical Service web could not be found on node ');
    addService('web');
    assert.equal(look('alias'), 'passing No checks found.');
    local.removeService('web');
    assert.match(look('alias'), /^critical/);
  });
});

describe('a threshold', () => {
  const take = (limits: Partial<ConstructorParameters<typeof Threshold>[0]>, looks: Look[]) => {
    const threshold = new Threshold({
      SuccessBeforePassing: 0,
      FailuresBeforeWarning: 0,
      FailuresBeforeCritical: 0,
      ...limits,
    });
    return looks.map((look) => threshold.take(look)?.status ?? '-');
  };
  const no = critical('');
  const yes = passing('');

  it('lets everything through when none is set', () => {
    assert.deepEqual(take({}, [no, yes, no]), ['critical', 'passing', 'critical']);
  });

  it('waits for so many failures in a row', () => {
    const limits = { FailuresBeforeCritical: 3 };
    assert.deepEqual(take(limits, [no, no, yes, no, no, no]), [
      '-',
      '-',
      'passing',
      '-',
      '-',
      'critical',
    ]);
  });

  it('warns before it is critical', () => {
    const limits = { FailuresBeforeWarning: 1, FailuresBeforeCritical: 3 };
    assert.deepEqual(take(limits, [no, no, no]), ['warning', 'warning', 'critical']);
  });

  it('waits for so many successes in a row', () => {
    const limits = { SuccessBeforePassing: 2 };
    assert.deepEqual(take(limits, [no, yes, no, yes, yes]), [
      'critical',
      '-',
      'critical',
      '-',
      'passing',
    ]);
  });
});

describe('a check runner', () => {
  function run(probe: ConstructorParameters<typeof CheckRunner>[0]['probe']) {
    const clock = new FakeClock();
    const looks: Look[] = [];
    const report = (look: Look) => void looks.push(look);
    const runner = new CheckRunner({ clock, probe, report, pauseMs: () => 1000, timeoutMs: 300 });
    return { clock, looks, runner };
  }

  it('looks first after its delay, then at each interval', async () => {
    const { clock, looks, runner } = run(async () => passing('ok'));
    runner.start(500);
    await clock.advance(499);
    assert.equal(looks.length, 0);
    await clock.advance(1);
    assert.equal(looks.length, 1);
    await clock.advance(3000);
    assert.equal(looks.length, 4);
    runner.stop();
    assert.equal(clock.armed, 0);
  });

  it('aborts a probe that takes too long and never runs two at once', async () => {
    let runs = 0;
    const { clock, looks, runner } = run((signal) => {
      runs++;
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('too slow')), { once: true });
      });
    });
    runner.start(0);
    await clock.advance(299);
    assert.equal(runs, 1);
    await clock.advance(1);
    assert.deepEqual(looks, [critical('too slow')]);
    await clock.advance(1000);
    assert.equal(runs, 2);
    runner.stop();
  });

  it('is critical when the probe throws before it begins, and looks again', async () => {
    let runs = 0;
    const { clock, looks, runner } = run(() => {
      runs++;
      throw new Error('100% thrown');
    });
    runner.start(0);
    await clock.advance(0);
    assert.deepEqual(looks, [critical('100% thrown')]);
    await clock.advance(1000);
    assert.equal(runs, 2);
    runner.stop();
    assert.equal(clock.armed, 0);
  });

  it('is critical when the probe never ends, and looks again', async () => {
    let runs = 0;
    const { clock, looks, runner } = run(() => {
      runs++;
      return new Promise(() => undefined);
    });
    runner.start(0);
    await clock.advance(299);
    assert.deepEqual(looks, []);
    await clock.advance(101);
    assert.deepEqual(
      looks.map(({ status }) => status),
      ['critical'],
    );
    await clock.advance(1000);
    assert.equal(runs, 2);
    runner.stop();
    assert.equal(clock.armed, 0);
  });

  it('heeds nothing of a probe that ends after it was given up', async () => {
    const ends: ((look: Look) => void)[] = [];
    const { clock, looks, runner } = run(() => new Promise((resolve) => ends.push(resolve)));
    runner.start(0);
    await clock.advance(400);
    ends[0]?.(passing('late'));
    await clock.advance(0);
    assert.equal(looks.length, 1);
    runner.stop();
  });

  it('reports nothing once it is stopped', async () => {
    const { clock, looks, runner } = run(async () => passing('late'));
    runner.start(0);
    runner.stop();
    runner.stop();
    await clock.advance(5000);
    assert.deepEqual(looks, []);
  });
});
