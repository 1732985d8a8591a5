/** Whose turn it is: of whoever lives and knows the cluster, whatever was before. */
import assert from 'node:assert/strict';
import { accessTo, kubeService, kubeSlice } from '../support/kubernetes/cluster.ts';
import type { KubeObject } from '../support/kubernetes/objects.ts';
import { NODE, startSyncWorld } from '../support/kubernetes/syncs.ts';
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
    await until(() => status(NODE, 'service:proconsul-k8s-sync-blind') === 'passing');
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
    assert.equal(status(NODE, 'service:proconsul-k8s-sync-a'), 'passing');
    assert.deepEqual(
      logger.lines.filter((line) => line.startsWith('warn')),
      [],
    );
  });

  it('ends by itself where the catalog is not heard any more: what is written to the cluster has no fence', async () => {
    const { sync, cluster, put, objects, clock, status } = await started();
    const flags = { 'config-map-from-kv': 'app=default/app' };
    await put('/v1/kv/app/color', 'blue');
    const first = sync('a', flags);
    const color = () =>
      (objects.get('configmaps', 'default', 'app')?.['data'] as { color: string } | undefined)
        ?.color;
    await until(() => color() === 'blue');
    const second = sync('b', flags);
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
    const { writes } = cluster;
    const there = objects.get('configmaps', 'default', 'app') as KubeObject;
    objects.set('configmaps', { ...there, data: { color: 'green' } });
    await until(() => color() === 'red');
    assert.equal(cluster.writes, writes + 1);
    first.isCut = false;
  });
});
