/** The way back, where what is known is old, or is changed by others each time. */
import assert from 'node:assert/strict';
import { accessTo } from '../../support/kubernetes/cluster.ts';
import type { KubeObject } from '../../support/kubernetes/objects.ts';
import { startSyncWorld } from '../../support/kubernetes/syncs.ts';
import { until } from '../../support/until.ts';

async function started() {
  const world = await startSyncWorld();
  const { objects, register, sync } = world;
  const instance = (id: string, Address: string) =>
    register({ Node: `m-${id}`, Address, Service: { ID: id, Service: 'db', Address, Port: 5432 } });
  const service = () => objects.get('services', 'default', 'db');
  const shown = () =>
    objects
      .list('endpointslices')
      .flatMap((slice) => slice['endpoints'] as readonly { addresses: readonly string[] }[])
      .flatMap(({ addresses }) => addresses)
      .sort();
  const untilShown = (...wanted: readonly string[]) =>
    until(
      () => shown().join() === wanted.join(),
      () => shown(),
    );
  const begin = (name: string) => sync(name, { 'to-k8s': 'true', 'to-consul': 'false' });
  /** Waits for the turn of another, and hears nothing of the catalog any more. */
  const beginDeaf = async (name: string) => {
    const waiting = begin(name);
    await until(() => waiting.sync.isWhole && waiting.asking.now > 1);
    waiting.deafness = new AbortController();
    return waiting;
  };
  /** Its check is passed for it: the clock goes faster than its beats come. */
  const untilActive = (waiting: ReturnType<typeof begin>) =>
    until(async () => {
      await world.say('check/pass/service:proconsul-k8s-sync-b?node=k8s-sync');
      await world.clock.advance(50);
      return waiting.isActive;
    });
  return { ...world, instance, service, shown, untilShown, begin, beginDeaf, untilActive };
}

function marked(object: KubeObject, consul: string): KubeObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, consul } } };
}

describe('a sync that nothing of the catalog has reached for a while', () => {
  it('takes no endpoint for gone before it has asked anew', async () => {
    const { instance, begin, beginDeaf, untilActive, untilShown, objects, shown } = await started();
    await instance('db1', '10.0.0.1');
    const first = begin('a');
    await untilShown('10.0.0.1');
    const second = await beginDeaf('b');
    await instance('db2', '10.0.0.2');
    await untilShown('10.0.0.1', '10.0.0.2');
    const lost: string[] = [];
    objects.listeners.add(() => {
      if (!shown().includes('10.0.0.2')) lost.push(shown().join());
    });
    first.kill();
    await untilActive(second);
    second.deafness?.abort();
    await instance('db3', '10.0.0.3');
    await untilShown('10.0.0.1', '10.0.0.2', '10.0.0.3');
    assert.deepEqual(lost, []);
  });
});

describe('a sync that nothing of the cluster has reached for a while', () => {
  it('puts right what another wrote that it did not see, though all that it knows looks alike', async () => {
    const { instance, begin, untilActive, untilShown, objects, cluster, sync, ...world } =
      await started();
    const ready = () =>
      objects
        .list('endpointslices')
        .flatMap((slice) => slice['endpoints'] as readonly { conditions: { ready: boolean } }[])
        .map(({ conditions }) => conditions.ready)
        .join();
    const check = (Status: string) =>
      world.register({
        ...{ Node: 'm-db1', Address: '10.0.0.1', SkipNodeUpdate: true },
        Check: { CheckID: 'c', Name: 'c', ServiceID: 'db1', Status },
      });
    await instance('db1', '10.0.0.1');
    await check('passing');
    const first = begin('a');
    await untilShown('10.0.0.1');
    cluster.tokens.set('t2', 'all');
    const flags = { 'to-k8s': 'true', 'to-consul': 'false' };
    const second = sync('b', flags, '', accessTo(cluster, { value: 't2' }));
    await until(() => second.sync.isWhole && second.asking.now > 1);
    cluster.mutedToken = 't2';
    await check('critical');
    await until(() => ready() === 'false');
    first.kill();
    await check('passing');
    await untilActive(second);
    await until(
      () => ready() === 'true',
      () => second.logger.lines,
    );
  });

  it('asks for each service once in a turn, whether or not it looks alike', async () => {
    const { instance, begin, beginDeaf, untilActive, untilShown, objects } = await started();
    await instance('db1', '10.0.0.1');
    const first = begin('a');
    await untilShown('10.0.0.1');
    const second = await beginDeaf('b');
    await instance('db2', '10.0.0.2');
    await untilShown('10.0.0.1', '10.0.0.2');
    first.kill();
    // As it was when the second heard something last.
    for (const slice of objects.list('endpointslices')) {
      const [endpoint] = slice['endpoints'] as readonly object[];
      objects.set('endpointslices', { ...slice, endpoints: [endpoint] });
    }
    await untilActive(second);
    await untilShown('10.0.0.1', '10.0.0.2');
  });
});

describe('a Service that a webhook changes each time', () => {
  it('is written a few times, and then less and less', async () => {
    const { instance, begin, cluster, service, untilShown } = await started();
    const mark = () => service()?.metadata.labels?.['consul'];
    let count = 0;
    cluster.changes = (object) =>
      object.kind === 'Service' ? marked(object, `${count++}`) : object;
    await instance('db1', '10.0.0.1');
    const { logger } = begin('a');
    const told = () => logger.lines.join('\n');
    await until(() => /"db": somebody changes it each time it is written/.test(told()), told);
    assert.deepEqual([count, mark()], [4, '3']);
    cluster.changes = undefined;
    await until(() => mark() === 'true', told);
    await untilShown('10.0.0.1');
  });
});
