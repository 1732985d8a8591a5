/** Nearly all goes at once, as where a Redis came back empty. */
import assert from 'node:assert/strict';
import { AllAtOnce } from '../../kubernetes/all-at-once.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { startSyncWorld } from '../support/kubernetes/syncs.ts';
import { until } from '../support/until.ts';

describe('what goes at once', () => {
  /** Of so many, named by their numbers, the first are gone. */
  function started() {
    const clock = new FakeClock();
    const told: string[] = [];
    const now = { had: 0, gone: [] as readonly string[] };
    const guard = new AllAtOnce(clock, {
      look: () => now,
      begun: (text) => told.push(text),
      over: () => told.push('over'),
    });
    const gone = (had: number, count: number) => {
      Object.assign(now, { had, gone: Array.from({ length: count }, (_, i) => `${i}`) });
      return guard.holds(now.gone);
    };
    return { clock, told, gone, guard };
  }

  it('stays for two minutes, whatever comes back meanwhile, and is told once', async () => {
    const { clock, told, guard, gone } = started();
    assert.equal(gone(20, 18), true);
    await clock.advance(119_000);
    assert.deepEqual([gone(20, 5), guard.isHolding], [true, true]);
    assert.deepEqual(told, ['18 of 20 went at once: they stay for 120 s']);
    await clock.advance(1000);
    assert.deepEqual([guard.isHolding, told.at(-1)], [false, 'over']);
  });

  it('is believed after that, eight at a time, and what goes later is held anew', async () => {
    const { clock, told, gone, guard } = started();
    gone(20, 20);
    await clock.advance(120_000);
    const asked = Array.from({ length: 20 }, (_, i) => gone(Math.max(20 - i, 8), 20 - i));
    assert.ok(!asked.includes(true));
    for (let i = 0; i < 20; i++) guard.isThere(`${i}`);
    assert.equal(gone(9, 9), true);
    assert.equal(told.at(-1), '9 of 9 went at once: they stay for 120 s');
  });

  it('is held anew where all of it had come back meanwhile, and goes once more', async () => {
    const { clock, gone } = started();
    gone(20, 20);
    gone(20, 0);
    await clock.advance(120_000);
    assert.deepEqual([gone(20, 2), gone(20, 20)], [false, true]);
  });

  it('is held by whoever sees only some of it, as one that begins later', () => {
    assert.equal(started().gone(100, 60), true);
  });

  it('is believed where much of it stays, or there are few', () => {
    const { told, gone } = started();
    assert.deepEqual([[gone(3, 3), gone(20, 9), gone(0, 0)], told], [[false, false, false], []]);
  });
});

describe('a catalog that has nothing any more', () => {
  async function started(flags: Readonly<Record<string, string>>) {
    const world = await startSyncWorld();
    const made = world.sync('a', { 'to-consul': 'false', ...flags });
    const held = (way: string) => {
      const found = made.sync.metrics().find(({ name }) => name === 'proconsul.k8s.held');
      const readings = found?.kind === 'gauge' ? found.read() : 0;
      return (
        typeof readings !== 'number' &&
        readings.some((each) => each.labels['way'] === way && each.value === 1)
      );
    };
    return { ...world, made, held };
  }

  it('takes no Service from the cluster at once, nor an endpoint that has still to come back', async () => {
    const { register, put, objects, made, held } = await started({ 'to-k8s': 'true' });
    const names = ['a', 'b', 'c', 'd', 'e'];
    const bring = (Service: string, id: string, Address: string) =>
      register({
        Node: 'm',
        Address,
        Service: { ID: `${Service}${id}`, Service, Address, Port: 80 },
      });
    for (const each of names) await bring(each, '1', '10.0.0.1');
    for (const each of names) await bring(each, '2', '10.0.0.2');
    const endpoints = () =>
      objects.list('endpointslices').flatMap((slice) => slice['endpoints'] as readonly object[]);
    await until(() => endpoints().length === 10);
    await put('/v1/catalog/deregister', { Node: 'm' });
    const told = () => made.logger.lines.join('\n');
    await until(() => held('to-cluster'), told);
    await bring('a', '2', '10.0.0.2');
    await bring('f', '1', '10.0.0.6');
    await until(() => objects.list('services').length === 6, told);
    await until(() => endpoints().length === 11, told);
    assert.equal(told().match(/5 of 5 went at once/g)?.length, 1);
  });

  it('empties no ConfigMap at once', async () => {
    const { ask, put, objects, made, held } = await started({
      'config-map-from-kv': 'app=default/app',
    });
    for (const key of ['a', 'b', 'c', 'd', 'e']) await put(`/v1/kv/app/${key}`, key);
    const data = () => objects.get('configmaps', 'default', 'app')?.['data'] as object | undefined;
    await until(() => Object.keys(data() ?? {}).length === 5);
    await ask('DELETE', '/v1/kv/app/?recurse');
    await until(
      () => held('config-maps'),
      () => made.logger.lines,
    );
    assert.equal(Object.keys(data() ?? {}).length, 5);
  });
});
