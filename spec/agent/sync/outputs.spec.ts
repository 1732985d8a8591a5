import assert from 'node:assert/strict';
import { ProconsulError } from '../../../lib/errors.ts';
import { check, MINUTE, service, started } from '../../support/fakes/anti-entropy.ts';
import { settle } from '../../support/fakes/fake-clock.ts';
import { until } from '../../support/until.ts';

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
