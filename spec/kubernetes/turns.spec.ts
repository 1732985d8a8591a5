/** Whose turn it is: of whoever lives and knows the cluster, whatever was before. */
import assert from 'node:assert/strict';
import { accessTo, kubeService, kubeSlice } from '../support/kubernetes/cluster.ts';
import { type Instead, NODE, startSyncWorld } from '../support/kubernetes/syncs.ts';
import { until } from '../support/until.ts';

async function started() {
  const world = await startSyncWorld();
  const { objects } = world;
  const web = (ip: string) => objects.set('endpointslices', kubeSlice('web', [{ ip }]));
  objects.create('services', kubeService('web'));
  web('10.1.0.1');
  return { ...world, web };
}

describe('the turn of a sync', () => {
  it('goes on at once where it is started again under its name: its old session ends', async () => {
    const { sync, web, untilShown } = await started();
    const first = sync('b');
    await untilShown('web 10.1.0.1:8080 passing');
    first.kill();
    web('10.1.0.2');
    // No time passes at the server, so no lease of the old one ends.
    sync('b');
    await untilShown('web 10.1.0.2:8080 passing');
  });

  it('is not taken by one that cannot read its cluster', async () => {
    const { cluster, sync, untilShown, status } = await started();
    cluster.tokens.set('t1', {});
    const blind = sync('blind');
    await until(() => status(NODE, 'service:proconsul-k8s-sync-blind') === 'warning');
    await until(() => blind.logger.lines.some((line) => line.includes('cannot read')));
    cluster.tokens.set('t2', 'all');
    sync('seeing', {}, '', accessTo(cluster, { value: 't2' }));
    await untilShown('web 10.1.0.1:8080 passing');
    assert.equal(blind.isActive, false);
  });

  it('stands whatever becomes of the node: its own check alone says that it lives', async () => {
    const { sync, untilShown, register, status } = await started();
    const Check = { CheckID: '_node_maintenance', Name: 'x', Status: 'critical' };
    await register({ Node: NODE, Address: '127.0.0.1', Check });
    const { logger } = sync('a');
    await untilShown('web 10.1.0.1:8080 passing');
    await until(() => status(NODE, 'service:proconsul-k8s-sync-a') === 'passing');
    assert.deepEqual(
      logger.lines.filter((line) => line.startsWith('warn')),
      [],
    );
  });

  it('ends by itself where the catalog is not heard any more: what is written to the cluster has no fence', async () => {
    const { sync, put, objects, clock, status } = await started();
    const flags = { 'config-map-from-kv': 'app=default/app' };
    await put('/v1/kv/app/color', 'blue');
    const first = sync('a', flags);
    const color = () =>
      (objects.get('configmaps', 'default', 'app')?.['data'] as { color: string } | undefined)
        ?.color;
    await until(() => color() === 'blue');
    const second = sync('b', { ...flags, lease: '10s' });
    await until(() => status(NODE, 'service:proconsul-k8s-sync-b') === 'passing');
    first.isCut = true;
    await until(
      () => first.logger.lines.some((line) => line.includes('another may have the turn')),
      () => first.logger.lines.join('\n'),
    );
    await until(async () => {
      await clock.advance(50);
      return second.isActive;
    });
    await put('/v1/kv/app/color', 'red');
    await until(() => color() === 'red');
    first.isCut = false;
  });

  it('is taken by one of two for one way where neither can go the other, each of which says so', async () => {
    const { sync, untilShown, status } = await started();
    const tooLarge = { status: 413, index: '', text: 'The answer is too large', json: undefined };
    const instead: Instead = ({ path }) => (path === '/v1/catalog/services' ? tooLarge : undefined);
    const both = ['a', 'b'].map((name) => sync(name, { 'to-k8s': 'true' }, '', undefined, instead));
    await untilShown('web 10.1.0.1:8080 passing');
    for (const { logger } of both)
      await until(() =>
        logger.lines.some((line) => /cannot read \/v1\/catalog\/services: 413/.test(line)),
      );
    for (const name of ['a', 'b'])
      await until(() => status(NODE, `service:proconsul-k8s-sync-${name}`) === 'warning');
  });

  it('is taken for one way where the other is refused, which goes once it is not', async () => {
    const { sync, cluster, objects, register, untilShown } = await started();
    const flags = { 'to-k8s': 'true' };
    cluster.denied = /namespaces\/default\//;
    await register({ Node: 'm', Address: '10.0.0.1', Service: { Service: 'db', Port: 5432 } });
    const only = sync('a', flags);
    await until(
      () => only.isActive,
      () => only.logger.lines.join('\n'),
    );
    assert.deepEqual(only.sync.waitsFor, ['all of to-cluster']);
    cluster.denied = undefined;
    await untilShown('web 10.1.0.1:8080 passing');
    await until(() => objects.get('services', 'default', 'db') !== undefined);
  });
});
